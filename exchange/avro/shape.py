"""What a resolved schema is like: recursive, weightless; and its defaults as Python values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from exchange.avro.defaults import Defaults
from exchange.avro.names import INSIDE, NAMED


def children(schema: Any) -> Iterator[Any]:
    """The schemas directly inside a resolved schema."""
    if isinstance(schema, list):
        yield from schema
    elif isinstance(schema, dict):
        kind = schema["type"]
        if kind in ("array", "map"):
            yield schema["items" if kind == "array" else "values"]
        elif kind in ("record", "error"):
            yield from (field["type"] for field in schema["fields"])


def definitions(schema: Any) -> dict[str, Any]:
    """Every named type that a resolved schema writes out, by full name."""
    found: dict[str, Any] = {}
    if isinstance(schema, dict) and schema["type"] in NAMED:
        found[schema["name"]] = schema
    for child in children(schema):
        found |= definitions(child)
    return found


def is_recursive(schema: Any, inside: frozenset[str] = frozenset()) -> bool:
    """Whether a type holds itself, so that a value may nest without end."""
    if isinstance(schema, str):
        return schema in inside
    if isinstance(schema, dict) and schema["type"] in NAMED:
        inside |= {schema["name"]}
    return any(is_recursive(child, inside) for child in children(schema))


def has_weightless_items(schema: Any) -> bool:
    """Whether there is an array whose items take no bytes: its length is then bounded by nothing."""
    weights = _Weights(definitions(schema))
    return any(weights.is_weightless(each["items"]) for each in _arrays(schema))


def _arrays(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict) and schema["type"] == "array":
        yield schema
    for child in children(schema):
        yield from _arrays(child)


class _Weights:
    """Which types take no bytes; each named type is looked at once. One that holds itself, and nothing else, is one."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known
        self._found: dict[str, bool] = {}

    def is_weightless(self, schema: Any) -> bool:
        if isinstance(schema, str):
            schema = self._known.get(schema, schema)
        kind = schema if isinstance(schema, str) else "union" if isinstance(schema, list) else schema["type"]
        if kind not in ("record", "error"):
            return kind == "null" or (kind == "fixed" and schema["size"] == 0)
        name = schema["name"]
        if name not in self._found:
            self._found[name] = True
            self._found[name] = all(self.is_weightless(each["type"]) for each in schema["fields"])
        return self._found[name]


def is_decimal(schema: Mapping[str, Any]) -> bool:
    """Whether a type of bytes is a decimal number; of a precision or scale that cannot be it is bytes (as in Java)."""
    if schema.get("logicalType") != "decimal" or schema["type"] not in ("bytes", "fixed"):
        return False
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if type(precision) is not int or type(scale) is not int or not 0 <= scale <= precision < 2**31 or not precision:
        return False
    return schema["type"] == "bytes" or bool(precision <= math.floor(math.log10(2) * (8 * schema["size"] - 1)))


def without_wrong_defaults(schema: Any) -> Any:
    """The same schema without the defaults that are of another type than their field."""
    return _cleaned(schema, Defaults(definitions(schema)))


def _cleaned(schema: Any, defaults: Defaults) -> Any:
    if isinstance(schema, list):
        return [_cleaned(each, defaults) for each in schema]
    if isinstance(schema, str):
        return schema
    if schema["type"] in INSIDE:
        inside = INSIDE[schema["type"]]
        return {**schema, inside: _cleaned(schema[inside], defaults)}
    if schema["type"] not in ("record", "error"):
        return schema
    return {**schema, "fields": [_cleaned_field(each, defaults) for each in schema["fields"]]}


def _cleaned_field(field: dict[str, Any], defaults: Defaults) -> dict[str, Any]:
    cleaned = {**field, "type": _cleaned(field["type"], defaults)}
    if "default" in field and defaults.explain(field["default"], field["type"]) is not None:
        del cleaned["default"]
    return cleaned


def with_python_defaults(schema: Any) -> Any:
    """The same schema with each default as the value that is written: `bytes` and `fixed` are bytes, not text."""
    return _convert(schema, definitions(schema))


def qualified(name: str) -> str:
    """A full name that no enclosing namespace is put before: libraries cannot name the empty namespace inside one."""
    return name if "." in name else f"_.{name}"


def _convert(schema: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_convert(each, known) for each in schema]
    if isinstance(schema, str):
        return qualified(schema) if schema in known else schema
    changed = {key: _convert(schema[key], known) for key in ("items", "values") if key in schema}
    if schema["type"] in ("record", "error"):
        changed["fields"] = [_convert_field(each, known) for each in schema["fields"]]
    if schema["type"] in NAMED:
        changed["name"] = qualified(schema["name"])
    dropped = {"namespace", "logicalType"} if _is_wrong_decimal(schema) else {"namespace"}
    if schema["type"] == "enum":
        dropped.add("default")  # for readers of other schemas only
        changed["symbols"] = list(schema["symbols"])
    return {key: value for key, value in schema.items() if key not in dropped} | changed


def _is_wrong_decimal(schema: Mapping[str, Any]) -> bool:
    return schema.get("logicalType") == "decimal" and not is_decimal(schema)


def _convert_field(field: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    converted = {**field, "type": _convert(field["type"], known)}
    if "default" in field:
        converted["default"] = _value_of(field["default"], field["type"], known)
    return converted


def _value_of(default: Any, schema: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        schema = next(each for each in schema if Defaults(known).explain(default, each) is None)
    schema = known.get(schema, schema) if isinstance(schema, str) else schema
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in ("float", "double"):
        return float(default)  # text, where it is not finite
    if kind in ("bytes", "fixed"):
        return default.encode("latin-1")
    if kind == "array":
        return [_value_of(each, schema["items"], known) for each in default]
    if kind == "map":
        return {key: _value_of(each, schema["values"], known) for key, each in default.items()}
    if kind in ("record", "error"):
        types = {field["name"]: field["type"] for field in schema["fields"]}
        return {key: _value_of(each, types[key], known) for key, each in default.items() if key in types}
    return default
