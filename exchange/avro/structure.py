"""A schema as resolution looks at it: types and fields, linked by reference, built in one pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exchange.avro.names import NAMED, PRIMITIVES


@dataclass(slots=True, eq=False)
class FieldNode:
    """A field of a record."""

    name: str
    type: Node
    has_default: bool
    aliases: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Node:
    """A type; `raw` is what the resolved schema says of it.

    `name` is without its namespace and empty where a type has none; `aliases` are full names (see `alias_name`).
    """

    type: str
    raw: Any
    name: str = ""
    fullname: str = ""
    aliases: frozenset[str] = frozenset()
    default: str | None = None
    fields: list[FieldNode] = field(default_factory=list)
    branches: list[Node] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    size: int = 0
    inside: Node | None = None


def structure_of(resolved: Any) -> Node:
    """The structure of a resolved schema; a type that is named again is the same object again."""
    return _Builder().build(resolved)


_PRIMITIVES = {name: Node(name, name) for name in PRIMITIVES}


class _Builder:
    def __init__(self) -> None:
        self._named: dict[str, Node] = {}

    def build(self, schema: Any) -> Node:
        if isinstance(schema, str):
            return _PRIMITIVES.get(schema) or self._named[schema]
        if isinstance(schema, list):
            return Node("union", schema, branches=[self.build(each) for each in schema])
        kind = schema["type"]
        if kind == "array":
            return Node(kind, schema, inside=self.build(schema["items"]))
        if kind == "map":
            return Node(kind, schema, inside=self.build(schema["values"]))
        return self._define(schema) if kind in NAMED else Node(kind, schema)

    def _define(self, schema: dict[str, Any]) -> Node:
        full, kind = schema["name"], "record" if schema["type"] == "error" else schema["type"]
        node = Node(kind, schema, full.rpartition(".")[2], full, frozenset(schema.get("aliases", ())))
        self._named[full] = node
        if kind == "record":
            node.fields = [self._field(each) for each in schema["fields"]]
        elif kind == "enum":
            node.symbols, node.default = schema["symbols"], _text(schema.get("default"))
        else:
            node.size = schema["size"]
        return node

    def _field(self, raw: dict[str, Any]) -> FieldNode:
        aliases = tuple(dict.fromkeys(raw.get("aliases", ())))
        return FieldNode(raw["name"], self.build(raw["type"]), "default" in raw, aliases)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
