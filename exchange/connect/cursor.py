"""The value of a cursor column as part of a publisher's position: JSON that leads back to the very same value."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from exchange.errors import AdapterError

Cursor = int | str | datetime


def parse_cursor(value: Any, table: str, column: str) -> Cursor:
    """What a row has in its cursor column; raises AdapterError for what has no exact order."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | str | datetime):
        raise AdapterError(
            f"{table}.{column} holds {type(value).__name__}: a cursor needs whole numbers, text or times that grow"
        )
    return value


def to_position(cursor: Cursor, table: str, column: str) -> dict[str, Any]:
    """The position that is committed with the events."""
    kind = type(cursor).__name__
    value = cursor.isoformat() if isinstance(cursor, datetime) else cursor
    return {"table": table, "column": column, "type": kind, "cursor": value}


def from_position(position: dict[str, Any] | None, table: str, column: str) -> Cursor | None:
    """The cursor of a position, None before the first; raises AdapterError where it is of another table or column."""
    if position is None:
        return None
    if (position.get("table"), position.get("column")) != (table, column):
        raise AdapterError(
            f"the last position is of {position.get('table')}.{position.get('column')}, the adapter file now names "
            f"{table}.{column}: rows would be missed or sent twice; give the publisher a new name to begin anew"
        )
    value: Cursor = position["cursor"]
    return datetime.fromisoformat(str(value)) if position.get("type") == "datetime" else value
