"""Records like the one before: same flush, same topic, the same headers but for what every record has of its own.

Opening's short way (spec 3). Steps 2 to 4, and the constant half of step 8, depend on the statement, the topic and the
constant headers alone: where those are, byte for byte, what they were in a record that opened, so is their outcome.
The leaf of step 1 is joined from parts that are encoded once. Whatever differs in anything takes the long way, which
also finds the words for what is wrong with it.
"""

from __future__ import annotations

import struct
from hashlib import sha256

from exchange.envelope.headers import EVENT_NAMES, around_own
from exchange.envelope.record import (
    MAX_RECORD,
    SEAL_HEADER,
    Headers,
    encode_count,
    encode_head,
    encode_header,
    encode_size,
)

_PLAIN = len(EVENT_NAMES) + 1
_SEAL_HEAD = struct.Struct(">BIB").unpack_from
_HEAD_SIZE, _HASH_SIZE = 6, 32
_SEAL_VERSION = 1

Own = tuple[bytes, bytes, bytes, bytes]
"""What each record has of its own: the values of ce_id, ce_time, ce_sequence and exchange-seal."""


class Alike:
    """What an event that opened has in common with those like it; for events without subject and traceparent."""

    __slots__ = ("_before_id", "_before_sequence", "_before_time", "_constant", "_head", "_tail", "dataschema", "topic")

    def __init__(self, topic: str, headers: Headers, statement: bytes) -> None:
        constant = (headers[0], headers[1], headers[3], headers[4], headers[6])
        before_id, self._before_time, self._before_sequence = around_own(headers, encode_header)
        self.topic = topic
        self.dataschema = headers[6][1]
        self._constant = constant
        self._head = encode_head(topic)
        self._before_id = encode_count(len(EVENT_NAMES)) + before_id
        self._tail = struct.pack(">H", len(statement)) + statement

    def own(self, headers: Headers) -> Own | None:
        """The values that may differ, where nothing else does."""
        if len(headers) != _PLAIN:
            return None
        first, second, (a, event_id), source, kind, (b, time), schema, (c, sequence), (d, seal) = headers
        if (
            (first, second, source, kind, schema) == self._constant
            and (a, b, c, d) == _OWN_NAMES
            and event_id is not None
            and time is not None
            and sequence is not None
            and seal is not None
            and len(event_id) == 36
            and len(time) == 27
            and len(sequence) == 20
        ):
            return event_id, time, sequence, seal
        return None

    def place(self, seal: bytes) -> tuple[int, bytes] | None:
        """(leaf index, path) of a seal with this flush's statement."""
        path_end = len(seal) - len(self._tail)
        if path_end < _HEAD_SIZE or not seal.endswith(self._tail):
            return None
        version, index, hashes = _SEAL_HEAD(seal)
        if version != _SEAL_VERSION or path_end != _HEAD_SIZE + hashes * _HASH_SIZE:
            return None
        return index, seal[_HEAD_SIZE:path_end]

    def leaf(self, key: bytes | None, own: Own, value: bytes | None) -> bytes | None:
        """The record's leaf hash; None where it is larger than any sealer's."""
        event_id, time, sequence, _ = own
        data = b"".join(
            (
                self._head,
                encode_size(key),
                key or b"",
                self._before_id,
                event_id,
                self._before_time,
                time,
                self._before_sequence,
                sequence,
                encode_size(value),
                value or b"",
            )
        )
        return sha256(data).digest() if len(data) <= MAX_RECORD else None


_OWN_NAMES = ("ce_id", "ce_time", "ce_sequence", SEAL_HEADER)
