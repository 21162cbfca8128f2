"""Where a publisher stands: sequences, epoch and the application's own place, on `_exchange.positions` (spec 3).

The record is sealed JSON, keyed by the publisher, and travels in the transaction of the events it speaks of. So a
publisher that was killed finds either the events and their position, or neither.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from exchange.clock import Clock
from exchange.envelope import OpenedInternal, Opener, Unsealed, document_headers
from exchange.errors import DocumentInvalid, RecordRefused, TransportError
from exchange.ids import PublisherId, uuid7
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


def position_record(publisher: PublisherId, position: Position, partition: int, now: datetime) -> Unsealed:
    """The record that stores a position, the seal still to come."""
    headers = document_headers(publisher.agency, POSITIONS_TOPIC, event_id=uuid7(), time=now)
    return Unsealed(POSITIONS_TOPIC, partition, _key(publisher), msgspec.json.encode(position), headers)


def position_partition(publisher: PublisherId, partitions: int) -> int:
    """Which partition of the positions topic is the publisher's."""
    return partition_of(_key(publisher), partitions)


async def read_position(
    bootstrap: str, publisher: PublisherId, partition: int, opener: Opener, clock: Clock, *, seconds: float = 60.0
) -> Position:
    """The publisher's own last position; call it after fencing, or a predecessor may still be writing.

    Raises DocumentInvalid when there are positions under its name but none that verifies; TransportError when another
    publisher's open transaction keeps the topic's end from being read.
    """
    reading = _Reading(publisher, opener)
    place = Partition(POSITIONS_TOPIC, partition)
    # The goal is the high watermark, taken after fencing: another publisher's open transaction holds the last stable
    # offset back, and reading only up to there could miss our own last position and number events twice.
    goal = (await high_watermarks(bootstrap, [place]))[place]
    await _read_until(bootstrap, place, goal, reading.take, clock, seconds)
    return reading.result()


async def _read_until(
    bootstrap: str, place: Partition, goal: int, take: Callable[[Received], None], clock: Clock, seconds: float
) -> None:
    started = clock.now()
    async with PartitionConsumer(bootstrap) as consumer:
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
    """Finds the newest position of one publisher: by epoch and flush, since an old record can be written again."""

    def __init__(self, publisher: PublisherId, opener: Opener) -> None:
        self._publisher = publisher
        self._opener = opener
        self._newest: tuple[int, int] = (-1, -1)
        self._position: Position | None = None
        self._refusal: Exception | None = None

    def take(self, record: Received) -> None:
        if record.key != _key(self._publisher):
            return
        try:
            opened = self._opener.open_internal(record)
            self._keep(opened)
        except (RecordRefused, DocumentInvalid) as error:
            self._refusal = error

    def _keep(self, opened: OpenedInternal) -> None:
        if opened.publisher != str(self._publisher) or opened.value is None:
            raise DocumentInvalid(f"a position of {self._publisher} was sealed by {opened.publisher}")
        position = _decode(opened.value)
        if (position.epoch, position.flush) > self._newest:
            self._newest = (position.epoch, position.flush)
            self._position = position

    def result(self) -> Position:
        if self._position is None and self._refusal is not None:
            raise DocumentInvalid(
                f"{POSITIONS_TOPIC} holds no position of {self._publisher} that verifies ({self._refusal}): starting "
                "from nothing would publish everything again; restore the record or remove it deliberately"
            )
        return self._position or Position.first()


def _decode(value: bytes) -> Position:
    try:
        return msgspec.json.decode(value, type=Position)
    except msgspec.DecodeError as error:
        raise DocumentInvalid(f"a position record is malformed: {error}") from None


def _key(publisher: PublisherId) -> bytes:
    return str(publisher).encode()
