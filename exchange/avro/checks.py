"""Whether a Python value fits a schema: strict, compiled once per schema, because it runs for every record.

What fits is what the closures here say. A record asks them only for fields that its generated source is not sure of.

| Avro | Python |
|---|---|
| null, boolean, string | None, bool, str |
| int, long | int in range, never bool |
| float, double | float or int, never bool; a finite number must stay finite |
| bytes, fixed | bytes or bytearray (fixed: of exactly the size) |
| enum | str, one of the symbols |
| array, map, record | list or tuple; dict with str keys; dict with no key that is not a field |
| date, time-*, timestamp-* | date, time, aware datetime; or the int they are stored as, within the calendar |
| local-timestamp-* | naive datetime, or int |
| decimal, uuid | Decimal or bytes; UUID or its text of 36 characters |
"""

from __future__ import annotations

import datetime as dt
import math
import re
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from exchange.avro.exact import FLOAT_MAX, MOST_FIELDS, ExactSource
from exchange.avro.names import NAMED
from exchange.avro.shape import is_decimal

Check = Callable[[Any], bool]
"""True where a value fits."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY_MILLIS = 86_400_000
_FIRST, _LAST = dt.date.min.toordinal() - 719_163, dt.date.max.toordinal() - 719_163
_ABSENT = object()


def compile_check(schema: Any, generate: bool = True) -> Check:
    """The check of a resolved schema; by closures alone if not `generate`: slower, and the measure of the other."""
    return _Compiler(generate).check_of(schema)


class _Compiler:
    def __init__(self, generate: bool) -> None:
        self._generate = generate
        self._named: dict[str, Check] = {}
        self._schemas: dict[str, Mapping[str, Any]] = {}

    def check_of(self, schema: Any) -> Check:
        if isinstance(schema, list):
            return self._union(schema)
        if isinstance(schema, str):
            return _PRIMITIVES.get(schema) or self._named_check(schema)
        kind = schema["type"]
        if kind in NAMED:
            return self._define(schema)
        if kind == "array":
            return _array_check(self.check_of(schema["items"]))
        if kind == "map":
            return _map_check(self.check_of(schema["values"]))
        return logical_check(schema) or _PRIMITIVES[kind]

    def _named_check(self, name: str) -> Check:
        """A type named again; looked up when it is used, for a record may hold itself."""
        named = self._named
        if name in named:
            return named[name]
        return lambda value: named[name](value)

    def _define(self, schema: Mapping[str, Any]) -> Check:
        name, kind = schema["name"], schema["type"]
        self._schemas[name] = schema
        if kind == "enum":
            check = _enum_check(frozenset(schema["symbols"]))
        elif kind == "fixed":
            check = logical_check(schema) or _fixed_check(schema["size"])
        else:
            check = self._record(schema["fields"])
        self._named[name] = check
        return check

    def _record(self, fields: list[Any]) -> Check:
        checks = [self.check_of(field["type"]) for field in fields]
        named = zip(fields, checks, strict=True)
        check = _record_check([(field["name"], fits, "default" in field) for field, fits in named])
        if not self._generate or len(fields) > MOST_FIELDS:
            return check
        return _generated_check(fields, checks, check, ExactSource(self._schemas))

    def _union(self, branches: list[Any]) -> Check:
        checks = [self.check_of(each) for each in branches if each != "null"]
        if "null" not in branches:
            return lambda value: any(check(value) for check in checks)
        if len(checks) == 1:
            only = checks[0]
            return lambda value: value is None or only(value)
        return lambda value: value is None or any(check(value) for check in checks)


def _generated_check(fields: list[Any], checks: list[Check], check: Check, exact: ExactSource) -> Check:
    """`check` as one function of generated source, for dicts of as many keys as fields; others go to `check`."""
    conditions = [_condition(exact, field, i) for i, field in enumerate(fields)]
    names = exact.names | {f"fits{i}": fits for i, fits in enumerate(checks)} | {"check": check}
    code = (
        "def generated(value):\n"
        f"    if type(value) is not dict or len(value) != {len(fields)}:\n"
        "        return check(value)\n"
        "    try:\n"
        f"        return {' and '.join(conditions) or 'True'}\n"
        "    except KeyError:\n"  # as many keys as fields, and one is missing: another is no field
        "        return False\n"
    )
    exec(code, names)  # noqa: S102
    return names["generated"]  # type: ignore[no-any-return]


def _condition(exact: ExactSource, field: Any, i: int) -> str:
    certain = exact.field(field["type"], field["name"], f"x{i}")
    return f"({certain} or fits{i}(x{i}))" if certain else f"fits{i}(value[{field['name']!r}])"


def _record_check(fields: list[tuple[str, Check, bool]]) -> Check:
    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        seen = 0
        for name, fits, has_default in fields:
            item = value.get(name, _ABSENT)
            if item is _ABSENT:
                if not has_default:
                    return False
            elif fits(item):
                seen += 1
            else:
                return False
        return seen == len(value)

    return check


def _array_check(item: Check) -> Check:
    return lambda value: isinstance(value, (list, tuple)) and all(item(each) for each in value)


def _map_check(item: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(isinstance(key, str) and item(value[key]) for key in value)


def _enum_check(symbols: frozenset[str]) -> Check:
    return lambda value: isinstance(value, str) and value in symbols


def _fixed_check(size: int) -> Check:
    return lambda value: isinstance(value, (bytes, bytearray)) and len(value) == size


def _int_check(low: int, high: int) -> Check:
    def check(value: Any) -> bool:
        return isinstance(value, int) and low <= value <= high and not isinstance(value, bool)

    return check


def _is_double(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**1023)


def _is_float(value: Any) -> bool:
    return _is_double(value) and (abs(value) <= FLOAT_MAX or not math.isfinite(value))


def _is_bytes(value: Any) -> bool:
    return isinstance(value, (bytes, bytearray))


_PRIMITIVES: dict[str, Check] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "int": _int_check(-(2**31), 2**31 - 1),
    "long": _int_check(-(2**63), 2**63 - 1),
    "float": _is_float,
    "double": _is_double,
    "bytes": _is_bytes,
    "string": lambda value: isinstance(value, str),
}


def logical_check(schema: Mapping[str, Any]) -> Check | None:
    """The check of a logical type that has a Python type of its own; None for every other schema."""
    logical = schema.get("logicalType")
    if logical == "decimal":
        return _decimal_check(schema) if is_decimal(schema) else None
    return _LOGICAL.get((schema["type"], logical)) if isinstance(logical, str) else None


def _decimal_check(schema: Mapping[str, Any]) -> Check:
    precision, scale, size = schema.get("precision"), schema.get("scale", 0), schema.get("size")
    raw = _is_bytes if size is None else _fixed_check(size)

    def check(value: Any) -> bool:
        if not isinstance(value, Decimal):
            return raw(value)
        _, digits, exponent = value.as_tuple()
        return isinstance(exponent, int) and -exponent <= scale and len(digits) + max(exponent + scale, 0) <= precision

    return check


def _is_date(value: Any) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _is_aware(value: Any) -> bool:
    return isinstance(value, dt.datetime) and value.tzinfo is not None


def _is_naive(value: Any) -> bool:
    return isinstance(value, dt.datetime) and value.tzinfo is None


def _is_uuid(value: Any) -> bool:
    return isinstance(value, uuid.UUID) or (isinstance(value, str) and _UUID.fullmatch(value) is not None)


def _either(native: Check, low: int, high: int) -> Check:
    stored = _int_check(low, high)
    return lambda value: native(value) or stored(value)


def _calendar(native: Check, units: int) -> Check:
    """Times as `units` a day since 1970: within the years 1 to 9999, or no reader could show them."""
    return _either(native, _FIRST * units, (_LAST + 1) * units - 1)


def _is_time(value: Any) -> bool:
    return isinstance(value, dt.time)


_LOGICAL: dict[tuple[str, str], Check] = {
    ("int", "date"): _calendar(_is_date, 1),
    ("int", "time-millis"): _either(_is_time, 0, _DAY_MILLIS - 1),
    ("long", "time-micros"): _either(_is_time, 0, _DAY_MILLIS * 1000 - 1),
    ("long", "timestamp-millis"): _calendar(_is_aware, _DAY_MILLIS),
    ("long", "timestamp-micros"): _calendar(_is_aware, _DAY_MILLIS * 1000),
    ("long", "local-timestamp-millis"): _calendar(_is_naive, _DAY_MILLIS),
    ("long", "local-timestamp-micros"): _calendar(_is_naive, _DAY_MILLIS * 1000),
    ("string", "uuid"): _is_uuid,
}
