"""The top-level fields of an Avro record schema, as a mapping needs them: name, kind, nullable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.avro import Schema
from exchange.errors import AdapterError

MAPPED_LOGICAL_TYPES = frozenset(
    {
        "date",
        "time-millis",
        "time-micros",
        "timestamp-millis",
        "timestamp-micros",
        "local-timestamp-millis",
        "local-timestamp-micros",
        "decimal",
        "uuid",
    }
)


@dataclass(frozen=True, slots=True)
class TargetField:
    """A field that a column's value becomes. `kind` is the logical type where there is one, else the Avro type."""

    name: str
    kind: str
    nullable: bool = False
    has_default: bool = False
    symbols: frozenset[str] = frozenset()


def fields_of(schema: Schema) -> dict[str, TargetField]:
    """The fields of a record schema, by name; raises AdapterError where the schema is not a record."""
    raw = schema.raw
    if not isinstance(raw, dict) or raw.get("type") != "record":
        raise AdapterError("a table's rows need a record schema: this schema is not a record")
    named = _named_types(raw)
    return {field["name"]: _field(field, named) for field in raw["fields"]}


def _field(field: Mapping[str, Any], named: Mapping[str, Any]) -> TargetField:
    branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
    kinds = [_kind(branch, named) for branch in branches if branch != "null"]
    kind, symbols = kinds[0] if len(kinds) == 1 else ("union", frozenset())
    return TargetField(field["name"], kind, "null" in branches, "default" in field, symbols)


def _kind(schema: Any, named: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    if isinstance(schema, str):
        return schema, frozenset()
    logical = schema.get("logicalType")
    kind = logical if logical in MAPPED_LOGICAL_TYPES else schema["type"]
    return str(kind), frozenset(schema.get("symbols", ()))


def _named_types(schema: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(schema, dict):
        if "name" in schema and "type" in schema and not isinstance(schema["type"], dict | list):
            found[schema["name"]] = schema
        for part in ("type", "items", "values", "fields"):
            found |= _named_types(schema.get(part))
    elif isinstance(schema, list):
        for each in schema:
            found |= _named_types(each)
    return found
