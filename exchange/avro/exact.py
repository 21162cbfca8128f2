"""Source that is true of the values a program nearly always has: those of exactly the Python type of a schema.

What it is false of (a subclass, an int for a date, a wrong value) is for the slower code it stands before. Nothing of a
schema is in the source but numbers, and the names of fields as literals; symbols are bound to names of ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

FLOAT_MAX = 3.4028234663852886e38
"""The greatest number that a `float` of 32 bits holds."""

MOST_FIELDS = 1000
"""Records of more are not worth the time that Python takes to compile their source."""

_AWARE = "type({first}) is datetime and {x}.tzinfo is not None"
_SOURCES: Mapping[str, str] = {
    "null": "({first}) is None",
    "boolean": "type({first}) is bool",
    "int": f"type({{first}}) is int and {-(2**31)} <= {{x}} <= {2**31 - 1}",
    "long": f"type({{first}}) is int and {-(2**63)} <= {{x}} <= {2**63 - 1}",
    "float": f"type({{first}}) is float and {-FLOAT_MAX} <= {{x}} <= {FLOAT_MAX}",
    "double": "type({first}) is float",
    "bytes": "type({first}) is bytes",
    "string": "type({first}) is str",
    "enum": "type({first}) is str and {x} in {x}_symbols",
    "fixed": "type({first}) is bytes and len({x}) == {x}_size",
    "int date": "type({first}) is date",
    "long timestamp-millis": _AWARE,
    "long timestamp-micros": _AWARE,
}


class ExactSource:
    """The source for fields of records, and in `names` what it needs to have bound."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        """`known` are the named types that a field may name, by full name."""
        self.names: dict[str, Any] = {"date": dt.date, "datetime": dt.datetime}
        self._known = known

    def field(self, schema: Any, name: str, x: str) -> str | None:
        """The condition that `value[name]`, called `x` from then on, fits for certain; None where there is none.

        It raises KeyError where the field is missing.
        """
        first = f"{x} := value[{name!r}]"
        other = nullable(schema)
        if other is None:
            return self._leaf(schema, first, x)
        fits = self._leaf(other, x, x)
        return fits and f"(({first}) is None or {fits})"

    def _leaf(self, schema: Any, first: str, x: str) -> str | None:
        source = _SOURCES.get(self.kind(schema))
        written = self.written_out(schema)
        if source and written["type"] == "enum":
            self.names[f"{x}_symbols"] = frozenset(written["symbols"])
        if source and written["type"] == "fixed":
            self.names[f"{x}_size"] = written["size"]
        return source and source.format(first=first, x=x)

    def kind(self, schema: Any) -> str:
        """A type in one or two words, such as `int` or `int date`."""
        if isinstance(schema, list):
            return "union"
        written = self.written_out(schema)
        return f"{written['type']} {written['logicalType']}" if "logicalType" in written else str(written["type"])

    def written_out(self, schema: Any) -> Mapping[str, Any]:
        """A type that is no union, as an object."""
        if isinstance(schema, str):
            return self._known.get(schema) or {"type": schema}
        return schema  # type: ignore[no-any-return]


def nullable(schema: Any) -> Any:
    """What a union of null and one other type holds besides null; None for every other type."""
    if not isinstance(schema, list) or len(schema) != 2 or "null" not in schema:
        return None
    return next(each for each in schema if each != "null")
