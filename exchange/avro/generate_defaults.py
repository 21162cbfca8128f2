"""Defaults of a schema's fields as Python expressions."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from struct import unpack
from typing import Any
from uuid import UUID

from exchange.avro.defaults import Defaults
from exchange.avro.generate_names import attribute_names, kind_of, member_names, quoted
from exchange.avro.generate_types import RECORDS, Types, is_duration, logical_of
from exchange.errors import SchemaError

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class DefaultValues:
    """Expressions of the defaults of one schema."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._defaults = Defaults(types.known)

    def expression(self, default: Any, schema: Any) -> str:
        """The value of a default; raises SchemaError for one that is no date, time, moment or UUID."""
        schema = self._branch(default, schema)
        kind = kind_of(schema)
        if kind == "array":
            return "[" + ", ".join(self.expression(each, schema["items"]) for each in default) + "]"
        if kind == "map":
            items = (f"{quoted(key)}: {self.expression(each, schema['values'])}" for key, each in default.items())
            return "{" + ", ".join(items) + "}"
        if kind in RECORDS:
            return self._record(default, schema)
        if kind == "enum":
            return f"{self._types.class_of(schema)}.{member_names(schema['symbols'])[default]}"
        if is_duration(schema):
            months, days, milliseconds = unpack("<III", default.encode("latin-1"))
            made = self._types.class_of(schema)
            return f"{made}(months={months}, days={days}, milliseconds={milliseconds})"
        return self._scalar(default, schema, kind)

    def is_shared(self, default: Any, schema: Any) -> bool:
        """Whether all objects may have the very same value: it cannot be changed, and is there before the class."""
        return kind_of(self._branch(default, schema)) not in ("array", "map", *RECORDS)

    def _branch(self, default: Any, schema: Any) -> Any:
        if isinstance(schema, list):
            schema = next(each for each in schema if self._defaults.explain(default, each) is None)
        return self._types.written_out(schema)

    def _record(self, default: dict[str, Any], schema: Any) -> str:
        names = attribute_names((each["name"] for each in schema["fields"]), self._types.classes.values())
        given = [each for each in schema["fields"] if each["name"] in default]
        values = (f"{names[each['name']]}={self.expression(default[each['name']], each['type'])}" for each in given)
        return f"{self._types.class_of(schema)}({', '.join(values)})"

    def _scalar(self, default: Any, schema: Any, kind: str) -> str:
        logical = logical_of(schema)
        if logical == "Decimal":
            return f'Decimal("{_decimal(default, schema.get("scale", 0))}")'
        if logical is not None:
            try:
                return _LOGICAL[schema["logicalType"]](default)
            except (ValueError, OverflowError):
                raise SchemaError(
                    f"no classes for the schema: the default {default!r} is no {schema['logicalType']}",
                    code="schema_not_expressible",
                ) from None
        if kind in ("bytes", "fixed"):
            return repr(default.encode("latin-1"))
        if kind in ("float", "double"):
            return _float(float(default))
        return quoted(default) if isinstance(default, str) else repr(default)


def _float(number: float) -> str:
    return repr(number) if math.isfinite(number) else f'float("{number}")'


def _decimal(default: str, scale: int) -> Decimal:
    unscaled = int.from_bytes(default.encode("latin-1"), "big", signed=True)
    return Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), -scale))


def _date(days: int) -> str:
    day = dt.date.fromordinal(719_163 + days)
    return f"dt.date({day.year}, {day.month}, {day.day})"


def _time(microseconds: int) -> str:
    if not 0 <= microseconds < 86_400_000_000:
        raise ValueError
    time = (_EPOCH + dt.timedelta(microseconds=microseconds)).time()
    return f"dt.time({time.hour}, {time.minute}, {time.second}, {time.microsecond})"


def _moment(microseconds: int, zone: str) -> str:
    at = _EPOCH + dt.timedelta(microseconds=microseconds)
    parts = (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)
    return f"dt.datetime({', '.join(map(str, parts))}{zone})"


_AWARE = ", tzinfo=dt.UTC"
_LOGICAL: dict[str, Callable[[Any], str]] = {
    "date": _date,
    "time-millis": lambda millis: _time(1000 * millis),
    "time-micros": _time,
    "timestamp-millis": lambda millis: _moment(1000 * millis, _AWARE),
    "timestamp-micros": lambda micros: _moment(micros, _AWARE),
    "local-timestamp-millis": lambda millis: _moment(1000 * millis, ""),
    "local-timestamp-micros": lambda micros: _moment(micros, ""),
    "uuid": lambda text: f'UUID("{UUID(text)}")',
}
