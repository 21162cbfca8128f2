"""Step 8 of opening (spec 3): the value is of the schema that `ce_dataschema` names, and the headers are an event's.

Headers are taken in exactly the form that `EventHeaders` writes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from exchange.avro import RegisteredSchema, unframe
from exchange.envelope.headers import EVENT_CONTENT_TYPE, SPEC_VERSION, Layout
from exchange.errors import SchemaMismatch, ValueInvalid

_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_HEXADECIMAL = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_TIME = b"0000-00-00T00:00:00.000000Z"
_UUID = b"00000000-0000-0000-0000-000000000000"
_TRACEPARENT = b"00-00000000000000000000000000000000-0000000000000000-00"
_MAX_READERS = 4096

_FRAME = 5

_Reader = tuple[bytes, Callable[[bytes | memoryview], Any]]


class SchemaSource(Protocol):
    """Where schemas come from: a cache, so that opening never waits."""

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """The schema registered under a number, or None where the cache does not have it."""
        ...


def schema_id_of(value: bytes | None) -> int | None:
    """The number of the schema that a value's framing names, unverified: to fill a cache before opening.

    None for a tombstone, and for what is not framed (opening says so, in its order).
    """
    try:
        return None if value is None else unframe(value)[0]
    except SchemaMismatch:
        return None


Content = tuple[str, datetime, bytes, int, str | None, str | None]
"""What an event's headers say: id, time, dataschema, sequence, subject, traceparent."""


def parse_content(values: tuple[bytes, ...], layout: Layout | None, kind: bytes | None) -> Content:
    """Read the values of an event's headers; raises SchemaMismatch naming the first that is not as it must be.

    `kind` is the `ce_type` of the topic's events; None where the topic does not take events.
    """
    if layout is None:
        raise SchemaMismatch("the headers are not those of an event, in their order")
    content_type, version, event_id, _, found, time, dataschema, sequence, *rest = values
    if content_type != EVENT_CONTENT_TYPE or version != SPEC_VERSION or found != kind:
        raise SchemaMismatch(
            f"content-type, ce_specversion and ce_type are {(content_type, version, found)!r:.200}: "
            f"expected {(EVENT_CONTENT_TYPE, SPEC_VERSION, kind)!r}"
        )
    subject = _text("ce_subject", rest[0]) if layout.subject else None
    traceparent = _traceparent(rest[-2]) if layout.traceparent else None
    return parse_id(event_id), parse_moment(time), dataschema, parse_sequence(sequence), subject, traceparent


class Values:
    """Decodes framed values with the schemas of a `SchemaSource`."""

    def __init__(self, schemas: SchemaSource) -> None:
        self._schemas = schemas
        self._readers: dict[bytes, _Reader] = {}

    def decode(self, value: bytes | None, dataschema: bytes) -> dict[str, Any] | None:
        """The value's data, None for a tombstone; raises SchemaMismatch unless `dataschema` names its schema."""
        if value is None:
            return None
        uri, decode = self._readers.get(value[:_FRAME]) or self._reader(value)
        if uri != dataschema:
            raise SchemaMismatch(
                f"ce_dataschema is {dataschema[:80]!r}, "
                f"but the value says schema {schema_id_of(value)}, which is {uri!r}"
            )
        try:
            data = decode(value[_FRAME:])
        except ValueInvalid as error:
            raise SchemaMismatch(f"the value is not of schema {schema_id_of(value)}: {error.message}") from None
        if not isinstance(data, dict):
            raise SchemaMismatch(f"schema {schema_id_of(value)} is not of a record: an event's data has fields")
        return data

    def _reader(self, value: bytes) -> _Reader:
        """The reader of a value's frame, the first time it is met; a frame that is none is never kept."""
        schema_id, _ = unframe(value)
        registered = self._schemas.get(schema_id)
        if registered is None:
            raise SchemaMismatch(f"the value says schema {schema_id}, which is not known here", code="schema_unknown")
        if len(self._readers) >= _MAX_READERS:
            self._readers.clear()
        reader = (registered.schema.uri.encode(), registered.schema.decode)
        return self._readers.setdefault(value[:_FRAME], reader)


def parse_key(key: bytes | None) -> str | None:
    """A record's key as text; raises SchemaMismatch unless it is UTF-8."""
    return None if key is None else _text("the key", key)


def _text(what: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise SchemaMismatch(f"{what} is not UTF-8") from None


def parse_id(raw: bytes) -> str:
    """`ce_id` as text; raises SchemaMismatch unless it is a UUIDv7."""
    if raw.translate(_HEXADECIMAL) != _UUID or raw[14] != 0x37 or raw[19] not in b"89ab":
        raise SchemaMismatch(f"ce_id is not a UUIDv7 in lower case: {raw[:40]!r}")
    return raw.decode()


def parse_moment(raw: bytes) -> datetime:
    """`ce_time`; raises SchemaMismatch unless it is written as every publisher writes it."""
    try:
        if raw.translate(_DIGITS) == _TIME and raw[11:13] != b"24":
            return datetime.fromisoformat(raw.decode())
    except ValueError:
        pass
    raise SchemaMismatch(f"ce_time is not RFC 3339 UTC with microseconds: {raw[:40]!r}")


def parse_sequence(raw: bytes) -> int:
    """`ce_sequence`; raises SchemaMismatch unless it has 20 digits."""
    if len(raw) != 20 or not raw.isdigit():
        raise SchemaMismatch(f"ce_sequence is not 20 decimal digits: {raw[:40]!r}")
    return int(raw)


def _traceparent(raw: bytes) -> str:
    if raw.translate(_HEXADECIMAL) != _TRACEPARENT:
        raise SchemaMismatch(f"traceparent is not of W3C Trace Context: {raw[:80]!r}")
    return raw.decode()
