"""Schemas as Java writes them, byte for byte: the form in which Confluent's registry keeps and answers them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchange.avro.likeness import field_attributes, type_attributes
from exchange.avro.names import INSIDE, NAMED, PRIMITIVES, namespace_of
from exchange.avro.shape import definitions

_KINDS = PRIMITIVES | {"record", "enum", "array", "map", "union", "fixed"}
_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def text_of(raw: Any, known: Iterable[str] = ()) -> str:
    """What `Schema.toString` gives for a resolved schema whose types `known` are not to be written out."""
    names = set(known)
    return _Writer(names, definitions(raw) if names else {}).text(raw, "")


class _Writer:
    """Writes types depth first; the second time, a type is its name."""

    def __init__(self, known: set[str], definitions: Mapping[str, Any]) -> None:
        self._known = known
        self._definitions = definitions

    def text(self, schema: Any, namespace: str) -> str:
        if isinstance(schema, str):
            return self._name(schema, namespace)
        if isinstance(schema, list):
            return f"[{','.join([self.text(each, namespace) for each in schema])}]"
        kind = schema["type"]
        if kind in NAMED:
            return self._named(schema, namespace)
        attributes = _members(type_attributes(schema))
        if kind in INSIDE:
            inside = self.text(schema[INSIDE[kind]], namespace)
            return f'{{"type":"{kind}","{INSIDE[kind]}":{inside}{attributes}}}'
        return f'{{"type":"{kind}"{attributes}}}' if attributes else f'"{kind}"'

    def _name(self, name: str, namespace: str) -> str:
        """A name; or what it stands for, where that was written only inside a type that is not written out."""
        if name in PRIMITIVES:
            return f'"{name}"'
        if name in self._known or name not in self._definitions:
            return quoted(_qualified(name, namespace))
        return self._named(self._definitions[name], namespace)

    def _named(self, schema: dict[str, Any], namespace: str) -> str:
        full = schema["name"]
        if full in self._known:
            return quoted(_qualified(full, namespace))
        self._known.add(full)
        own = namespace_of(full)
        text = f'{{"type":"{schema["type"]}","name":{quoted(full[len(own) + 1 :] if own else full)}'
        if own != namespace:
            text += f',"namespace":{quoted(own)}'
        text += _doc(schema) + self._content(schema, own) + _members(type_attributes(schema))
        return text + _aliases(dict.fromkeys(_alias(each, own) for each in schema.get("aliases", ()))) + "}"

    def _content(self, schema: dict[str, Any], namespace: str) -> str:
        if schema["type"] == "fixed":
            return f',"size":{schema["size"]}'
        if schema["type"] != "enum":
            return f',"fields":[{",".join([self._field(each, namespace) for each in schema["fields"]])}]'
        default = schema.get("default")
        text = f',"symbols":[{",".join(map(quoted, schema["symbols"]))}]'
        return f'{text},"default":{quoted(default)}' if isinstance(default, str) else text

    def _field(self, field: dict[str, Any], namespace: str) -> str:
        text = f'{{"name":{quoted(field["name"])},"type":{self.text(field["type"], namespace)}{_doc(field)}'
        if "default" in field:
            text += f',"default":{_default(field)}'
        order = str(field.get("order", "ascending")).lower()
        if order != "ascending":
            text += f',"order":"{order}"'
        return text + _aliases(dict.fromkeys(field.get("aliases", ()))) + _members(field_attributes(field)) + "}"


def _qualified(full: str, namespace: str) -> str:
    """A name as it is written inside a namespace: short there, unless it could be taken for a type of Avro's."""
    own, _, name = full.rpartition(".")
    return name if own and own == namespace and name not in _KINDS else full


def _alias(alias: str, namespace: str) -> str:
    """Java writes an alias without a namespace without its dot."""
    return _qualified(alias.removeprefix("."), namespace)


def _doc(part: dict[str, Any]) -> str:
    doc = part.get("doc")
    return f',"doc":{quoted(doc)}' if isinstance(doc, str) else ""


def _aliases(aliases: Iterable[str]) -> str:
    text = ",".join(map(quoted, aliases))
    return f',"aliases":[{text}]' if text else ""


def _members(attributes: dict[str, Any]) -> str:
    return "".join([f",{quoted(key)}:{json_of(value)}" for key, value in attributes.items()])


def _default(field: dict[str, Any]) -> str:
    default, kind = field["default"], field["type"]
    if isinstance(default, str) and (kind if isinstance(kind, str) else "type" in kind and kind["type"]) in _DOUBLES:
        number = float(default.strip("\x00 fFdD") if "n" not in default else default)
        return quoted({"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[str(number)])
    return json_of(default)


_DOUBLES = ("float", "double")


def json_of(value: Any) -> str:
    """JSON as Java's parser writes what it has read."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{quoted(key)}:{json_of(each)}" for key, each in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_of, value)) + "]"
    if isinstance(value, float):
        return _double(value)
    return _WORDS[value] if value is None or isinstance(value, bool) else str(value)


_WORDS = {None: "null", True: "true", False: "false"}


def quoted(text: str) -> str:
    """A JSON text; control characters as Java escapes them."""
    if _ESCAPED.search(text) is None:
        return f'"{text}"'
    return '"' + _ESCAPED.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04X}", text) + '"'


def _double(number: float) -> str:
    """A double as Java writes it: 100.0, 1.0E7, 1.0E-5."""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        text = format(Decimal(repr(number)), "f")
        return text if "." in text else f"{text}.0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{int(exponent) + len(digits) - 1}"
