"""Work that goes on while something fails: a publisher of numbered rows, and a subscriber that copies them.

    async with Load(world, "sqlite:copy.db") as load:
        ...                                    # break something
        await load.go_on()                     # returns once rows are committed and copied again
    await require_exactly_once(world, load.rows, copy)

Leaving the block lets the copy catch up. What is raised that nobody may survive leaves the block as it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from exchange.bus import Batch, StoredPosition
from exchange.errors import ExchangeError
from tests.fakes.bus_world import SCHEMA, World
from tests.faults.copies import Copy, open_copy
from tests.faults.work import key_of

STEP = 20
_PACE = 0.02
_AGAIN = 0.2


class Load:
    """One publisher and one copy, as an async context manager."""

    def __init__(self, world: World, place: str) -> None:
        self._world = world
        self._copy: Copy = open_copy(place)
        self._stop = asyncio.Event()
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._copied = 0
        self.rows = 0
        """Committed so far: the next row's number."""
        self.errors: list[ExchangeError] = []
        """What the copy began anew after. The publisher recovers by itself, or its error ends the test."""
        self._last: dict[str, float] = {}
        self.longest = {"publish": 0.0, "copy": 0.0}
        """The longest time without a commit, and without a copied batch, s."""

    async def __aenter__(self) -> Load:
        self._copy.__enter__()
        self._tasks = [asyncio.create_task(self._publish()), asyncio.create_task(self._survive(self._follow))]
        await self.go_on()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._stop.set()
                await self._until(lambda: self._tasks[0].done() and self._copied >= self.rows)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._copy.__exit__()

    async def go_on(self) -> float:
        """Wait until rows were committed, and rows of these copied; how long it took, s."""
        began, rows = time.monotonic(), self.rows
        await self._until(lambda: self.rows > rows and self._copied > rows)
        return time.monotonic() - began

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._moved.clear()
            moving = asyncio.ensure_future(self._moved.wait())
            await asyncio.wait([moving, *self._working()], return_when=asyncio.FIRST_COMPLETED)
            moving.cancel()
            for task in self._tasks:
                if task.done():
                    task.result()

    def _working(self) -> list[asyncio.Task[None]]:
        return [task for task in self._tasks if not task.done()]

    async def _survive(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin anew after what may pass, as an adapter's copy does; the rest is raised."""
        while True:
            try:
                await work()
            except ExchangeError as error:
                if not error.retriable:
                    raise
                self.errors.append(error)
                await asyncio.sleep(_AGAIN)
            else:
                return

    async def _publish(self) -> None:
        async with self._world.publisher() as publisher:
            await publisher.open(self._world.topic, SCHEMA)
            self.rows = (publisher.position or {"row": 0})["row"]
            self._last.setdefault("publish", time.monotonic())
            while not self._stop.is_set():
                for n in range(self.rows, self.rows + STEP):
                    publisher.add(self._world.topic, {"n": n}, key=key_of(n))
                await publisher.commit({"row": self.rows + STEP})
                self.rows += STEP
                self._note("publish")
                await asyncio.sleep(_PACE)

    async def _follow(self) -> None:
        async with self._world.subscriber("load") as subscriber:
            self._last.setdefault("copy", time.monotonic())
            await subscriber.exactly_once(self)

    async def load(self, group: str, topic: str, partition: int) -> StoredPosition | None:
        """Where the copy stands."""
        return await self._copy.load(group, topic, partition)

    async def store(self, batch: Batch) -> None:
        """Into the copy."""
        await self._copy.store(batch)
        self._copied = self._copy.count()
        self._note("copy")

    def _note(self, what: str) -> None:
        now = time.monotonic()
        self.longest[what] = max(self.longest[what], now - self._last[what])
        self._last[what] = now
        self._moved.set()
