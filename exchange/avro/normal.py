"""The form that Confluent's registry gives a schema that is registered with `normalize=true`.

Names are full, attributes sorted, aliases sorted, defaults as the field's type has them, docs kept (but empty ones of
types), `error` a `record`. What the schema refers to stays a name. The result is written as Java writes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from exchange.avro.likeness import field_attributes, type_attributes
from exchange.avro.names import INSIDE, NAMED
from exchange.avro.shape import definitions, is_decimal

_NOTHING = object()
_FLOAT = struct.Struct("<f")


def normal_form(raw: Any, referenced: Iterable[str]) -> Any:
    """The resolved schema in normal form; a type of the names `referenced` is its name."""
    return _Normal(definitions(raw), referenced).type(raw)


class _Normal:
    def __init__(self, known: dict[str, Any], referenced: Iterable[str]) -> None:
        self._known = known
        self._done = set(referenced)

    def type(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self.type(each) for each in schema]
        if isinstance(schema, str):
            return self.type(self._known[schema]) if schema in self._known and schema not in self._done else schema
        kind = schema["type"]
        if kind in NAMED:
            return self._named(schema)
        if kind in INSIDE:
            return {"type": kind, INSIDE[kind]: self.type(schema[INSIDE[kind]]), **_sorted(type_attributes(schema))}
        attributes = _logical(schema) | _sorted(type_attributes(schema))
        return {"type": kind, **attributes} if attributes else kind

    def _named(self, schema: dict[str, Any]) -> Any:
        full, kind = schema["name"], schema["type"]
        if full in self._done:
            return full
        self._done.add(full)
        made: dict[str, Any] = {"name": full, "type": "record" if kind == "error" else kind}
        if kind == "enum":
            made["symbols"] = schema["symbols"]
        elif kind == "fixed":
            made |= {"size": schema["size"], **_logical(schema)}
        else:
            made["fields"] = [self._field(each) for each in schema["fields"]]
        if isinstance(schema.get("doc"), str) and schema["doc"]:
            made["doc"] = schema["doc"]
        made |= _aliases(schema)
        if kind == "enum" and isinstance(schema.get("default"), str):
            made["default"] = schema["default"]
        return made | _sorted(type_attributes(schema))

    def _field(self, field: dict[str, Any]) -> dict[str, Any]:
        made = {"name": field["name"], "type": self.type(field["type"])}
        made |= {key: field[key] for key in ("order", "doc") if isinstance(field.get(key), str)}
        made |= _aliases(field)
        if "default" in field:
            default = self._default(field["default"], field["type"])
            made |= {} if default is _NOTHING else {"default": default}
        return made | _sorted(field_attributes(field))

    def _default(self, value: Any, schema: Any) -> Any:
        """A default by its type: by the first of a union, as Java has it, which drops what is of another."""
        if isinstance(schema, list):
            return self._default(value, schema[0]) if schema else value
        schema = self._known.get(schema, schema) if isinstance(schema, str) else schema
        kind = schema if isinstance(schema, str) else schema["type"]
        if isinstance(value, dict):
            return {key: self._inside(value[key], self._of_key(schema, kind, key)) for key in sorted(value)}
        if isinstance(value, list):
            return [self._inside(each, schema["items"] if kind == "array" else None) for each in value]
        if value is None or isinstance(value, bool):
            return value
        return _scalar(value, kind)

    def _inside(self, value: Any, schema: Any) -> Any:
        made = sorted_deep(value) if schema is None else self._default(value, schema)
        return None if made is _NOTHING else made

    def _of_key(self, schema: Any, kind: str, key: str) -> Any:
        if kind == "map":
            return schema["values"]
        fields = schema["fields"] if kind in ("record", "error") else []
        return next((field["type"] for field in fields if field["name"] == key), None)


def _scalar(value: Any, kind: str) -> Any:
    if isinstance(value, str):
        return value if kind in ("string", "enum", "bytes", "fixed", "float", "double") else _NOTHING
    if isinstance(value, int) and kind in ("int", "long"):
        return value
    if kind == "double":
        return float(value)
    return _short_float(value) if kind == "float" else _NOTHING


def _short_float(value: float) -> float:
    """The shortest number that is the same as a `float` of 32 bits."""
    try:
        packed = _FLOAT.pack(value)
    except OverflowError:
        return float(value)
    texts = (f"{_FLOAT.unpack(packed)[0]:.{digits}g}" for digits in range(1, 10))
    return next(float(text) for text in texts if _FLOAT.pack(float(text)) == packed)


def _logical(schema: dict[str, Any]) -> dict[str, Any]:
    """A logical type goes before other attributes, where Avro knows it for this type."""
    logical = schema.get("logicalType")
    if is_decimal(schema):
        scale = {"scale": schema["scale"]} if schema.get("scale") else {}
        return {"logicalType": logical, "precision": schema["precision"], **scale}
    known = isinstance(logical, str) and _TYPES.get(logical) == (
        schema["type"],
        schema["size"] if schema["type"] == "fixed" else None,
    )
    return {"logicalType": logical} if known or (logical, schema["type"]) == ("uuid", "string") else {}


_TYPES: dict[str, tuple[str, int | None]] = {
    "uuid": ("fixed", 16),
    "duration": ("fixed", 12),
    "date": ("int", None),
    "time-millis": ("int", None),
    "big-decimal": ("bytes", None),
    "time-micros": ("long", None),
    "timestamp-millis": ("long", None),
    "timestamp-micros": ("long", None),
    "timestamp-nanos": ("long", None),
    "local-timestamp-millis": ("long", None),
    "local-timestamp-micros": ("long", None),
    "local-timestamp-nanos": ("long", None),
}
"""The logical types that Java's library knows, and what of."""


def _aliases(part: dict[str, Any]) -> dict[str, Any]:
    aliases = sorted(set(part.get("aliases", ())))
    return {"aliases": aliases} if aliases else {}


def _sorted(attributes: dict[str, Any]) -> dict[str, Any]:
    return {key: sorted_deep(attributes[key]) for key in sorted(attributes)}


def sorted_deep(value: Any) -> Any:
    """JSON with the keys of all objects in order."""
    if isinstance(value, dict):
        return {key: sorted_deep(value[key]) for key in sorted(value)}
    return [sorted_deep(each) for each in value] if isinstance(value, list) else value
