"""Records and batches as Kafka lays them out (message format v2): parts that are encoded once, joined once. Hot.

    batch   = i64 base offset ‖ i32 length ‖ i32 leader epoch ‖ i8 2 ‖ u32 CRC-32C of all that follows
            ‖ i16 attributes ‖ i32 last offset delta ‖ i64 first and i64 newest timestamp
            ‖ i64 producer ‖ i16 its epoch ‖ i32 base sequence ‖ i32 count ‖ records, compressed as a whole
    record  = length ‖ i8 0 ‖ timestamp delta ‖ offset delta ‖ body                        zigzag varints
    body    = length ‖ key ‖ length ‖ value ‖ count ‖ count × (length ‖ name ‖ length ‖ value)    length −1: null

aiokafka takes a batch of its own class, or anything with the same methods; its builder encodes each header's name anew,
and compresses in the event loop.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.record.util import calc_crc32c

from exchange.threads import OwnThreads
from exchange.transport.kafka.record import Outgoing
from exchange.varint import zigzag

_HEADER = struct.Struct(">qiibIhiqqqhii")
_SUMMED = struct.Struct(">hiqqqhii")
_NULL, _PLAIN = zigzag(-1), b"\x00\x00"
_TRANSACTIONAL = 0x10
_MAGIC = 2
_BEFORE_LENGTH = 12
_RECORD_HEAD = 14
_IN_THREAD = 32 * 1024
_COMPRESSING = OwnThreads("exchange-compress", os.cpu_count() or 1)
_ZSTD_LEVEL = 1  # as small as level 3 makes sealed records, in two thirds of its time (ADR 27)

Compress = Callable[[bytes], bytes]
_CODECS: dict[str | None, tuple[int, Compress | None]] = {
    None: (0, None),
    "gzip": (1, gzip_encode),
    "snappy": (2, snappy_encode),
    "lz4": (3, lz4_encode),
    "zstd": (4, partial(zstd_encode, level=_ZSTD_LEVEL)),
}


class Encoded(NamedTuple):
    """A record whose body is encoded: its parts, to be joined, and how many bytes they have."""

    topic: str
    partition: int
    parts: tuple[bytes, ...]
    size: int


def encode(record: Outgoing) -> Encoded:
    """A record's body."""
    topic, partition, key, value, headers = record
    parts = (
        *encode_bytes(key),
        *encode_bytes(value),
        zigzag(len(headers)),
        *[encode_header(name, content) for name, content in headers],
    )
    return Encoded(topic, partition, parts, sum(map(len, parts)))


def encode_bytes(data: bytes | None) -> tuple[bytes, bytes]:
    """A key or a value with its length before it."""
    return (_NULL, b"") if data is None else (zigzag(len(data)), data)


def encode_header(name: str, value: bytes | None) -> bytes:
    """One header."""
    encoded = name.encode()
    return b"".join((zigzag(len(encoded)), encoded, *encode_bytes(value)))


def codec_of(compression: str | None) -> tuple[int, Compress | None]:
    """The number of a codec in a batch's attributes, and what compresses; KeyError for a name Kafka does not have."""
    return _CODECS[compression]


class RecordBatch:
    """One batch for one partition; offers the methods of aiokafka's `BatchBuilder` that its producer calls.

    `limit` bounds the records before compression; a first record is taken whatever its size. `millis` is the time of
    all of them, where the topic keeps writers' times.
    """

    __slots__ = ("_buffer", "_codec", "_compress", "_count", "_limit", "_millis", "_parts", "_size", "_state")

    def __init__(self, limit: int, codec: int, compress: Compress | None, *, transactional: bool, millis: int) -> None:
        self._limit = limit
        self._codec = codec | _TRANSACTIONAL if transactional else codec
        self._compress = compress
        self._millis = millis
        self._parts: list[bytes] = []
        self._count = 0
        self._size = 0
        self._state = (-1, -1, -1)
        self._buffer: bytes | None = None

    def append(self, parts: tuple[bytes, ...], size: int) -> bool:
        """Add a record's body; False where the batch is full, which then takes no more."""
        delta = zigzag(self._count)
        length = zigzag(size + 2 + len(delta))
        self._size += size + _RECORD_HEAD
        if self._size > self._limit and self._count:
            return False
        self._parts += (length, _PLAIN, delta, *parts)
        self._count += 1
        return True

    async def compress(self) -> None:
        """Join and compress, large batches in a thread: the loop goes on meanwhile."""
        records = b"".join(self._parts)
        self._parts.clear()
        if self._compress is not None:
            in_thread = len(records) > _IN_THREAD
            records = await _COMPRESSING.run(self._compress, records) if in_thread else self._compress(records)
        self._buffer = records

    def record_count(self) -> int:
        """How many records."""
        return self._count

    def size(self) -> int:
        """Bytes of the batch, at most."""
        return _HEADER.size + (self._size if self._buffer is None else len(self._buffer))

    def close(self) -> None:
        """Nothing: what is sent is complete."""

    def closed(self) -> bool:
        """Always: aiokafka adds nothing to it."""
        return True

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._state = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        """The batch's bytes; the same again where it is sent again."""
        records = self._buffer or b""
        last = self._count - 1
        summed = _SUMMED.pack(self._codec, last, self._millis, self._millis, *self._state, self._count) + records
        length = _HEADER.size + len(records) - _BEFORE_LENGTH
        head = struct.pack(">qiibI", 0, length, -1, _MAGIC, calc_crc32c(summed))
        return head + summed


def compressed_size(record: Encoded, compression: str | None) -> int:
    """Bytes of a batch that holds this record alone."""
    _, compress = codec_of(compression)
    body = b"".join(record.parts)
    return _HEADER.size + _RECORD_HEAD + len(body if compress is None else compress(body))
