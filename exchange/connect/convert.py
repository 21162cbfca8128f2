"""A database's value -> the Python value of one kind of field. Hot: called for every column of every row.

A converter takes a value that is not NULL and returns what Avro's codec takes for its kind; it raises ValueError
or TypeError, whose text may hold the value and is never shown.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from exchange.connect.times import TimeFormat

Convert = Callable[[Any], Any]

_TRUE = frozenset({"1", "true", "t"})
_FALSE = frozenset({"0", "false", "f"})
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Takes trailing zeros off and nothing else: the default context would round to 28 digits."""

_REMEMBERED = 8192
"""Moments remembered by a converter: neighbouring rows share dates, and parsing is the slowest step."""


class Unfit(ValueError):
    """A value that does not fit; the text says why and holds no value."""


def to_text(value: Any) -> str:
    """Text as it is; whole and decimal numbers and dates in their usual form; nothing else."""
    if value.__class__ is str:
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        raise Unfit("bytes need a charset to become text")
    if isinstance(value, bool | float):
        raise Unfit(f"{type(value).__name__} has no one form as text: use codes")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def to_integer(value: Any) -> int:
    """Whole numbers, whatever type carries them."""
    if value.__class__ is int:
        return value
    if isinstance(value, str):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unfit(f"{type(value).__name__} is not a whole number")
    whole = int(value)
    if whole != value:
        raise Unfit("a number with a fraction is not a whole number")
    return whole


def to_number(value: Any) -> float:
    """Finite numbers."""
    if value.__class__ is float:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise Unfit(f"{type(value).__name__} is not a number")
    number = float(value)
    if not math.isfinite(number):
        raise Unfit("not a finite number")
    return number


def to_decimal(value: Any) -> Decimal:
    """Exact decimals; binary floating point by its shortest decimal form, as the database would show it."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise Unfit(f"{type(value).__name__} is not a decimal number")
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        raise Unfit("the text is not a decimal number") from None
    if not number.is_finite():
        raise Unfit("not a finite number")
    return number.normalize(_EXACT) if number.as_tuple().exponent < 0 else number  # type: ignore[operator]  # finite: an int


def to_boolean(value: Any) -> bool:
    """True and false, 1 and 0, and the texts 1 0 true false t f."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Unfit("neither true nor false: use codes")


def to_bytes(value: Any) -> bytes:
    """Bytes as they are."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Unfit(f"{type(value).__name__} is not bytes")
    return bytes(value)


def as_it_is(value: Any) -> Any:
    """For kinds that only Avro's codec judges."""
    return value


def to_json(value: Any) -> Any:
    """The plain JSON form of a value (lookups): numbers, text, booleans; dates and times as ISO 8601."""
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return to_text(value)


def time_converter(kind: str, form: TimeFormat | None, zone: ZoneInfo | None) -> tuple[Convert, Convert]:
    """The converter of a date or time kind, and one that takes text only and remembers.

    Texts are of `form`, ISO 8601 without one; naive moments are in `zone`.
    """
    finish = _FINISH[kind]

    @lru_cache(maxsize=_REMEMBERED)
    def of_text(text: str) -> Any:
        if form is not None:
            return finish(form.parse(text), zone)
        return _from_iso(text, kind, zone)

    def convert(value: Any) -> Any:
        if value.__class__ is str:
            return of_text(value)
        if isinstance(value, dt.datetime):
            return finish(value, zone)
        if form is not None and isinstance(value, int):
            return of_text(str(value))  # dates kept as the number 20261122
        return _native(value, kind)

    return convert, of_text


def _from_iso(text: str, kind: str, zone: ZoneInfo | None) -> Any:
    if kind.startswith("time-"):
        return dt.time.fromisoformat(text)
    return _FINISH[kind](dt.datetime.fromisoformat(text), zone)


def _native(value: Any, kind: str) -> Any:
    """A database's own date or time where the field is of the same kind."""
    if (kind == "date" and isinstance(value, dt.date)) or (kind.startswith("time-") and isinstance(value, dt.time)):
        return value
    raise Unfit(f"{type(value).__name__} is not a {kind}")


def _date(moment: dt.datetime, zone: ZoneInfo | None) -> dt.date:
    return moment.date()


def _time(moment: dt.datetime, zone: ZoneInfo | None) -> dt.time:
    return moment.time()


def _timestamp(moment: dt.datetime, zone: ZoneInfo | None) -> dt.datetime:
    if moment.tzinfo is None:
        if zone is None:
            raise Unfit("the time has no zone: give one")
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(dt.UTC)


def _local(moment: dt.datetime, zone: ZoneInfo | None) -> dt.datetime:
    if moment.tzinfo is not None:
        raise Unfit("the time has a zone, the field takes a local time")
    return moment


_FINISH: dict[str, Callable[[dt.datetime, ZoneInfo | None], Any]] = {
    "date": _date,
    "time-millis": _time,
    "time-micros": _time,
    "timestamp-millis": _timestamp,
    "timestamp-micros": _timestamp,
    "local-timestamp-millis": _local,
    "local-timestamp-micros": _local,
}
TIME_KINDS = frozenset(_FINISH)

CONVERTERS: dict[str, Convert] = {
    "string": to_text,
    "enum": to_text,
    "uuid": to_text,
    "int": to_integer,
    "long": to_integer,
    "float": to_number,
    "double": to_number,
    "boolean": to_boolean,
    "bytes": to_bytes,
    "fixed": to_bytes,
    "decimal": to_decimal,
    "json": to_json,
    "union": as_it_is,
}
"""By kind; kinds of time have theirs from `time_converter`."""

NATIVE: dict[str, type] = {
    "string": str,
    "enum": str,
    "uuid": str,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": bool,
    "bytes": bytes,
}
"""The class of values that a kind's converter returns as they are."""
