"""Whether a field's default is a value of the field's type, as the Avro specification encodes defaults in JSON.

`bytes` and `fixed` are text of the code points 0 to 255; a union's default may be of any of its branches.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_INT = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)
_NUMBER = re.compile(
    r"[\x00-\x20]*([+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?))[\x00-\x20]*", re.ASCII
)
"""What Java reads as a double (but for hexadecimal ones)."""


def float_of(text: str) -> float | str | None:
    """The number that a text is to Java; itself where that is not finite, and None where it is none."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    number = float(found[1].rstrip("fFdD") if found[1][-1] in "fFdD" else found[1])
    return number if math.isfinite(number) else text


class Defaults:
    """Checks defaults against resolved schemas; `known` maps the names of types to them."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known
        self._symbols: dict[str, frozenset[str]] = {}
        self._records: dict[tuple[int, str], str | None] = {}

    def explain(self, value: Any, schema: Any) -> str | None:
        """None where `value` is a default of `schema`, else the reason."""
        if isinstance(schema, list):
            return self._union(value, schema)
        if isinstance(schema, str):
            schema = self._known.get(schema, schema)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in _CONTAINERS:
            return _CONTAINERS[kind](self, value, schema)
        return None if _SCALARS[kind](value, schema) else f"{_shown(value)} is no {kind}"

    def _union(self, value: Any, branches: list[Any]) -> str | None:
        if any(self.explain(value, branch) is None for branch in branches):
            return None
        return f"{_shown(value)} fits no branch of the union"

    def _array(self, value: Any, schema: Any) -> str | None:
        if not isinstance(value, list):
            return f"{_shown(value)} is no array"
        return self._first(value, schema["items"])

    def _map(self, value: Any, schema: Any) -> str | None:
        if not isinstance(value, dict):
            return f"{_shown(value)} is no map"
        return self._first(value.values(), schema["values"])

    def _first(self, values: Iterable[Any], schema: Any) -> str | None:
        reasons = (self.explain(each, schema) for each in values)
        return next((each for each in reasons if each is not None), None)

    def _record(self, value: Any, schema: Any) -> str | None:
        """Remembered: a value inside unions of records inside each other would be looked at without end."""
        if not isinstance(value, dict):
            return f"{_shown(value)} is no record"
        key = (id(value), schema["name"])
        if key not in self._records:
            self._records[key] = self._record_fields(value, schema)
        return self._records[key]

    def _record_fields(self, value: dict[str, Any], schema: Any) -> str | None:
        for field in schema["fields"]:
            if field["name"] in value:
                reason = self.explain(value[field["name"]], field["type"])
            else:
                reason = None if "default" in field else f"field {field['name']!r} is missing"
            if reason is not None:
                return reason
        return None

    def _enum(self, value: Any, schema: Any) -> str | None:
        name = schema["name"]
        if name not in self._symbols:
            self._symbols[name] = frozenset(schema["symbols"])
        if isinstance(value, str) and value in self._symbols[name]:
            return None
        return f"{_shown(value)} is no symbol of {name}"


_CONTAINERS: dict[str, Callable[[Defaults, Any, Any], str | None]] = {
    "array": Defaults._array,
    "map": Defaults._map,
    "record": Defaults._record,
    "error": Defaults._record,
    "enum": Defaults._enum,
}


def _is_int(value: Any, allowed: range) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in allowed


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_byte_text(value: Any) -> bool:
    return isinstance(value, str) and all(ord(each) < 256 for each in value)


_SCALARS: dict[str, Callable[[Any, Any], bool]] = {
    "null": lambda value, _: value is None,
    "boolean": lambda value, _: isinstance(value, bool),
    "int": lambda value, _: _is_int(value, _INT),
    "long": lambda value, _: _is_int(value, _LONG),
    "float": lambda value, _: _is_number(value),
    "double": lambda value, _: _is_number(value),
    "string": lambda value, _: isinstance(value, str),
    "bytes": lambda value, _: _is_byte_text(value),
    "fixed": lambda value, schema: _is_byte_text(value) and len(value) == schema["size"],
}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
