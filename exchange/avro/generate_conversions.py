"""Expressions that turn decoded data into attributes, and attributes into what is encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchange.avro.generate_names import kind_of
from exchange.avro.generate_types import RECORDS, Function, Types, key_set


class Conversions:
    """Expressions for one module; `functions` are what they call."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self.functions: list[Function] = []

    def read(self, schema: Any, value: str, place: str) -> str:
        """The attribute of decoded data; `place` (`Class_attribute`) names a function, where it takes one."""
        schema = self._types.written_out(schema)
        kind = kind_of(schema)
        if self._types.is_plain(schema):
            if kind == "union":
                self._types.require_distinct(schema, place)
            return value
        if kind == "union":
            return self._union(schema, value, place, "read")
        if kind == "array":
            each = _variable(value)
            return f"[{self.read(schema['items'], each, place)} for {each} in {value}]"
        if kind == "map":
            each = _variable(value)
            return f"{{key: {self.read(schema['values'], each, place)} for key, {each} in {value}.items()}}"
        made = self._types.class_of(schema)
        return f"{made}({value})" if kind == "enum" else f"{made}.{_FROM[kind]}({value})"

    def write(self, schema: Any, value: str, place: str) -> str:
        """What is encoded of an attribute."""
        schema = self._types.written_out(schema)
        kind = kind_of(schema)
        if self._types.is_plain(schema):
            return value
        if kind == "union":
            return self._union(schema, value, place, "write")
        if kind == "array":
            each = _variable(value)
            return f"[{self.write(schema['items'], each, place)} for {each} in {value}]"
        if kind == "map":
            each = _variable(value)
            return f"{{key: {self.write(schema['values'], each, place)} for key, {each} in {value}.items()}}"
        return f"{value}.{_TO[kind]}"

    def _union(self, branches: list[Any], value: str, place: str, direction: str) -> str:
        self._types.require_distinct(branches, place)
        others = [each for each in branches if each != "null"]
        if len(others) == 1:
            convert = self.read if direction == "read" else self.write
            inner = convert(others[0], value, place) if len(branches) > 1 else None
            return f"None if {value} is None else {inner}" if inner else convert(others[0], value, place)
        name = f"_{direction}_{place}"
        while any(each.name == name for each in self.functions):
            name += "_"
        self.functions.append(Function(name, ()))
        lines = self._read_lines(others, place) if direction == "read" else self._write_lines(others, place)
        body = tuple(self._function(name, branches, direction, list(lines)))
        self.functions = [Function(name, body) if each.name == name else each for each in self.functions]
        return f"{name}({value})"

    def _function(self, name: str, branches: list[Any], direction: str, lines: list[str]) -> Iterator[str]:
        annotation = self._types.annotation(branches)
        if direction == "read":
            yield f"def {name}(value: Any) -> {annotation}:"
            yield from lines
            yield f"    rest: {annotation} = value"
            yield "    return rest"
        else:
            yield f"def {name}(value: {annotation}) -> Any:"
            yield from lines
            yield "    return value"

    def _read_lines(self, branches: list[Any], place: str) -> Iterator[str]:
        written = [self._types.written_out(each) for each in branches]
        texts = [each for each in written if self._types.annotation(each) == "str" or kind_of(each) == "enum"]
        records = [each for each in written if kind_of(each) in RECORDS]
        for each in written:
            if self._types.is_plain(each):
                continue
            yield f"    if {self._reads(each, len(texts) > 1, len(records) > 1)}:"
            yield f"        return {self.read(each, 'value', place)}"

    def _reads(self, schema: Any, other_texts: bool, other_records: bool) -> str:
        """What a decoded value of this branch, and of no other, is like."""
        kind = kind_of(schema)
        if kind == "enum":
            member = f" and value in {self._types.class_of(schema)}.__members__.values()"
            return "isinstance(value, str)" + (member if other_texts else "")
        if kind in RECORDS:
            return "isinstance(value, dict)" + (f" and value.keys() == {key_set(schema)}" if other_records else "")
        return f"isinstance(value, {_DECODED[kind]})"

    def _write_lines(self, branches: list[Any], place: str) -> Iterator[str]:
        for each in map(self._types.written_out, branches):
            if not self._types.is_plain(each):
                kind = kind_of(each)
                known = _DECODED[kind] if kind in ("array", "map") else self._types.class_of(each)
                yield f"    if isinstance(value, {known}):"
                yield f"        return {self.write(each, 'value', place)}"


def is_conditional(expression: str) -> bool:
    """Whether an expression of `read` has to stand in parentheses inside another."""
    return expression.startswith("None if ")


def _variable(value: str) -> str:
    """The variable of a loop over `value`: another one inside a loop."""
    depth = int(value[4:] or 1) + 1 if value.startswith("each") else 1
    return "each" if depth == 1 else f"each{depth}"


_FROM = {"record": "from_dict", "error": "from_dict", "fixed": "from_bytes"}
_TO = {"record": "to_dict()", "error": "to_dict()", "fixed": "to_bytes()", "enum": "value"}
_DECODED = {"array": "list", "map": "dict", "fixed": "bytes"}
