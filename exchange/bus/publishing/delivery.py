"""Where an event went: one report an event, made when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import overload

from exchange.bus.publishing.prepared import Prepared, sealing_order
from exchange.clock import from_unix_millis
from exchange.envelope import MAX_FLUSH
from exchange.transport.kafka import Written


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that is durable and visible: its place, and what its seal says.

    `offset` and `timestamp` (the broker's time) are None where Kafka's answer was lost and the event found written.
    """

    topic: str
    partition: int
    offset: int | None
    timestamp: datetime | None
    id: str
    sequence: int
    epoch: int
    flush: int


@dataclass(frozen=True, slots=True)
class Committed:
    """How a transaction was written: each batch's place in order (None: unknown), its epoch and its first flush."""

    written: Sequence[Written] | None
    epoch: int
    flush: int


class Deliveries(Sequence[Delivery]):
    """The reports of events of one transaction, in the order they were given. Each is made when it is asked for."""

    def __init__(self, places: Places, indices: Sequence[int]) -> None:
        self._places = places
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, at: int) -> Delivery: ...

    @overload
    def __getitem__(self, at: slice) -> Deliveries: ...

    def __getitem__(self, at: int | slice) -> Delivery | Deliveries:
        if isinstance(at, slice):
            return Deliveries(self._places, self._indices[at])
        return self._places.delivery(self._indices[at])


class Places:
    """Where the records of one committed transaction lie; worked out once, when the first is asked for."""

    def __init__(self, records: Sequence[Prepared], committed: Committed) -> None:
        self._records = records
        self._committed = committed
        self._found: list[tuple[int | None, int | None]] | None = None
        self._flushes: dict[int, int] = {}

    def delivery(self, index: int) -> Delivery:
        """The report of the record at `index`, which is an event's."""
        if self._found is None:
            self._found = _find(self._records, self._committed.written)
            self._flushes = {at: leaf // MAX_FLUSH for leaf, at in enumerate(sealing_order(self._records))}
        record, (offset, millis) = self._records[index], self._found[index]
        return Delivery(
            topic=record.topic,
            partition=record.partition,
            offset=offset,
            timestamp=None if millis is None else from_unix_millis(millis),
            id=record.event_id,
            sequence=record.sequence,
            epoch=self._committed.epoch,
            flush=self._committed.flush + self._flushes[index],
        )


def _find(records: Sequence[Prepared], written: Sequence[Written] | None) -> list[tuple[int | None, int | None]]:
    """Offset and time of each record: a partition's records lie in its batches in their order."""
    if written is None:
        return [(None, None)] * len(records)
    batches: dict[tuple[str, int], list[Written]] = {}
    for batch in written:
        batches.setdefault((batch.topic, batch.partition), []).append(batch)
    offsets = {place: _offsets(each) for place, each in batches.items()}
    return [next(offsets[record.topic, record.partition]) for record in records]


def _offsets(batches: Sequence[Written]) -> Iterator[tuple[int, int | None]]:
    for batch in batches:
        yield from zip(range(batch.offset, batch.last + 1), repeat(batch.timestamp), strict=False)
