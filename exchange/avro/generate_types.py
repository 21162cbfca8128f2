"""What generated code says of a type: its annotation, how it comes out of an event's data, and how it goes back in.

Decoded data are Python's own values but for three: an enum's symbol is text there, a record a dict, a duration bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.avro.generate_names import class_names, kind_of, quoted
from exchange.avro.shape import definitions, is_decimal
from exchange.errors import SchemaError

_PRIMITIVES = {
    "null": "None",
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "bytes": "bytes",
    "string": "str",
    "fixed": "bytes",
}
_LOGICAL = {
    ("int", "date"): "dt.date",
    ("int", "time-millis"): "dt.time",
    ("long", "time-micros"): "dt.time",
    ("long", "timestamp-millis"): "dt.datetime",
    ("long", "timestamp-micros"): "dt.datetime",
    ("long", "local-timestamp-millis"): "dt.datetime",
    ("long", "local-timestamp-micros"): "dt.datetime",
    ("string", "uuid"): "UUID",
}
RECORDS = ("record", "error")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the module: for a union whose branches take more than one line to tell apart."""

    name: str
    lines: tuple[str, ...]


class Types:
    """The types of one schema. Raises SchemaError for a union whose values cannot be told apart."""

    def __init__(self, raw: Any) -> None:
        self.known: Mapping[str, Any] = definitions(raw)
        self.classes = class_names(
            name for name, each in self.known.items() if kind_of(each) != "fixed" or is_duration(each)
        )

    def written_out(self, schema: Any) -> Any:
        """The type itself, also where the schema has its name alone."""
        return self.known.get(schema, schema) if isinstance(schema, str) else schema

    def class_of(self, schema: Any) -> str:
        """The class of a named type."""
        return self.classes[schema if isinstance(schema, str) else schema["name"]]

    def annotation(self, schema: Any) -> str:
        """The type as Python has it."""
        schema = self.written_out(schema)
        kind = kind_of(schema)
        if kind == "union":
            branches = sorted(dict.fromkeys(map(self.annotation, schema)), key="None".__eq__)
            return " | ".join(branches)
        if kind == "array":
            return f"list[{self.annotation(schema['items'])}]"
        if kind == "map":
            return f"dict[str, {self.annotation(schema['values'])}]"
        if kind in RECORDS or kind == "enum" or is_duration(schema):
            return self.class_of(schema)
        return logical_of(schema) or _PRIMITIVES[kind]

    def is_plain(self, schema: Any) -> bool:
        """Whether decoded values are as the attribute has them."""
        schema = self.written_out(schema)
        kind = kind_of(schema)
        if kind == "union":
            return all(map(self.is_plain, schema))
        if kind in ("array", "map"):
            return self.is_plain(schema["items" if kind == "array" else "values"])
        return not (kind in RECORDS or kind == "enum" or is_duration(schema))

    def require_distinct(self, branches: list[Any], place: str) -> None:
        """Raises SchemaError where two branches of a union look the same once they are decoded."""
        written = [self.written_out(each) for each in branches]
        records = [each for each in written if kind_of(each) in RECORDS]
        if records and any(kind_of(each) == "map" for each in written):
            raise _inexpressible(place, "a record and a map are both a table of names and values")
        for one in records:
            for other in records:
                if one is not other and _fits(one, other):
                    raise _inexpressible(place, f"a {one['name']} has the fields of a {other['name']}")
        bytes_like = [each for each in written if self.annotation(each) == "bytes"]
        if bytes_like and any(map(is_duration, written)):
            raise _inexpressible(place, "a duration and bytes are both bytes")


def is_duration(schema: Any) -> bool:
    """Whether a type is Avro's duration: twelve bytes, of months, days and milliseconds."""
    return (
        isinstance(schema, dict)
        and schema["type"] == "fixed"
        and schema.get("logicalType") == "duration"
        and schema["size"] == 12
    )


def logical_of(schema: Any) -> str | None:
    """The Python type of a logical type that decoding gives; None for every other schema."""
    if not isinstance(schema, dict):
        return None
    if is_decimal(schema):
        return "Decimal"
    logical = schema.get("logicalType")
    return _LOGICAL.get((schema["type"], logical)) if isinstance(logical, str) else None


def key_set(record: Any) -> str:
    """A record's field names as a set's literal."""
    return "{" + ", ".join(quoted(each["name"]) for each in record["fields"]) + "}"


def _fits(one: Any, other: Any) -> bool:
    """Whether a value of one record could be written as the other, by its field names."""
    names = {each["name"] for each in one["fields"]}
    required = {each["name"] for each in other["fields"] if "default" not in each}
    return required <= names <= {each["name"] for each in other["fields"]}


def _inexpressible(place: str, reason: str) -> SchemaError:
    return SchemaError(
        f"no classes for {place}: the branches of its union cannot be told apart once an event is decoded: {reason}; "
        "give the records different fields, or use the dict",
        code="schema_not_expressible",
    )
