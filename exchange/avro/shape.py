"""What a resolved schema is like: recursive, weightless; and its defaults as Python values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.avro.defaults import Defaults

_NAMED = frozenset({"record", "error", "enum", "fixed"})


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
    if isinstance(schema, dict) and schema["type"] in _NAMED:
        found[schema["name"]] = schema
    for child in children(schema):
        found |= definitions(child)
    return found


def is_recursive(schema: Any, inside: frozenset[str] = frozenset()) -> bool:
    """Whether a type holds itself, so that a value may nest without end."""
    if isinstance(schema, str):
        return schema in inside
    if isinstance(schema, dict) and schema["type"] in _NAMED:
        inside |= {schema["name"]}
    return any(is_recursive(child, inside) for child in children(schema))


def has_weightless_items(schema: Any) -> bool:
    """Whether there is an array whose items take no bytes: its length is then bounded by nothing."""
    known = definitions(schema)
    return any(_is_weightless(each["items"], known, frozenset()) for each in _arrays(schema))


def _arrays(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict) and schema["type"] == "array":
        yield schema
    for child in children(schema):
        yield from _arrays(child)


def _is_weightless(schema: Any, known: Mapping[str, Any], inside: frozenset[str]) -> bool:
    if isinstance(schema, str):
        if schema in inside:
            return True
        inside |= {schema}
        schema = known.get(schema, schema)
    kind = schema if isinstance(schema, str) else "union" if isinstance(schema, list) else schema["type"]
    if kind in ("record", "error"):
        return all(_is_weightless(field["type"], known, inside | {schema["name"]}) for field in schema["fields"])
    return kind == "null" or (kind == "fixed" and schema["size"] == 0)


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
    if schema["type"] in _NAMED:
        changed["name"] = qualified(schema["name"])
    return {key: value for key, value in schema.items() if key != "namespace"} | changed


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
