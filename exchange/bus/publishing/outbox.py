"""What was added and not yet committed: encoded, numbered, in order. Hot: every event passes `Channel.event`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from exchange.avro import RegisteredSchema, frame
from exchange.bus.publishing.prepared import EventForm, Prepared
from exchange.clock import to_unix_millis
from exchange.errors import RecordTooLarge, ValueInvalid
from exchange.ids import AgencyId
from exchange.transport.kafka import partition_of, partition_of_hash

_SEAL_BYTES = 1024
_RECORD_BYTES = 64
_POOLED_IDS = 512
_ID_DIGITS = 20
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


class EventIds:
    """UUIDv7 (RFC 9562) in canonical text; randomness is taken in pools, 80 bits an id."""

    def __init__(self, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._entropy = entropy
        self._pool = ""
        self._used = 0
        self._moment: datetime | None = None
        self._stamp = ""

    def next(self, moment: datetime) -> str:
        """A new id of this moment."""
        if self._used >= len(self._pool):
            self._pool, self._used = self._entropy(_POOLED_IDS * _ID_DIGITS // 2).hex(), 0
        at = self._used
        self._used = at + _ID_DIGITS
        pool = self._pool
        if moment is not self._moment:
            self._moment, self._stamp = moment, _stamp(moment)
        return (
            f"{self._stamp}{pool[at : at + 3]}-{_VARIANT[pool[at + 3]]}{pool[at + 4 : at + 7]}-{pool[at + 7 : at + 19]}"
        )


def _stamp(moment: datetime) -> str:
    millis = f"{to_unix_millis(moment) & 0xFFFF_FFFF_FFFF:012x}"
    return f"{millis[:8]}-{millis[8:]}-7"


class Channel:
    """One topic of a publisher: its schema, its partitions, and the next sequence of each."""

    def __init__(
        self,
        agency: AgencyId,
        topic: str,
        registered: RegisteredSchema,
        partitions: int,
        largest: int,
        sequences: Mapping[int, int],
    ) -> None:
        self.topic = topic
        self.sequences = [sequences.get(partition, 0) for partition in range(partitions)]
        self._handed_over = list(self.sequences)
        self.partitions = partitions
        self._largest = largest - _SEAL_BYTES - _RECORD_BYTES
        self._encode = registered.schema.encode
        self._framing = frame(registered.id, b"")
        self._form = EventForm(agency, topic, registered.schema.uri)
        self._turn = count()
        self._ids = EventIds()

    def event(
        self,
        data: dict[str, Any] | None,
        key: str | None,
        subject: str | None,
        time: datetime,
        traceparent: str | None,
        hashed: int | None = None,
    ) -> Prepared:
        """The next record; `hashed` is its key's hash, where that is known.

        Raises ValueInvalid or RecordTooLarge, and then nothing has changed.
        """
        value = None if data is None else self._framing + self._encode(data)
        if key is None:
            if value is None:
                raise ValueInvalid(f"a tombstone of {self.topic} needs a key: it says which entity is gone")
            encoded, partition = None, next(self._turn) % self.partitions
        else:
            encoded = _text("key", key)
            count = self.partitions
            partition = partition_of(encoded, count) if hashed is None else partition_of_hash(hashed, count)
        sequence = self.sequences[partition]
        more = [] if subject is None and traceparent is None else _optional(subject, traceparent)
        event = self._form.prepare(partition, encoded, value, self._ids.next(time), time, sequence, more)
        if event.size > self._largest:
            raise RecordTooLarge(
                f"a record for {self.topic} has {event.size} bytes, its topic takes {self._largest} "
                "(max.message.bytes less the seal): split the value, or let the topic take more"
            )
        self.sequences[partition] = sequence + 1
        return event

    def roll_back(self) -> None:
        """Forget the sequences that were given out since the last commit began."""
        self.sequences = list(self._handed_over)

    def settle(self) -> int:
        """What was given out is handed over to a commit: how many events it has."""
        published = sum(self.sequences) - sum(self._handed_over)
        self._handed_over = list(self.sequences)
        return published


def _optional(subject: str | None, traceparent: str | None) -> list[tuple[str, bytes]]:
    """The headers that not every event has; raises ValueInvalid."""
    more = [] if subject is None else [("ce_subject", _text("subject", subject))]
    if traceparent is not None:
        _require_traceparent(traceparent)
        more.append(("traceparent", traceparent.encode()))
    return more


def _text(what: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueInvalid(f"the {what} has characters that are no UTF-8 (lone surrogates)") from None


def _require_traceparent(text: str) -> None:
    if _TRACEPARENT.fullmatch(text) is None:
        raise ValueInvalid(f"traceparent {text[:80]!r} is not of W3C Trace Context (00-<32 hex>-<16 hex>-<2 hex>)")
