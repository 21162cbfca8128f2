"""A record as the exchange sees it, and the bytes of it that a seal covers (spec 3).

    record = u16 len ‖ topic
           ‖ i32 len ‖ key                  (len −1 and nothing for null)
           ‖ u16 count ‖ count × (u16 len ‖ name ‖ i32 len ‖ value)     in record order, the seal excluded
           ‖ i32 len ‖ value                (len −1 and nothing for null)

All integers are big endian; the partition, the offset and the timestamp are the broker's and not covered.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple, Protocol

from exchange.errors import RecordTooLarge

SEAL_HEADER = "exchange-seal"
"""The header that carries the seal: always last, once."""

MAX_RECORD = 16 * 1024 * 1024
"""Bytes that the encoded record may have, its 0x00 included."""

Headers = Sequence[tuple[str, bytes]]
"""Header names and values, in record order."""

_U16 = struct.Struct(">H").pack
_I32 = struct.Struct(">i").pack
_NULL = _I32(-1)
_SIZES = tuple(map(_I32, range(1024)))


class Record(Protocol):
    """What a consumer reads: aiokafka's record satisfies it, so nothing is converted on the hot path."""

    @property
    def topic(self) -> str:
        """The topic's name."""
        ...

    @property
    def partition(self) -> int:
        """The partition's number."""
        ...

    @property
    def offset(self) -> int:
        """The record's place in its partition."""
        ...

    @property
    def timestamp(self) -> int:
        """The broker's time, milliseconds since 1970."""
        ...

    @property
    def key(self) -> bytes | None:
        """The key."""
        ...

    @property
    def value(self) -> bytes | None:
        """The value; None is a tombstone."""
        ...

    @property
    def headers(self) -> Headers:
        """The headers, the seal last."""
        ...


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """A record of our own making, of the same shape."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Unsealed(NamedTuple):
    """A record about to be sealed and written; `headers` do not have the seal yet."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def encode_record(topic: str, key: bytes | None, headers: Headers, value: bytes | None) -> bytes:
    """The bytes that a seal covers; ValueError where a name, a count or a header does not fit the format."""
    return _leaf_data(topic, key, headers, value)[1:]


def record_leaf(topic: str, key: bytes | None, headers: Headers, value: bytes | None) -> bytes:
    """The record's leaf hash, SHA-256(0x00 ‖ record), 32 bytes.

    ValueError as `encode_record`; raises RecordTooLarge for more than MAX_RECORD.
    """
    data = _leaf_data(topic, key, headers, value)
    if len(data) > MAX_RECORD:
        raise RecordTooLarge(f"a record for {topic[:255]} has {len(data)} bytes: at most {MAX_RECORD}")
    return sha256(data).digest()


def encode_head(topic: str) -> bytes:
    """What every leaf of a topic's records starts with: 0x00 and the topic."""
    return _topic(topic)


def encode_count(headers: int) -> bytes:
    """What stands before the headers: how many there are, the seal excluded."""
    return _U16(headers)


def encode_header(name: str, value: bytes) -> bytes:
    """One header as a leaf has it."""
    return b"".join((_NAMES.get(name) or _name(name), encode_size(value), value))


def encode_size(data: bytes | None) -> bytes:
    """What stands before a key, a header's value or a value: its length, −1 for null."""
    if data is None:
        return _NULL
    size = len(data)
    return _SIZES[size] if size < 1024 else _I32(size)


def _leaf_data(topic: str, key: bytes | None, headers: Headers, value: bytes | None) -> bytes:
    """One join over all parts: this is the hottest line of sealing and of opening."""
    try:
        parts = [_topic(topic), encode_size(key), key or b""]
        parts.append(_U16(len(headers)))
        for name, data in headers:
            size = len(data)
            parts += (_NAMES.get(name) or _name(name), _SIZES[size] if size < 1024 else _I32(size), data)
        parts += (encode_size(value), value or b"")
        return b"".join(parts)
    except (struct.error, TypeError, UnicodeEncodeError) as error:
        raise ValueError(f"the record does not fit the sealed format: {error}") from None


@lru_cache(maxsize=1024)
def _topic(topic: str) -> bytes:
    return b"\x00" + _name(topic)


def _name(name: str) -> bytes:
    encoded = name.encode()
    return _U16(len(encoded)) + encoded


_NAMES = {
    name: _name(name)
    for name in (
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_dataschema",
        "ce_sequence",
        "ce_subject",
        "traceparent",
    )
}
