"""A topic as a table: read from the beginning, then followed; the owner applies each record to its own state.

async with TableReader(bootstrap, "_exchange.consent", view.apply, clock) as reader:
    await reader.wait_until(partition, offset)         # read your own write
    reader.last_current_at                             # how stale the view may be
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from exchange.clock import Clock
from exchange.errors import TransportError
from exchange.transport.kafka.consumer import PartitionConsumer
from exchange.transport.kafka.failures import unreachable
from exchange.transport.kafka.record import Partition, Received

_POLL_SECONDS = 0.5
_POLL_LIMIT = 5_000


class TableReader:
    """Applies every committed record of a topic, in each partition's order, and knows how current it is.

    `apply` is called in the reader's own task; what it raises stops the reader and is raised to whoever waits. Unless
    `past_open`, starting waits for nothing that is not committed: a transaction whose writer was killed stays open for
    as long as the broker lets it.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        apply: Callable[[Received], None],
        clock: Clock,
        *,
        load_seconds: float = 120.0,
        past_open: bool = True,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._apply = apply
        self._clock = clock
        self._load_seconds = load_seconds
        self._past_open = past_open
        self._positions: dict[Partition, int] = {}
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ended = False
        self._confirmed = 0
        self._caught_up = False
        self._last_current_at: datetime | None = None

    @property
    def caught_up(self) -> bool:
        """Whether all that was committed when the reader started has been applied."""
        return self._caught_up

    @property
    def last_current_at(self) -> datetime | None:
        """When the broker last confirmed that nothing committed was missing here; None before the first time."""
        return self._last_current_at

    @property
    def positions(self) -> Mapping[int, int]:
        """The next offset of each partition."""
        return {place.number: offset for place, offset in self._positions.items()}

    async def __aenter__(self) -> TableReader:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Read to the end, then go on following.

        Raises BrokerUnreachable, SettingsError (no such topic), or what `apply` raised.
        """
        consumer = PartitionConsumer(self._bootstrap)
        await consumer.start()
        try:
            places = await consumer.partitions(self._topic)
            consumer.assign(places)
            goal = await (high_watermarks(self._bootstrap, places) if self._past_open else consumer.end_offsets(places))
            self._positions = dict.fromkeys(places, 0)
            self._task = asyncio.create_task(self._follow(consumer))
        except BaseException:
            await consumer.close()
            raise
        try:
            await self._wait(lambda: self._reached(goal), self._load_seconds)
        except BaseException:
            await self.close()
            raise
        self._caught_up = True

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task

    async def wait_until(self, partition: int, offset: int, seconds: float = 10.0) -> None:
        """Return once the record at `offset` was applied (read your own write); raises BrokerUnreachable."""
        await self._wait(lambda: self._reached({Partition(self._topic, partition): offset + 1}), seconds)

    async def wait_stopped(self) -> None:
        """Return only by raising what stopped the reader: for an owner that must not go on without it."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def _reached(self, goal: Mapping[Partition, int]) -> bool:
        return all(self._positions.get(place, 0) >= offset for place, offset in goal.items())

    async def _wait(self, holds: Callable[[], bool], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    await self._require_following()
                    await self._moved.wait()
        except TimeoutError:
            raise unreachable(self._bootstrap) from None

    async def _require_following(self) -> None:
        if self._task is None or self._task.cancelled():
            raise TransportError(f"the reader of {self._topic} is closed", code="reader_closed")
        if self._ended:
            await self._task

    async def _follow(self, consumer: PartitionConsumer) -> None:
        try:
            while True:
                await self._step(consumer)
        finally:
            self._ended = True
            self._moved.set()
            await consumer.close()

    async def _step(self, consumer: PartitionConsumer) -> None:
        before = self._clock.now()
        for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=_POLL_LIMIT):
            for record in polled.records:
                self._apply(record)
        for place in self._positions:
            self._positions[place] = await consumer.position(place)
        self._note_current(before, [consumer.confirmed(place, at) for place, at in self._positions.items()])
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _note_current(self, before: datetime, confirmed: list[int | None]) -> None:
        """Current as of `before`, when every partition's end was asked anew and is where we are."""
        fresh = [stamp for stamp in confirmed if stamp is not None and stamp > self._confirmed]
        if len(fresh) == len(confirmed):
            self._confirmed = min(fresh)
            self._last_current_at = before


async def high_watermarks(bootstrap: str, places: list[Partition]) -> dict[Partition, int]:
    """Where each partition ends, open transactions included.

    A last stable offset would not do as the goal of a read: another writer's open transaction holds it back,
    possibly behind records that were committed before.
    """
    async with PartitionConsumer(bootstrap, isolation="read_uncommitted") as consumer:
        return await consumer.end_offsets(places)
