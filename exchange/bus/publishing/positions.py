"""Where a publisher stands: sequences, epoch and the application's own place, on `_exchange.positions` (spec 3).

The record is sealed JSON, keyed by the publisher, and travels in the transaction of the events it speaks of. So a
publisher that was killed finds either the events and their position, or neither.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from exchange.clock import Clock
from exchange.envelope import Opener, Unsealed, document_headers
from exchange.errors import DocumentInvalid, RecordRefused, TransportError
from exchange.ids import PublisherId
from exchange.transport.kafka import (
    Partition,
    PartitionConsumer,
    Received,
    TopicSpec,
    high_watermarks,
    partition_of,
)

POSITIONS_TOPIC = "_exchange.positions"
"""The compacted topic that holds one position per publisher."""

_PARTITIONS = 8
_READ_LIMIT = 2_000
_VERIFIED_TOGETHER = 256
_POLL_SECONDS = 0.5


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A publisher's place. `sequences`: topic -> partition -> next `ce_sequence`; `application`: the caller's own."""

    version: int
    epoch: int
    flush: int
    sequences: dict[str, dict[int, int]]
    application: dict[str, Any] | None

    @classmethod
    def first(cls) -> Position:
        """The place of a publisher that never wrote."""
        return cls(1, 0, 0, {}, None)


def positions_topic(replication: int = 1) -> TopicSpec:
    """How the positions topic must be: compacted often, its records stamped by the broker."""
    settings = {"segment.bytes": str(16 * 1024 * 1024), "segment.ms": "3600000", "min.cleanable.dirty.ratio": "0.1"}
    return TopicSpec(POSITIONS_TOPIC, _PARTITIONS, compacted=True, replication=replication, settings=settings)


def position_record(
    publisher: PublisherId, position: Position, partition: int, now: datetime, event_id: str
) -> Unsealed:
    """The record that stores a position, the seal still to come."""
    headers = document_headers(publisher.agency, POSITIONS_TOPIC, event_id=event_id, time=now)
    return Unsealed(POSITIONS_TOPIC, partition, _key(publisher), msgspec.json.encode(position), headers)


def position_partition(publisher: PublisherId, partitions: int) -> int:
    """Which partition of the positions topic is the publisher's."""
    return partition_of(_key(publisher), partitions)


@dataclass(frozen=True, slots=True)
class FoundPosition:
    """A position as it was found: `record` is the id of the record that holds it, None where there is none."""

    position: Position
    record: str | None


async def read_position(
    bootstrap: str, publisher: PublisherId, partition: int, opener: Opener, clock: Clock, *, seconds: float = 60.0
) -> FoundPosition:
    """The publisher's own last position; call it after fencing, or a predecessor may still be writing.

    Raises DocumentInvalid when there are positions under its name but none that verifies; TransportError when another
    publisher's open transaction keeps the topic's end from being read.
    """
    place = Partition(POSITIONS_TOPIC, partition)
    # The goal is the high watermark, taken after fencing: another publisher's open transaction holds the last stable
    # offset back, and reading only up to there could miss our own last position and number events twice.
    goal = (await high_watermarks(bootstrap, [place]))[place]
    reading = _Reading(publisher, opener, ())
    await _read(bootstrap, place, goal, reading.take, clock, seconds)
    return reading.result()


async def read_successor(
    bootstrap: str,
    publisher: PublisherId,
    partition: int,
    opener: Opener,
    clock: Clock,
    *,
    epoch: int,
    own: Collection[str],
    seconds: float = 60.0,
) -> Position | None:
    """The position of a process that took the publisher over after `epoch`; None without one. Fences nobody.

    `own` are ids of position records of our own. What is not committed yet is waited for only where it might be a
    successor's: our own unfinished transaction holds the committed end back until the broker gives it up.
    """
    place = Partition(POSITIONS_TOPIC, partition)
    goal = (await high_watermarks(bootstrap, [place]))[place]
    seen = _Reading(publisher, opener, own)
    await _read(bootstrap, place, goal, seen.take, clock, seconds, isolation="read_uncommitted")
    offset = seen.offset_after(epoch)
    if offset is None:
        return None
    found = _Reading(publisher, opener, own)
    await _read(bootstrap, place, offset + 1, found.take, clock, seconds)
    return None if found.offset_after(epoch) is None else found.result().position


async def _read(
    bootstrap: str,
    place: Partition,
    goal: int,
    take: Callable[[Received], None],
    clock: Clock,
    seconds: float,
    *,
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed",
) -> None:
    started = clock.now()
    async with PartitionConsumer(bootstrap, isolation=isolation) as consumer:
        consumer.assign([place])
        while await consumer.position(place) < goal:
            for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=_READ_LIMIT):
                for record in polled.records:
                    take(record)
            if (clock.now() - started).total_seconds() > seconds:
                raise TransportError(
                    f"{place.topic}/{place.number} could not be read to its end within {seconds:.0f} s: another "
                    "publisher's transaction is open; Kafka ends it by itself, try again"
                )


class _Reading:
    """Finds the newest position of one publisher: by epoch and flush, since an old record can be written again.

    A topic between two compactions holds thousands of them. They are verified from the newest down to the first that
    its publisher sealed, some at a time: the older ones do not matter, whoever wrote them.
    """

    def __init__(self, publisher: PublisherId, opener: Opener, ignored: Collection[str]) -> None:
        self._publisher = publisher
        self._opener = opener
        self._ignored = ignored
        self._newest = _Candidate(-1, -1, -1, Position.first(), None)
        self._candidates: list[_Candidate] = []
        self._refusal: Exception | None = None

    def take(self, record: Received) -> None:
        if record.key != _key(self._publisher) or (self._ignored and _id(record) in self._ignored):
            return
        try:
            position = _decode(record.value)
        except DocumentInvalid as error:
            self._refusal = error
            return
        candidate = _Candidate(position.epoch, position.flush, -record.offset, position, record)
        if candidate[:2] > self._newest[:2]:
            self._candidates.append(candidate)
        if len(self._candidates) >= _VERIFIED_TOGETHER:
            self._verify()

    def offset_after(self, epoch: int) -> int | None:
        """The offset of the newest position where it is of a later epoch, else None."""
        self._verify()
        return -self._newest.before if self._newest.epoch > epoch else None

    def result(self) -> FoundPosition:
        self._verify()
        record = self._newest.record
        if record is None and self._refusal is not None:
            raise DocumentInvalid(
                f"{POSITIONS_TOPIC} holds no position of {self._publisher} that verifies ({self._refusal}): starting "
                "from nothing would publish everything again; restore the record or remove it deliberately"
            )
        return FoundPosition(self._newest.position, None if record is None else _id(record))

    def _verify(self) -> None:
        for candidate in sorted(self._candidates, key=lambda each: each[:3], reverse=True):
            try:
                self._require_sealed(candidate.record)
            except (RecordRefused, DocumentInvalid) as error:
                self._refusal = error
            else:
                self._newest = candidate
                break
        self._candidates.clear()

    def _require_sealed(self, record: Received | None) -> None:
        assert record is not None  # noqa: S101  only the first position has none, and is no candidate
        opened = self._opener.open_internal(record)
        if opened.publisher != str(self._publisher):
            raise DocumentInvalid(f"a position of {self._publisher} was sealed by {opened.publisher}")


class _Candidate(NamedTuple):
    """A position that claims to be its publisher's; of copies the first counts, hence `before`: the offset, negated."""

    epoch: int
    flush: int
    before: int
    position: Position
    record: Received | None


def _decode(value: bytes | None) -> Position:
    if value is None:
        raise DocumentInvalid("a position record is empty")
    try:
        return msgspec.json.decode(value, type=Position)
    except msgspec.DecodeError as error:
        raise DocumentInvalid(f"a position record is malformed: {error}") from None


def _id(record: Received) -> str:
    return (dict(record.headers).get("ce_id") or b"").decode(errors="replace")


def _key(publisher: PublisherId) -> bytes:
    return str(publisher).encode()
