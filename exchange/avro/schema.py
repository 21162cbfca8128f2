"""An Avro schema, parsed once: its text, its canonical form and name, and the codec of its values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exchange.avro.canonical import canonical_form, schema_uri
from exchange.avro.codec import Codec
from exchange.avro.resolve import resolve
from exchange.errors import SchemaInvalid


class Schema:
    """An Avro schema; equal to another of the same canonical form. Make one with `Schema.parse`."""

    def __init__(self, text: str, raw: Any) -> None:
        self.text = text
        """The text as it came."""
        self.raw = raw
        """The resolved schema as plain JSON: names full, `{"type": "string"}` as `"string"`. Not to be changed."""
        self.canonical: bytes = _canonical(raw)
        """RFC 8785 of the resolved schema (spec 2)."""
        self.uri: str = schema_uri(self.canonical)
        """`ni:///sha-256;<base64url>` of the canonical form: what `ce_dataschema` carries (spec 2)."""
        codec = Codec(raw)
        self.encode: Callable[[Any], bytes] = codec.encode
        """Avro binary of a value; raises ValueInvalid with the path and both types."""
        self.decode: Callable[[bytes | memoryview], Any] = codec.decode
        """The value of Avro binary; raises ValueInvalid for bytes cut short, trailed by others, or no value."""

    @classmethod
    def parse(cls, text: str) -> Schema:
        """Read a schema's JSON; raises SchemaInvalid with the path and what would be right."""
        return cls(text, resolve(text))

    def field_names(self) -> tuple[str, ...]:
        """The names of the top-level fields, in order; empty where the schema is not a record."""
        if not isinstance(self.raw, dict) or self.raw["type"] not in ("record", "error"):
            return ()
        return tuple(field["name"] for field in self.raw["fields"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __repr__(self) -> str:
        return f"Schema({self.uri})"


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema and the number under which the registry keeps it."""

    id: int
    schema: Schema


def _canonical(raw: Any) -> bytes:
    try:
        return canonical_form(raw)
    except (OverflowError, ValueError) as error:
        raise SchemaInvalid(f"the schema holds a number that no reader could keep: {error}") from None
    except RecursionError:
        raise SchemaInvalid("the schema is wrong at /: an attribute is nested too deep") from None
