"""Python classes of a schema's types: a module's text (ADR 28). Pure: a schema in, text out, the same every time.

Each record is a frozen dataclass or msgspec struct with `to_dict()`, which is what `Publisher.add` takes, and
`from_dict()`, which takes an event's `data`; each enum a StrEnum; each duration a class of its three numbers. The
schema's own record has `__topic__` and `__schema__`, too.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from exchange.avro.generate_conversions import Conversions, is_conditional
from exchange.avro.generate_defaults import DefaultValues
from exchange.avro.generate_names import attribute_names, kind_of, member_names, quoted
from exchange.avro.generate_types import RECORDS, Types, is_duration
from exchange.avro.schema import Schema
from exchange.avro.shape import children
from exchange.errors import SchemaError

Style = Literal["dataclass", "msgspec"]
_WIDTH = 100
_TEXTS = re.compile(r'"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"')
_DATACLASS = "@dataclass(frozen=True, slots=True, kw_only=True)"
_IMPORTS = (
    ("dt.", "import datetime as dt"),
    ("struct.", "import struct"),
    ("Mapping[", "from collections.abc import Mapping"),
    ("@dataclass", "from dataclasses import dataclass"),
    ("Decimal", "from decimal import Decimal"),
    ("(StrEnum)", "from enum import StrEnum"),
    ("Any", "from typing import Any, ClassVar, Self"),
    ("UUID", "from uuid import UUID"),
    ("msgspec.", "import msgspec"),
)


def generate_classes(schema: Schema, *, source: str, topic: str, style: Style = "dataclass") -> str:
    """The text of a Python module with a class for each named type of a schema.

    `source` (a file's name) is named at its top. Raises SchemaError, with the code `schema_not_expressible`, where the
    schema is no record, has a union whose branches decode alike, or a default that Python has no value for.
    """
    if kind_of(schema.raw) not in RECORDS:
        raise SchemaError(
            f"{source}: only a record becomes a class, and the schema is of type {kind_of(schema.raw)}",
            code="schema_not_expressible",
        )
    return _Module(schema, topic, style).text(source)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    attribute: str
    raw: dict[str, Any]


class _Module:
    def __init__(self, schema: Schema, topic: str, style: Style) -> None:
        self._schema = schema
        self._topic = topic
        self._style = style
        self._types = Types(schema.raw)
        self._conversions = Conversions(self._types)
        self._defaults = DefaultValues(self._types)

    def text(self, source: str) -> str:
        classes = ["\n".join(self._class(each)) for each in _inner_first(self._schema.raw)]
        functions = ["\n".join(each.lines) for each in self._conversions.functions]
        constant = f'_SCHEMA = r"""{self._schema.text.strip()}"""'
        code = "\n\n\n".join([*classes[:-1], constant, classes[-1], *functions])
        gap = [""] if code.startswith("_SCHEMA") else ["", ""]
        return "\n".join([*self._head(source, code), *gap, code]) + "\n"

    def _head(self, source: str, code: str) -> Iterator[str]:
        yield f"# Generated from {source} by `exchange schema generate`: change the schema, and generate it again."
        yield "# fmt: off"
        yield "# ruff: noqa"
        yield f'"""Events of {self._topic}."""'
        yield ""
        yield "from __future__ import annotations"
        yield ""
        said = _TEXTS.sub("", code)
        wanted = [line for mark, line in _IMPORTS if mark in said]
        modules = [line for line in wanted if line.startswith("import ") and "msgspec" not in line]
        names = [line for line in wanted if line.startswith("from ")]
        if self._has_factories(code):
            names = [line.replace("import dataclass", "import dataclass, field") for line in names]
        yield from (line for line in (*modules, *names))
        if "import msgspec" in wanted:
            yield ""
            yield "import msgspec"

    def _has_factories(self, code: str) -> bool:
        return self._style == "dataclass" and "= field(default_factory" in code

    def _class(self, schema: Any) -> Iterator[str]:
        if kind_of(schema) == "enum":
            return self._enum(schema)
        return self._duration(schema) if is_duration(schema) else self._record(schema)

    def _enum(self, schema: Any) -> Iterator[str]:
        name, members = self._types.class_of(schema), member_names(schema["symbols"])
        yield f"class {name}(StrEnum):"
        yield from _doc(schema.get("doc") or f"Symbols of {schema['name']}.", 4)
        yield ""
        yield from (f"    {members[symbol]} = {quoted(symbol)}" for symbol in schema["symbols"])
        if "default" in schema:
            default = members[schema["default"]]
            yield ""
            yield "    @classmethod"
            yield f"    def _missing_(cls, value: object) -> {name}:"
            yield f'        """A symbol that a later version of the schema added reads as {default}."""'
            yield f"        return cls.{default}"

    def _duration(self, schema: Any) -> Iterator[str]:
        yield from self._heading(schema)
        yield from _doc(schema.get("doc") or "A duration: each part on its own, 0 to 2**32 - 1.", 4)
        yield ""
        yield from (f"    {part}: int" for part in ("months", "days", "milliseconds"))
        yield ""
        yield "    @classmethod"
        yield "    def from_bytes(cls, raw: bytes) -> Self:"
        yield '        """Read what an event\'s data have."""'
        yield '        months, days, milliseconds = struct.unpack("<III", raw)'
        yield "        return cls(months=months, days=days, milliseconds=milliseconds)"
        yield ""
        yield "    def to_bytes(self) -> bytes:"
        yield '        """What is encoded."""'
        yield '        return struct.pack("<III", self.months, self.days, self.milliseconds)'

    def _heading(self, schema: Any) -> Iterator[str]:
        name = self._types.class_of(schema)
        if self._style == "dataclass":
            yield _DATACLASS
            yield f"class {name}:"
        else:
            yield f"class {name}(msgspec.Struct, frozen=True, kw_only=True):"

    def _record(self, schema: Any) -> Iterator[str]:
        name = self._types.class_of(schema)
        attributes = attribute_names((each["name"] for each in schema["fields"]), self._types.classes.values())
        fields = [_Field(each["name"], attributes[each["name"]], each) for each in schema["fields"]]
        yield from self._heading(schema)
        yield from _doc(schema.get("doc") or f"A {schema['name']}.", 4)
        if schema is self._schema.raw:
            yield ""
            yield f"    __topic__: ClassVar[str] = {quoted(self._topic)}"
            yield "    __schema__: ClassVar[str] = _SCHEMA"
        for each in fields:
            yield ""
            yield f"    {each.attribute}: {self._types.annotation(each.raw['type'])}{self._default(each)}"
            if each.raw.get("doc"):
                yield from _doc(each.raw["doc"], 4)
        yield ""
        yield from self._from_dict(name, fields)
        yield ""
        yield from self._to_dict(name, fields)

    def _default(self, field: _Field) -> str:
        if "default" not in field.raw:
            return ""
        default, schema = field.raw["default"], field.raw["type"]
        value = self._defaults.expression(default, schema)
        if self._defaults.is_shared(default, schema):
            return f" = {value}"
        made = {"[]": "list", "{}": "dict"}.get(value, f"lambda: {value}")
        return f" = {'field' if self._style == 'dataclass' else 'msgspec.field'}(default_factory={made})"

    def _from_dict(self, name: str, fields: list[_Field]) -> Iterator[str]:
        yield "    @classmethod"
        yield "    def from_dict(cls, data: Mapping[str, Any]) -> Self:"
        yield '        """Read an event\'s data; what a later version of the schema added is left out."""'
        yield from _call("        return cls(", (f"{each.attribute}={self._read(name, each)}" for each in fields), ")")

    def _read(self, name: str, field: _Field) -> str:
        key = quoted(field.name)
        value = f"data[{key}]"
        read = self._conversions.read(field.raw["type"], value, f"{name}_{field.attribute}")
        if "default" not in field.raw:
            return read
        default = self._defaults.expression(field.raw["default"], field.raw["type"])
        if default == "None":
            if read == value:
                return f"data.get({key})"
            if is_conditional(read):
                return read.replace(f"if {value} is", f"if data.get({key}) is", 1)
        inside = f"({read})" if is_conditional(read) else read
        return f"{inside} if {key} in data else {default}"

    def _to_dict(self, name: str, fields: list[_Field]) -> Iterator[str]:
        yield "    def to_dict(self) -> dict[str, Any]:"
        yield '        """What `Publisher.add` takes."""'
        items = (
            f"{quoted(each.name)}: "
            + self._conversions.write(each.raw["type"], f"self.{each.attribute}", f"{name}_{each.attribute}")
            for each in fields
        )
        yield from _call("        return {", items, "}")


def _call(start: str, items: Iterable[str], end: str) -> Iterator[str]:
    """One line where all fits, else one line an item."""
    items = list(items)
    whole = start + ", ".join(items) + end
    if len(whole) <= _WIDTH:
        yield whole
        return
    yield start
    yield from (f"            {each}," for each in items)
    yield f"        {end}"


def _doc(text: str, indent: int) -> Iterator[str]:
    """A docstring: one paragraph, in lines."""
    words = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    safe = words.replace("\\", "\\\\").replace('"', "'") or "-"
    lines = textwrap.wrap(safe, _WIDTH - indent - 6, break_long_words=False, break_on_hyphens=False)
    lines[0] = f'"""{lines[0]}'
    if len(lines) == 1:
        lines[0] += '"""'
    else:
        lines.append('"""')
    yield from (" " * indent + each for each in lines)


def _inner_first(raw: Any) -> list[Any]:
    """Every named type that becomes a class, those inside a record before it."""
    found: list[Any] = []
    for child in children(raw):
        found += _inner_first(child)
    if isinstance(raw, dict) and (raw["type"] in RECORDS or raw["type"] == "enum" or is_duration(raw)):
        found.append(raw)
    return found
