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
    return _uuid(event_id), _time(time), dataschema, _sequence(sequence), subject, traceparent


class Values:
    """Decodes framed values with the schemas of a `SchemaSource`."""

    def __init__(self, schemas: SchemaSource) -> None:
        self._schemas = schemas
        self._readers: dict[int, _Reader] = {}

    def decode(self, value: bytes | None, dataschema: bytes) -> dict[str, Any] | None:
        """The value's data, None for a tombstone; raises SchemaMismatch unless `dataschema` names its schema."""
        if value is None:
            return None
        schema_id, payload = unframe(value)
        uri, decode = self._readers.get(schema_id) or self._reader(schema_id)
        if uri != dataschema:
            raise SchemaMismatch(
                f"ce_dataschema is {dataschema[:80]!r}, but the value says schema {schema_id}, which is {uri!r}"
            )
        try:
            data = decode(payload)
        except ValueInvalid as error:
            raise SchemaMismatch(f"the value is not of schema {schema_id}: {error.message}") from None
        if not isinstance(data, dict):
            raise SchemaMismatch(f"schema {schema_id} is not of a record: an event's data has fields")
        return data

    def _reader(self, schema_id: int) -> _Reader:
        registered = self._schemas.get(schema_id)
        if registered is None:
            raise SchemaMismatch(f"the value says schema {schema_id}, which is not known here", code="schema_unknown")
        if len(self._readers) >= _MAX_READERS:
            self._readers.clear()
        reader = (registered.schema.uri.encode(), registered.schema.decode)
        return self._readers.setdefault(schema_id, reader)


def parse_key(key: bytes | None) -> str | None:
    """A record's key as text; raises SchemaMismatch unless it is UTF-8."""
    return None if key is None else _text("the key", key)


def _text(what: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise SchemaMismatch(f"{what} is not UTF-8") from None


def _uuid(raw: bytes) -> str:
    if raw.translate(_HEXADECIMAL) != _UUID or raw[14] != 0x37 or raw[19] not in b"89ab":
        raise SchemaMismatch(f"ce_id is not a UUIDv7 in lower case: {raw[:40]!r}")
    return raw.decode()


def _time(raw: bytes) -> datetime:
    try:
        if raw.translate(_DIGITS) == _TIME and raw[11:13] != b"24":
            return datetime.fromisoformat(raw.decode())
    except ValueError:
        pass
    raise SchemaMismatch(f"ce_time is not RFC 3339 UTC with microseconds: {raw[:40]!r}")


def _sequence(raw: bytes) -> int:
    if len(raw) != 20 or not raw.isdigit():
        raise SchemaMismatch(f"ce_sequence is not 20 decimal digits: {raw[:40]!r}")
    return int(raw)


def _traceparent(raw: bytes) -> str:
    if raw.translate(_HEXADECIMAL) != _TRACEPARENT:
        raise SchemaMismatch(f"traceparent is not of W3C Trace Context: {raw[:80]!r}")
    return raw.decode()
