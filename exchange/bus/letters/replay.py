"""Replay: a range of a topic again, to one group alone, through the agency's redeliveries (spec 2).

Each record is verified (steps 1 to 8) before it is copied, and again by the group that reads it. How far the copy got
is the position of the publisher `<agency>/replay-<16 hex>`, named after the replay's id: so SIGKILL at any line loses
nothing and repeats nothing, and the same replay asked for again goes on where it was, or does nothing more.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from exchange.bus.letters.letter import Case, Reason, is_whole, letter_of
from exchange.bus.letters.writers import Post
from exchange.bus.publishing.prepared import prepare
from exchange.bus.subscribing.ports import SchemaCache
from exchange.envelope import Opener, Record, schema_id_of
from exchange.errors import RecordRefused, SchemaNotFound
from exchange.ids import PublisherId
from exchange.transport.kafka import Partition, PartitionConsumer

_POLL_SECONDS = 0.5
_STEP = 500
_REPLAYED = Reason("replayed", 0, "asked for again")

Spans = Mapping[int, range]
"""partition -> offsets."""


class Progress(msgspec.Struct, frozen=True):
    """How far a replay got: offsets [first, end) by partition, the next one of each, what was copied and what not."""

    spans: dict[int, tuple[int, int]]
    at: dict[int, int]
    copied: int = 0
    refused: int = 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return all(self.at[partition] >= end for partition, (_, end) in self.spans.items())


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """Which topic, to which group, and the id under which this replay is known."""

    topic: str
    group: str
    id: str

    @property
    def publisher(self) -> str:
        """The last part of the name it is written under."""
        named = f"{self.topic}\x00{self.group}\x00{self.id}"
        return f"replay-{hashlib.sha256(named.encode()).hexdigest()[:16]}"


class Replay:
    """Copies spans of a topic to one group's redeliveries, as an async context manager. Raises as a writer's start.

    `step`: how many records are read at once, and delivered in one transaction.
    """

    def __init__(self, post: Post, schemas: SchemaCache, order: ReplayOrder, *, step: int = _STEP) -> None:
        self._post = post
        self._order = order
        self._step = step
        self._schemas = schemas
        self._opener = Opener(post.directory, schemas, clock=post.clock)
        self._writer = post.writer(order.publisher)
        self._publisher = PublisherId(post.agency, order.publisher)

    async def __aenter__(self) -> Replay:
        await self._writer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.close()

    @property
    def progress(self) -> Progress | None:
        """How far this replay got before, None where it never began."""
        position = self._writer.position.application
        return None if position is None else msgspec.convert(position, Progress, strict=False)

    async def run(self, spans: Spans) -> AsyncIterator[Progress]:
        """Copy what is left of `spans` (of those that a replay of this id began with); how far it is, each commit.

        Raises TransportError and the like; what was copied stays, and running again goes on.
        """
        progress = self.progress or replay_start(spans)
        if progress.is_done:
            return
        async with PartitionConsumer(self._post.bootstrap) as consumer:
            for partition, (_, end) in progress.spans.items():
                place, at = Partition(self._order.topic, partition), progress.at[partition]
                async for records, following in _chunks(consumer, place, range(at, end), self._step):
                    progress = await self._copy(progress, partition, records, following)
                    yield progress

    async def verifies(self, record: Record) -> bool:
        """Whether a record holds steps 1 to 8 now, and can be kept whole: what is copied, and counted by a dry run."""
        number = schema_id_of(record.value)
        if number is not None and self._schemas.get(number) is None:
            try:
                await self._schemas.load([number])
            except SchemaNotFound:
                return False
        try:
            self._opener.open(record)
        except RecordRefused:
            return False
        return is_whole(record.key, record.value, record.headers)

    async def _copy(self, progress: Progress, partition: int, records: Sequence[Record], following: int) -> Progress:
        good = [record for record in records if await self.verifies(record)]
        origin = f"replay/{self._order.id}"
        case = Case(_REPLAYED, self._order.group, 0, origin=origin)
        topic, now = self._post.agency.redelivery_topic, self._post.clock.now()
        letters = [letter_of(self._publisher, topic, record, case, now) for record in good]
        moved = Progress(
            progress.spans,
            {**progress.at, partition: following},
            progress.copied + len(good),
            progress.refused + len(records) - len(good),
        )
        await self._writer.commit(list(map(prepare, letters)), {}, _position(moved))
        return moved


def replay_start(spans: Spans) -> Progress:
    """The beginning of a replay."""
    bounds = {partition: (span.start, span.stop) for partition, span in spans.items()}
    return Progress(bounds, {partition: span.start for partition, span in spans.items()})


async def read_span(bootstrap: str, place: Partition, span: range) -> AsyncIterator[Record]:
    """The records of one span, in order: for a dry run."""
    async with PartitionConsumer(bootstrap) as consumer:
        async for records, _ in _chunks(consumer, place, span, _STEP):
            for record in records:
                yield record


async def _chunks(
    consumer: PartitionConsumer, place: Partition, span: range, step: int
) -> AsyncIterator[tuple[list[Record], int]]:
    """Some records at a time, and the offset to go on from; markers and holes at the end of the span are passed."""
    at, end = span.start, span.stop
    if at >= end:
        return
    consumer.assign([place])
    consumer.seek(place, at)
    while at < end:
        for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=step):
            at = min(polled.next_offset, end)
            yield [record for record in polled.records if record.offset < end], at
        if at < min(await consumer.position(place), end):
            at = min(await consumer.position(place), end)
            yield [], at


def _position(progress: Progress) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(progress, str_keys=True)
    return built
