"""The bus in memory, as an adapter uses it: kept to the contract test that the one on Kafka passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from exchange.avro import Schema
from exchange.bus import Batch, PositionStore
from exchange.connect.ports import UnfitEvent
from exchange.envelope import Event
from exchange.errors import BrokerUnreachable, PublisherFenced, SchemaNotFound, TransportError
from exchange.ids import AgencyId, PublisherId

TIME = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Letter:
    """A dead letter: why, and where what was refused came from."""

    code: str
    message: str
    key: str | None
    details: Mapping[str, str]


@dataclass
class MemoryBus:
    """All topics, positions and dead letters. Outages: `away` counts down with every attempt to reach it; `lose_answer`
    makes the next commit hold and fail all the same."""

    schemas: dict[str, Schema] = field(default_factory=dict)
    topics: dict[str, list[Event]] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    positions: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    commits: int = 0
    gate: asyncio.Event | None = None
    is_waiting: bool = False
    away: int = 0
    lose_answer: bool = False
    batch_size: int = 100
    keepers: dict[str, set[int]] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    committed: list[int] = field(default_factory=list)

    def register(self, topic: str, text: str) -> None:
        """Register a schema for a topic."""
        self.schemas[topic] = Schema.parse(text)

    def data(self, topic: str) -> list[dict[str, Any] | None]:
        """What the events of a topic say, in order."""
        return [event.data for event in self.topics.get(topic, [])]

    def append(self, topic: str, data: dict[str, Any] | None, key: str | None = None, time: datetime = TIME) -> None:
        """Put an event on a topic, as some publisher would."""
        log = self.topics.setdefault(topic, [])
        agency = AgencyId.parse("UZ/GOV/interior/civil")
        log.append(Event(topic, 0, len(log), key, "", agency, topic, time, None, data, "p", 1, len(log), None))
        self.changed.set()

    async def open_gate(self) -> None:
        """Wait until commits may go through."""
        await asyncio.sleep(0)
        if self.gate is not None:
            self.is_waiting = True
            await self.gate.wait()

    def reach(self) -> None:
        """Answer, or be away."""
        if self.away:
            self.away -= 1
            raise BrokerUnreachable("Kafka does not answer")

    def publisher(self, publisher: PublisherId) -> MemoryPublisher:
        """A publisher, not started."""
        return MemoryPublisher(self, str(publisher))

    def subscriber(
        self, group: str, topic: str, positions: PositionStore, start: Literal["beginning", "end"]
    ) -> MemorySubscriber:
        """A subscriber, not started."""
        return MemorySubscriber(self, group, topic, positions, start)

    def unfit_events(self, group: str) -> MemoryUnfitEvents:
        """The dead letters of a group's sink."""
        return MemoryUnfitEvents(self, group)


class MemoryPublisher:
    """Buffers, and moves the buffer to the topics with the position."""

    def __init__(self, bus: MemoryBus, name: str) -> None:
        self._bus = bus
        self._name = name
        self._epoch = 0
        self._is_open = False
        self._opened: dict[str, Schema] = {}
        self._events: list[tuple[str, dict[str, Any] | None, str | None, datetime]] = []
        self._letters: list[Letter] = []
        self._committing: asyncio.Task[int] | None = None

    @property
    def position(self) -> dict[str, Any] | None:
        """The position last committed under this name."""
        return self._bus.positions.get(self._name)

    async def __aenter__(self) -> MemoryPublisher:
        self._bus.reach()
        self._epoch = self._bus.epochs[self._name] = self._bus.epochs.get(self._name, 0) + 1
        self._is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._committing is not None:
            self._committing.cancel()
            await asyncio.gather(self._committing, return_exceptions=True)
        self._is_open = False

    async def open(self, topic: str, schema_text: str) -> None:
        """Make ready for a topic whose schema is registered."""
        if self._bus.schemas.get(topic) != Schema.parse(schema_text):
            raise SchemaNotFound(f"the schema is not registered for {topic}")
        self._opened[topic] = self._bus.schemas[topic]

    def add(
        self,
        topic: str,
        data: dict[str, Any] | None,
        *,
        key: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
    ) -> None:
        """Buffer an event as its schema writes and reads it."""
        schema = self._opened[topic]
        kept = None if data is None else schema.decode(schema.encode(data))
        self._events.append((topic, kept, key, time or TIME))

    def add_rejected(self, code: str, message: str, *, key: str | None, details: Mapping[str, str]) -> None:
        """Buffer a dead letter."""
        self._letters.append(Letter(code, message, key, dict(details)))

    async def commit(self, position: dict[str, Any] | None = None) -> int:
        """Everything at once; how many events."""
        await self.begin_commit(position)
        return await self.finish_commit()

    async def begin_commit(self, position: dict[str, Any] | None = None) -> None:
        """After the one before it; in a task of its own."""
        await self.finish_commit()
        events, letters = self._events, self._letters
        self._events, self._letters = [], []
        self._committing = asyncio.create_task(self._commit(events, letters, position))

    async def finish_commit(self) -> int:
        """Until it holds."""
        committing, self._committing = self._committing, None
        return 0 if committing is None else await committing

    async def _commit(self, events: list[Any], letters: list[Letter], position: dict[str, Any] | None) -> int:
        await self._bus.open_gate()
        if not self._is_open:
            raise TransportError("closed", code="publisher_closed")
        self._is_open = False  # until it held
        if self._epoch != self._bus.epochs[self._name]:
            raise PublisherFenced(f"{self._name} was taken over")
        self._bus.reach()
        count = self._move(events, letters, position)
        if self._bus.lose_answer:
            self._bus.lose_answer = False
            raise BrokerUnreachable("the answer to the commit was lost")
        self._is_open = True
        return count

    def _move(self, events: list[Any], letters: list[Letter], position: dict[str, Any] | None) -> int:
        for topic, data, key, time in events:
            self._bus.append(topic, data, key, time)
        self._bus.letters += letters
        if position is not None:
            self._bus.positions[self._name] = position
        self._bus.commits += 1
        return len(events)


class MemorySubscriber:
    """Hands out one partition's events from the sink's place on."""

    def __init__(
        self, bus: MemoryBus, group: str, topic: str, positions: PositionStore, start: Literal["beginning", "end"]
    ) -> None:
        self._bus = bus
        self._group = group
        self._topic = topic
        self._positions = positions
        self._start = start
        self._stopped = False
        self._next = 0

    async def __aenter__(self) -> MemorySubscriber:
        self._bus.reach()
        stored = await self._positions.load(self._group, self._topic, 0)
        beginning = len(self._bus.topics.get(self._topic, [])) if self._start == "end" else 0
        self._next = beginning if stored is None else stored.next_offset
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    async def batches(self) -> AsyncIterator[Batch]:
        """Batches until `stop`."""
        while not self._stopped:
            first = self._next
            events = self._bus.topics.get(self._topic, [])[first : first + self._bus.batch_size]
            if not events:
                self._bus.changed.clear()
                await self._bus.changed.wait()
                continue
            self._next = first + len(events)
            yield Batch(self._topic, 0, first, self._next, events, [], f"sequences@{self._next}", 1)

    async def commit(self, batch: Batch) -> None:
        """Remember what the group was told."""
        self._bus.committed.append(batch.next_offset)

    def stop(self) -> None:
        """End `batches`."""
        self._stopped = True
        self._bus.changed.set()


class MemoryUnfitEvents:
    """Keeps each offset once. Whoever keeps first in a partition fences whoever did before."""

    def __init__(self, bus: MemoryBus, group: str) -> None:
        self._bus = bus
        self._group = group
        self._epochs: dict[str, int] = {}

    async def keep(self, batch: Batch, unfit: Sequence[UnfitEvent]) -> None:
        """Those not kept before, in order."""
        self._bus.reach()
        topic, partition = batch.topic, batch.partition
        place = f"{self._group} {topic} {partition}"
        if place not in self._epochs:
            self._epochs[place] = self._bus.epochs[place] = self._bus.epochs.get(place, 0) + 1
        if self._epochs[place] != self._bus.epochs[place]:
            del self._epochs[place]
            raise PublisherFenced(f"{place} was taken over")
        kept = self._bus.keepers.setdefault(place, set())
        for each in unfit:
            if each.offset not in kept:
                kept.add(each.offset)
                details = {"topic": topic, "partition": str(partition), "offset": str(each.offset)}
                self._bus.letters.append(Letter(each.error.code, each.error.message, each.key, details))

    async def close(self) -> None:
        """Nothing to let go of."""
