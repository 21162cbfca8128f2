"""Why a value does not fit its schema: the path to the first thing wrong, what is there, what was expected.

Walked only after a check has failed; the message never holds the value itself, for it may be personal data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchange.avro.checks import compile_check
from exchange.avro.shape import definitions


def explain_value(value: Any, schema: Any) -> str:
    """One line: path, and the expected and the actual type; for values that do not fit the resolved `schema`."""
    known = definitions(schema)
    return next(_Walk(known).reasons(value, schema, ""), "the value cannot be written as its schema says")


class _Walk:
    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known

    def reasons(self, value: Any, schema: Any, path: str) -> Iterator[str]:
        schema = self._written_out(schema)
        if isinstance(schema, list):
            yield from self._union(value, schema, path)
        elif isinstance(schema, dict) and schema["type"] in _WALKERS:
            yield from _WALKERS[schema["type"]](self, value, schema, path)
        elif not compile_check(schema)(value):
            yield _reason(path, value, schema)

    def _written_out(self, schema: Any) -> Any:
        return self.known.get(schema, schema) if isinstance(schema, str) else schema

    def _union(self, value: Any, branches: list[Any], path: str) -> Iterator[str]:
        others = [branch for branch in branches if branch != "null"]
        if len(others) == 1 and value is not None:
            yield from self.reasons(value, others[0], path)
        elif all(next(self.reasons(value, branch, path), None) is not None for branch in branches):
            yield _reason(path, value, branches)

    def _record(self, value: Any, schema: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield _reason(path, value, schema)
            return
        names = [field["name"] for field in schema["fields"]]
        for field in schema["fields"]:
            place = f"{path}/{field['name']}"
            if field["name"] in value:
                yield from self.reasons(value[field["name"]], field["type"], place)
            elif "default" not in field:
                yield f"{place}: is missing and has no default: expected {describe(field['type'])}"
        for key in value:
            if key not in names:
                yield f"{path}/{_name(key)}: is not a field of {schema['name']}, which has {', '.join(names) or 'none'}"

    def _array(self, value: Any, schema: Any, path: str) -> Iterator[str]:
        if not isinstance(value, (list, tuple)):
            yield _reason(path, value, schema)
            return
        for i, each in enumerate(value):
            yield from self.reasons(each, schema["items"], f"{path}/{i}")

    def _map(self, value: Any, schema: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield _reason(path, value, schema)
            return
        for key, each in value.items():
            if not isinstance(key, str):
                yield f"{path or '/'}: a map's keys are text, one is {_python_type(key)}"
            yield from self.reasons(each, schema["values"], f"{path}/*")


_WALKERS = {"record": _Walk._record, "error": _Walk._record, "array": _Walk._array, "map": _Walk._map}


def describe(schema: Any) -> str:
    """A type in a few words: `string`, `long (timestamp-millis)`, `enum x.Kind of urban, rural`, `null or string`."""
    if isinstance(schema, list):
        return " or ".join(describe(each) for each in schema) or "nothing (an empty union)"
    if isinstance(schema, str):
        return schema
    kind = str(schema["type"])
    name = f"{kind} {schema['name']}" if "name" in schema and kind in ("record", "error", "enum", "fixed") else kind
    if kind == "enum":
        return f"{name} of {_shortened(schema['symbols'])}"
    if kind == "fixed":
        name = f"{name} of {schema['size']} bytes"
    if kind in ("array", "map"):
        return f"{kind} of {describe(schema['items' if kind == 'array' else 'values'])}"
    return f"{name} ({_logical(schema)})" if "logicalType" in schema else name


def _logical(schema: Any) -> str:
    if schema["logicalType"] == "decimal":
        return f"decimal, {schema.get('precision')} digits, {schema.get('scale', 0)} after the point"
    return str(schema["logicalType"])


def _shortened(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _reason(path: str, value: Any, schema: Any) -> str:
    got = _python_type(value)
    if not isinstance(value, bool) and isinstance(value, _NUMBERS.get(_kind(schema), ())):
        got += " out of range"
    return f"{path or '/'}: expected {describe(schema)}, got {got}"


def _kind(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _python_type(value: Any) -> str:
    if value is None:
        return "null"
    kind = _NAMES.get(type(value), type(value).__name__)
    return kind + _why(value)


def _why(value: Any) -> str:
    """What the type alone does not say: a number out of range, bytes of another length, a time without a zone."""
    if isinstance(value, (bytes, bytearray)):
        return f" of {len(value)} bytes"
    if hasattr(value, "tzinfo") and value.tzinfo is None:
        return " without a time zone"
    return ""


def _name(key: Any) -> str:
    return key if isinstance(key, str) else repr(type(key).__name__)


_NUMBERS: dict[str, tuple[type, ...]] = {"int": (int,), "long": (int,), "float": (int, float), "double": (int,)}
_NAMES: dict[type, str] = {
    bool: "boolean",
    int: "whole number",
    float: "number",
    str: "text",
    bytes: "bytes",
    list: "array",
    tuple: "array",
    dict: "object",
}
