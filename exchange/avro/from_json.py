"""Values of a schema written as JSON, as people and `exchange topic tail -o json` write them.

| Avro | JSON |
|---|---|
| null, boolean, string, enum | null, true or false, text, the symbol |
| int, long; float, double | a number |
| bytes, fixed, duration | text: base64 (RFC 4648, with padding) |
| date, time-*, timestamp-*, local-timestamp-* | text: ISO 8601; a timestamp with its zone, a local one without |
| decimal | text (`"12.50"`) or a number |
| uuid | text of 36 characters |
| array, map, record | array, object, object |

A union takes the first of its branches that the value is one of.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from exchange.avro.names import INSIDE
from exchange.avro.schema import Schema
from exchange.avro.shape import definitions, is_decimal
from exchange.avro.words import type_in_words
from exchange.errors import ValueInvalid


def parse_json(text: str) -> Any:
    """What a JSON text says; numbers with a point are Decimals, so that none is changed. Raises ValueInvalid."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise ValueInvalid(f"not JSON: {reason}") from None


class JsonValues:
    """Turns JSON into values of one schema."""

    def __init__(self, schema: Schema) -> None:
        self._raw = schema.raw
        self._known = definitions(schema.raw)

    def value(self, given: Any) -> Any:
        """The value; raises ValueInvalid with the path, what is expected and what kind of JSON is there."""
        try:
            return self._value(given, self._raw, "")
        except RecursionError:
            raise ValueInvalid("/: the value is nested too deep") from None

    def _value(self, given: Any, schema: Any, path: str) -> Any:
        schema = self._known.get(schema, schema) if isinstance(schema, str) else schema
        if isinstance(schema, list):
            return self._branch(given, schema, path)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("record", "error"):
            return self._record(given, schema, path)
        if kind in INSIDE:
            return self._inside(given, schema, path)
        try:
            return _scalar(given, schema, kind)
        except (ValueError, InvalidOperation):
            raise _mismatch(given, schema, path) from None

    def _branch(self, given: Any, branches: list[Any], path: str) -> Any:
        others = [each for each in branches if each != "null"]
        if len(others) == 1 and given is not None:
            return self._value(given, others[0], path)
        for each in branches:
            try:
                return self._value(given, each, path)
            except ValueInvalid:
                continue
        raise _mismatch(given, branches, path)

    def _record(self, given: Any, schema: Any, path: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise _mismatch(given, schema, path)
        fields = {field["name"]: field for field in schema["fields"]}
        for name, field in fields.items():
            if name not in given and "default" not in field:
                raise ValueInvalid(f"{path}/{name}: is missing and has no default: expected {_words(field['type'])}")
        for name in given:
            if name not in fields:
                raise ValueInvalid(f"{path}/{name}: is not a field of {schema['name']}, which has {', '.join(fields)}")
        return {name: self._value(each, fields[name]["type"], f"{path}/{name}") for name, each in given.items()}

    def _inside(self, given: Any, schema: Any, path: str) -> Any:
        if schema["type"] == "array" and isinstance(given, list):
            return [self._value(each, schema["items"], f"{path}/{i}") for i, each in enumerate(given)]
        if schema["type"] == "map" and isinstance(given, dict):
            return {key: self._value(each, schema["values"], f"{path}/*") for key, each in given.items()}
        raise _mismatch(given, schema, path)


def _scalar(given: Any, schema: Any, kind: str) -> Any:
    """A value of a type that holds no other; raises ValueError or InvalidOperation."""
    if isinstance(schema, dict):
        if is_decimal(schema):
            return _decimal(given)
        convert = _LOGICAL.get((kind, str(schema.get("logicalType"))))
        if convert is not None and isinstance(given, str):
            return convert(given)
        if kind == "enum":
            return _one_of(given, given in schema["symbols"] if isinstance(given, str) else False)
        if kind == "fixed":
            raw = _bytes(given)
            return _one_of(raw, len(raw) == schema["size"])
    return _PRIMITIVES[kind](given)


def _one_of(given: Any, fits: bool) -> Any:
    if not fits:
        raise ValueError
    return given


def _number(given: Any) -> float:
    return float(_one_of(given, isinstance(given, (int, Decimal)) and not isinstance(given, bool)))


def _whole(limit: int) -> Callable[[Any], int]:
    return lambda given: int(
        _one_of(given, isinstance(given, int) and not isinstance(given, bool) and -limit <= given < limit)
    )


def _decimal(given: Any) -> Decimal:
    number = Decimal(_one_of(given, isinstance(given, (str, int, Decimal)) and not isinstance(given, bool)))
    return Decimal(_one_of(number, number.is_finite()))


def _bytes(given: Any) -> bytes:
    return base64.b64decode(_one_of(given, isinstance(given, str)), validate=True)


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return _one_of(moment, moment.tzinfo is not None)  # type: ignore[no-any-return]


def _local(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return _one_of(moment, moment.tzinfo is None)  # type: ignore[no-any-return]


_PRIMITIVES: Mapping[str, Callable[[Any], Any]] = {
    "null": lambda given: _one_of(given, given is None),
    "boolean": lambda given: _one_of(given, isinstance(given, bool)),
    "int": _whole(2**31),
    "long": _whole(2**63),
    "float": _number,
    "double": _number,
    "bytes": _bytes,
    "string": lambda given: _one_of(given, isinstance(given, str)),
}
_LOGICAL: Mapping[tuple[str, str], Callable[[str], Any]] = {
    ("int", "date"): dt.date.fromisoformat,
    ("int", "time-millis"): dt.time.fromisoformat,
    ("long", "time-micros"): dt.time.fromisoformat,
    ("long", "timestamp-millis"): _moment,
    ("long", "timestamp-micros"): _moment,
    ("long", "local-timestamp-millis"): _local,
    ("long", "local-timestamp-micros"): _local,
    ("string", "uuid"): UUID,
}


def _mismatch(given: Any, schema: Any, path: str) -> ValueInvalid:
    """Says what is there in kind alone: the value may be personal."""
    return ValueInvalid(f"{path or '/'}: expected {_words(schema)}, got {_KINDS.get(type(given), 'a number')}")


def _words(schema: Any) -> str:
    words = type_in_words(schema)
    if isinstance(schema, list) or (isinstance(schema, dict) and is_decimal(schema)):
        return words
    kind = schema if isinstance(schema, str) else schema["type"]
    return f"{words} in base64" if kind in ("bytes", "fixed") else words


_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "true or false",
    str: "text that is none",
    list: "an array",
    dict: "an object",
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("an object has the same name twice")
    return made


def _no_number(_: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")
