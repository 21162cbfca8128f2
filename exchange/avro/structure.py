"""A schema as the reference implementation's checker looks at it: types and fields, nothing else, built in one pass.

The shapes are those of `avro.schema`, whose own constructors take minutes for a record of many thousand fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class FieldNode:
    """A field of a record; `props` holds its `aliases`."""

    name: str
    type: Node
    has_default: bool
    props: dict[str, Any]


@dataclass(slots=True, eq=False)
class Node:
    """A type. `name` is without its namespace; `props` holds `aliases` (full names) and an enum's `default`."""

    type: str
    name: str = ""
    fullname: str = ""
    props: dict[str, Any] = field(default_factory=dict)
    fields: list[FieldNode] = field(default_factory=list)
    schemas: list[Node] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    size: int = 0
    items: Node | None = None
    values: Node | None = None


def structure_of(resolved: Any) -> Node:
    """The structure of a resolved schema; a type that is named again is the same object again."""
    return _Builder().build(resolved)


class _Builder:
    def __init__(self) -> None:
        self._named: dict[str, Node] = {}

    def build(self, schema: Any) -> Node:
        if isinstance(schema, str):
            return self._named.get(schema) or Node(schema)
        if isinstance(schema, list):
            return Node("union", schemas=[self.build(each) for each in schema])
        kind = schema["type"]
        if kind == "array":
            return Node(kind, items=self.build(schema["items"]))
        if kind == "map":
            return Node(kind, values=self.build(schema["values"]))
        return self._define(schema) if "name" in schema and kind in _NAMED else Node(kind)

    def _define(self, schema: dict[str, Any]) -> Node:
        full = schema["name"]
        props: dict[str, Any] = {key: value for key, value in schema.items() if key in ("aliases", "default")}
        node = Node(_NAMED[schema["type"]], full.rpartition(".")[2], full, props)
        self._named[full] = node
        node.symbols, node.size = schema.get("symbols", []), schema.get("size", 0)
        node.fields = [self._field(each) for each in schema.get("fields", [])]
        return node

    def _field(self, raw: dict[str, Any]) -> FieldNode:
        props = {"aliases": raw["aliases"]} if "aliases" in raw else {}
        return FieldNode(raw["name"], self.build(raw["type"]), "default" in raw, props)


_NAMED = {"record": "record", "error": "record", "enum": "enum", "fixed": "fixed"}
