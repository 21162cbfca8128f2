"""Whether two definitions of one name are the same to Java's parser: their docs and aliases may differ."""

from __future__ import annotations

from typing import Any

from exchange.avro.names import INSIDE, NAMED

_TYPE_WORDS = frozenset({"doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"})
_FIELD_WORDS = frozenset({"default", "doc", "name", "order", "type", "aliases"})


def type_attributes(schema: dict[str, Any]) -> dict[str, Any]:
    """What a type carries that Avro gives no meaning to (and its logical type), in order."""
    words = _TYPE_WORDS | {"default"} if schema["type"] == "enum" else _TYPE_WORDS
    return {key: value for key, value in schema.items() if key not in words}


def field_attributes(field: dict[str, Any]) -> dict[str, Any]:
    """The same for a field."""
    return {key: value for key, value in field.items() if key not in _FIELD_WORDS}


def same_definition(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two resolved definitions of the same name are alike."""
    return bool(_definition(one) == _definition(other))


def _definition(schema: dict[str, Any]) -> Any:
    kind = "record" if schema["type"] == "error" else schema["type"]
    fields = [_field(each) for each in schema["fields"]] if kind == "record" else None
    return kind, fields, *(schema.get(key) if kind == at else None for key, at in _CONTENT), type_attributes(schema)


_CONTENT = (("symbols", "enum"), ("size", "fixed"))


def _field(field: dict[str, Any]) -> Any:
    default = (field["default"],) if "default" in field else ()
    order = str(field.get("order", "ascending")).lower()
    return field["name"], _type(field["type"]), default, order, field_attributes(field)


def _type(schema: Any) -> Any:
    """A type by its name where it has one: two that are written out under one name have been found alike before."""
    if isinstance(schema, list):
        return [_type(each) for each in schema]
    if isinstance(schema, str):
        return schema
    if schema["type"] in NAMED:
        return schema["name"]
    inside, attributes = INSIDE.get(schema["type"]), type_attributes(schema)
    if inside:
        return schema["type"], _type(schema[inside]), attributes
    return (schema["type"], attributes) if attributes else schema["type"]
