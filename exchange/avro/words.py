"""Types and values in words that someone who does not know Avro reads: `text`, `whole number or null`."""

from __future__ import annotations

from typing import Any

import msgspec

_PRIMITIVES = {
    "null": "null",
    "boolean": "true or false",
    "int": "whole number",
    "long": "large whole number",
    "float": "number of low precision",
    "double": "number",
    "bytes": "bytes",
    "string": "text",
}
_LOGICAL = {
    ("int", "date"): "day",
    ("int", "time-millis"): "time of day, to the millisecond",
    ("long", "time-micros"): "time of day, to the microsecond",
    ("long", "timestamp-millis"): "moment, to the millisecond",
    ("long", "timestamp-micros"): "moment, to the microsecond",
    ("long", "local-timestamp-millis"): "local time, to the millisecond",
    ("long", "local-timestamp-micros"): "local time, to the microsecond",
    ("string", "uuid"): "UUID",
}
_MOST = 8
_LONGEST = 60


def type_in_words(raw: Any) -> str:
    """A resolved type: `day`, `list of text`, `one of MALE, FEMALE`, `decimal number (…) or null`."""
    if isinstance(raw, str):
        return _PRIMITIVES.get(raw) or f"record {_last(raw)}"
    if isinstance(raw, list):
        return _branches(raw)
    kind = raw["type"]
    if kind == "array":
        return f"list of {type_in_words(raw['items'])}"
    if kind == "map":
        return f"table of names and {type_in_words(raw['values'])}"
    return _scalar(raw) if kind in _PRIMITIVES or kind == "fixed" else _named(raw)


def value_in_words(value: Any) -> str:
    """A default or another attribute as JSON, never longer than a line."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def listed(names: list[str]) -> str:
    """Names in a sentence; many of them are counted."""
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def _branches(raw: list[Any]) -> str:
    """What may be there, null last."""
    others = [type_in_words(each) for each in raw if each != "null"]
    return " or ".join([*others, "null"] if "null" in raw else others) or "nothing"


def _scalar(raw: dict[str, Any]) -> str:
    kind, logical = raw["type"], raw.get("logicalType")
    if logical == "decimal" and kind in ("bytes", "fixed"):
        return f"decimal number ({raw.get('precision')} digits, {raw.get('scale', 0)} of them after the point)"
    if kind == "fixed":
        return f"{raw['size']} bytes"
    known = _LOGICAL.get((kind, logical)) if isinstance(logical, str) else None
    return known or _PRIMITIVES[kind]


def _named(raw: dict[str, Any]) -> str:
    if raw["type"] == "enum":
        return f"one of {listed(raw['symbols'])}"
    return f"record {_last(raw['name'])}"


def _last(full: str) -> str:
    return full.rpartition(".")[2]
