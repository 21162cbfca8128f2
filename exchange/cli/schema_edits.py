"""Edits of a schema file's text that make a change compatible; each takes the new text and the one before it."""

from __future__ import annotations

import json
from collections.abc import Callable

from exchange.cli.schema_text import Node, SchemaText

Edit = Callable[[SchemaText, SchemaText], SchemaText | None]
"""Takes the new and the old text, gives the changed new one; None where it cannot be done there."""


def optional(pointer: str) -> Edit:
    """A field may be null, and is where it is left out."""

    def edit(new: SchemaText, _: SchemaText) -> SchemaText | None:
        changed = _with_null(new, f"{pointer}/type", first=True)
        field = changed.at(pointer) if changed else None
        return changed.with_member(field, "default", "null") if changed and field else None

    return edit


def nullable(pointer: str) -> Edit:
    """The type at a place may be null; first where its field has no default of another type."""

    def edit(new: SchemaText, _: SchemaText) -> SchemaText | None:
        field = new.at(pointer.rpartition("/")[0])
        default = field.members.get("default") if field else None
        return _with_null(new, pointer, first=default is None or new.source(default) == "null")

    return edit


def branch(pointer: str, text: str) -> Edit:
    """A union has another branch, at its end."""

    def edit(new: SchemaText, _: SchemaText) -> SchemaText | None:
        node = new.at(pointer)
        if node is None:
            return None
        if not node.items:
            return new.replaced(node, f"[{new.source(node)}, {text}]")
        return new.with_item(node, len(node.items), text)

    return edit


def symbols(pointer: str, before: list[str]) -> Edit:
    """An enum has its earlier symbols again, each where it was."""

    def edit(new: SchemaText, _: SchemaText) -> SchemaText | None:
        for index, symbol in enumerate(before):
            node = new.at(f"{pointer}/symbols")
            if node is None:
                return None
            if symbol not in json.loads(new.source(node)):
                new = new.with_item(node, index, json.dumps(symbol))
        return new

    return edit


def alias(pointer: str, name: str) -> Edit:
    """A field or a named type has another alias."""

    def edit(new: SchemaText, _: SchemaText) -> SchemaText | None:
        node = new.at(pointer)
        if node is None or not node.members:
            return None
        aliases = node.members.get("aliases")
        if aliases is None:
            return new.with_member(node, "aliases", json.dumps([name]))
        return new.with_item(aliases, len(aliases.items), json.dumps(name))

    return edit


def as_before(old_pointer: str, pointer: str) -> Edit:
    """What is at a place is as it was."""

    def edit(new: SchemaText, old: SchemaText) -> SchemaText | None:
        before, node = old.at(old_pointer), new.at(pointer)
        return new.replaced(node, old.source(before)) if before and node else None

    return edit


def kept(old_pointer: str, pointer: str) -> Edit:
    """A field that was removed is there again, where it was."""

    def edit(new: SchemaText, old: SchemaText) -> SchemaText | None:
        before, fields = old.at(old_pointer), new.at(pointer.rpartition("/")[0])
        if before is None or fields is None:
            return None
        return new.with_item(fields, int(old_pointer.rpartition("/")[2]), old.source(before))

    return edit


def _with_null(text: SchemaText, pointer: str, *, first: bool) -> SchemaText | None:
    node = text.at(pointer)
    if node is None:
        return None
    others = [text.source(each) for each in _branches(node) if text.source(each) != _NULL]
    return text.replaced(node, f"[{', '.join([_NULL, *others] if first else [*others, _NULL])}]")


def _branches(node: Node) -> list[Node]:
    return node.items or [node]


_NULL = '"null"'
