"""Whether a field's default is a value of the field's type, as the Avro specification encodes defaults in JSON.

`bytes` and `fixed` are text of the code points 0 to 255; a union's default may be of any of its branches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_INT = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)


def explain_default(value: Any, schema: Any, known: Mapping[str, Any]) -> str | None:
    """None where `value` is a default of the resolved `schema`, else the reason; `known` maps names to schemas."""
    if isinstance(schema, list):
        return _explain_union(value, schema, known)
    if isinstance(schema, str) and schema in known:
        schema = known[schema]
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in _CONTAINERS:
        return _CONTAINERS[kind](value, schema, known)
    return None if _SCALARS[kind](value, schema) else f"{_shown(value)} is no {kind}"


def _explain_union(value: Any, branches: list[Any], known: Mapping[str, Any]) -> str | None:
    if any(explain_default(value, branch, known) is None for branch in branches):
        return None
    return f"{_shown(value)} fits no branch of the union"


def _explain_array(value: Any, schema: Any, known: Mapping[str, Any]) -> str | None:
    if not isinstance(value, list):
        return f"{_shown(value)} is no array"
    reasons = (explain_default(each, schema["items"], known) for each in value)
    return next((each for each in reasons if each is not None), None)


def _explain_map(value: Any, schema: Any, known: Mapping[str, Any]) -> str | None:
    if not isinstance(value, dict):
        return f"{_shown(value)} is no map"
    reasons = (explain_default(each, schema["values"], known) for each in value.values())
    return next((each for each in reasons if each is not None), None)


def _explain_record(value: Any, schema: Any, known: Mapping[str, Any]) -> str | None:
    if not isinstance(value, dict):
        return f"{_shown(value)} is no record"
    for field in schema["fields"]:
        if field["name"] in value:
            reason = explain_default(value[field["name"]], field["type"], known)
        else:
            reason = None if "default" in field else f"field {field['name']!r} is missing"
        if reason is not None:
            return reason
    return None


_CONTAINERS: dict[str, Callable[[Any, Any, Mapping[str, Any]], str | None]] = {
    "array": _explain_array,
    "map": _explain_map,
    "record": _explain_record,
    "error": _explain_record,
}


def _is_int(value: Any, allowed: range) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in allowed


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_byte_text(value: Any) -> bool:
    return isinstance(value, str) and all(ord(each) < 256 for each in value)


_SCALARS: dict[str, Callable[[Any, Any], bool]] = {
    "null": lambda value, _: value is None,
    "boolean": lambda value, _: isinstance(value, bool),
    "int": lambda value, _: _is_int(value, _INT),
    "long": lambda value, _: _is_int(value, _LONG),
    "float": lambda value, _: _is_number(value),
    "double": lambda value, _: _is_number(value),
    "string": lambda value, _: isinstance(value, str),
    "bytes": lambda value, _: _is_byte_text(value),
    "fixed": lambda value, schema: _is_byte_text(value) and len(value) == schema["size"],
    "enum": lambda value, schema: value in schema["symbols"],
}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
