"""An Avro schema, parsed once: its text, its canonical form and name, and the codec of its values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exchange.avro.canonical import canonical_form, schema_uri
from exchange.avro.codec import Codec
from exchange.avro.java_text import text_of
from exchange.avro.normal import normal_form
from exchange.avro.resolve import Resolved, resolve
from exchange.avro.shape import without_wrong_defaults
from exchange.errors import SchemaInvalid


class Schema:
    """An Avro schema; equal to another of the same canonical form. Make one with `Schema.parse`."""

    def __init__(self, text: str, resolved: Resolved) -> None:
        self.text = text
        """The text as it came."""
        self.raw = resolved.raw
        """The resolved schema as plain JSON: names full, `{"type": "string"}` as `"string"`. Not to be changed."""
        self.referenced = resolved.referenced
        """The names of the schemas that it was given to refer to: those of their outermost types."""
        self.canonical: bytes = _canonical(resolved.raw)
        """RFC 8785 of the resolved schema (spec 2)."""
        self._defaults_fit = resolved.defaults_fit

    @classmethod
    def parse(cls, text: str, referenced: Sequence[str] = (), validate_defaults: bool = True) -> Schema:
        """Read a schema's JSON; raises SchemaInvalid with the path and what would be right.

        It may use the named types of the schemas whose texts are in `referenced`, each of them those of the texts
        before it; what it uses is written out in `raw`. Without `validate_defaults` a field's default may be anything,
        and is then as good as none where values are encoded and decoded.
        """
        return cls(text, resolve(text, referenced, validate_defaults))

    @cached_property
    def uri(self) -> str:
        """`ni:///sha-256;<base64url>` of the canonical form: what `ce_dataschema` carries (spec 2)."""
        return schema_uri(self.canonical)

    @cached_property
    def encode(self) -> Callable[[Any], bytes]:
        """Avro binary of a value; raises ValueInvalid with the path and both types."""
        return self._codec.encode

    @cached_property
    def decode(self) -> Callable[[bytes | memoryview], Any]:
        """The value of Avro binary; raises ValueInvalid for bytes cut short, trailed by others, or no value."""
        return self._codec.decode

    @cached_property
    def _codec(self) -> Codec:
        """Made when the first value comes: a registry that reads thousands of schemas needs none."""
        return Codec(self.raw if self._defaults_fit else without_wrong_defaults(self.raw))

    def java_text(self) -> str:
        """The text that Java gives the schema (`toString`), in which Confluent's registry keeps it.

        The types it was given to refer to stay names; but only those that are schemas of their own, not those inside.
        """
        return text_of(self.raw, self.referenced)

    def resolved_text(self) -> str:
        """The same with all types written out: Confluent's `format=resolved`."""
        return text_of(self.raw)

    def normalized_text(self) -> str:
        """The text in which Confluent's registry keeps the schema with `normalize=true`."""
        return text_of(normal_form(self.raw, self.referenced), self.referenced)

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
