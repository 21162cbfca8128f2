"""A schema file's text, changed in places: everything else stays as its writer laid it out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_SPACE = re.compile(r"\s*")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,\]}]+', re.S)


@dataclass(slots=True)
class Node:
    """A value in the text: where it is, and what is inside; `keys` has where each member's name begins."""

    start: int
    end: int = 0
    members: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)


class SchemaText:
    """A schema's JSON text, which is known to be JSON. Every change gives a new one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._root = _Scanner(text).value(_skip(text, 0))

    def at(self, pointer: str) -> Node | None:
        """The value at a pointer into the resolved schema; None where the text has a name there, not the type."""
        node: Node | None = self._root
        for token in pointer.split("/")[1:]:
            if node is None:
                return None
            node = node.members.get(token) or (_item(node.items, token) if node.items else None)
        return node

    def source(self, node: Node) -> str:
        """A value as it is written."""
        return self.text[node.start : node.end]

    def replaced(self, node: Node, text: str) -> SchemaText:
        """With another value there."""
        return SchemaText(self.text[: node.start] + text + self.text[node.end :])

    def with_member(self, node: Node, name: str, text: str) -> SchemaText:
        """With an object's member set: where it is, or after the last one."""
        if name in node.members:
            return self.replaced(node.members[name], text)
        last = list(node.members.values())[-1]
        gap = self._gap(list(node.members.values()), list(node.keys.values()), node)
        return self._inserted(last.end, f"{gap}{json.dumps(name)}: {text}")

    def with_item(self, node: Node, index: int, text: str) -> SchemaText:
        """With another item in an array, before the one at `index` or at the end."""
        if not node.items:
            return self.replaced(node, f"[{text}]")
        gap = self._gap(node.items, [each.start for each in node.items], node)
        if index < len(node.items):
            return self._inserted(node.items[index].start, text + gap)
        return self._inserted(node.items[-1].end, gap + text)

    def _inserted(self, place: int, text: str) -> SchemaText:
        return SchemaText(self.text[:place] + text + self.text[place:])

    def _gap(self, values: Sequence[Node], starts: Sequence[int], node: Node) -> str:
        """What stands between two of them; where there is one alone, what stands before it."""
        if len(values) > 1:
            return self.text[values[-2].end : starts[-1]]
        before = self.text[node.start + 1 : starts[0]]
        return "," + (before if "\n" in before else " ")


def _item(items: list[Node], token: str) -> Node | None:
    return items[int(token)] if token.isdigit() and int(token) < len(items) else None


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text

    def value(self, place: int) -> Node:
        opening = self._text[place]
        if opening == "{":
            return self._object(Node(place))
        if opening == "[":
            return self._array(Node(place))
        return Node(place, self._end(place))

    def _end(self, place: int) -> int:
        match = _SCALAR.match(self._text, place)
        return match.end() if match else place

    def _object(self, node: Node) -> Node:
        place = _skip(self._text, node.start + 1)
        while self._text[place] != "}":
            after = self._end(place)
            name = json.loads(self._text[place:after])
            node.keys[name] = place
            node.members[name] = self.value(_skip(self._text, _skip(self._text, after) + 1))
            place = self._next(node.members[name])
        node.end = place + 1
        return node

    def _array(self, node: Node) -> Node:
        place = _skip(self._text, node.start + 1)
        while self._text[place] != "]":
            node.items.append(self.value(place))
            place = self._next(node.items[-1])
        node.end = place + 1
        return node

    def _next(self, node: Node) -> int:
        """Where the next member or item begins, or the end of what they are in."""
        place = _skip(self._text, node.end)
        return _skip(self._text, place + 1) if self._text[place] == "," else place
