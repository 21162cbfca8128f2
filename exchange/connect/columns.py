"""An event's values as a column takes them: by the column's type, and for SQLite always as plain text and numbers."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import types

from exchange.connect.convert import Convert, Unfit, to_boolean, to_bytes, to_decimal, to_integer, to_number


def column_converter(kind: types.TypeEngine[Any], dialect: str) -> Convert:
    """The function that turns a value that is not null into what the column's driver takes; it raises Unfit."""
    if isinstance(kind, types.DateTime) and kind.timezone and dialect != "sqlite":
        return _to_moment
    table = _SQLITE if dialect == "sqlite" else _NATIVE
    return next((convert for sql_type, convert in table if isinstance(kind, sql_type)), _plain)


def to_column_text(value: Any) -> str:
    """Text; dates and times as ISO 8601 (moments in UTC with Z), numbers as written, arrays and records as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal | UUID):
        return str(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=to_column_text)
    raise Unfit(f"{type(value).__name__} cannot be kept in a text column")


def _plain(value: Any) -> Any:
    """For columns whose type says nothing: numbers and bytes as they are, the rest as text."""
    return value if isinstance(value, int | float | bytes) else to_column_text(value)


def _to_moment(value: Any) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, dt.datetime):
        if not isinstance(moment, dt.date):
            raise Unfit(f"{type(value).__name__} is not a time")
        moment = dt.datetime.combine(moment, dt.time())
    return moment


def _to_naive(value: Any) -> dt.datetime:
    """Columns without a zone keep UTC."""
    moment = _to_moment(value)
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _to_date(value: Any) -> dt.date:
    return _to_moment(value).date()


def _to_time(value: Any) -> dt.time:
    if not isinstance(value, dt.time):
        raise Unfit(f"{type(value).__name__} is not a time of day")
    return value


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=to_column_text)


def _to_flag(value: Any) -> int:
    return int(to_boolean(value))


def _to_count(value: Any) -> int:
    return int(value) if isinstance(value, bool) else to_integer(value)


_SQLITE: tuple[tuple[type[types.TypeEngine[Any]], Convert], ...] = (
    (types.Boolean, _to_flag),
    (types.Integer, _to_count),
    (types.Float, to_number),
    (types.Numeric, lambda value: str(to_decimal(value))),
    (types.JSON, _to_json),
    (types.LargeBinary, to_bytes),
    (types.String, to_column_text),
)

_NATIVE: tuple[tuple[type[types.TypeEngine[Any]], Convert], ...] = (
    (types.Boolean, to_boolean),
    (types.Integer, _to_count),
    (types.Float, to_number),
    (types.Numeric, to_decimal),
    (types.DateTime, _to_naive),
    (types.Date, _to_date),
    (types.Time, _to_time),
    (types.JSON, _to_json),
    (types.LargeBinary, to_bytes),
    (types.String, to_column_text),
)
