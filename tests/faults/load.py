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
        """What was survived, as it came."""
        self.longest = {"publish": 0.0, "copy": 0.0}
        """The longest time without a commit, and without a copied batch, s."""

    async def __aenter__(self) -> Load:
        self._copy.__enter__()
        work = {"publish": self._publish, "copy": self._follow}
        self._tasks = [asyncio.create_task(self._survive(each)) for each in work.values()]
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
        """Begin anew after what may pass, as a process that is started again does; the rest is raised."""
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
            last = time.monotonic()
            while not self._stop.is_set():
                for n in range(self.rows, self.rows + STEP):
                    publisher.add(self._world.topic, {"n": n}, key=key_of(n))
                await publisher.commit({"row": self.rows + STEP})
                self.rows += STEP
                last = self._note("publish", last)
                await asyncio.sleep(_PACE)

    async def _follow(self) -> None:
        async with self._world.subscriber("load", positions=self._copy) as subscriber:
            last = time.monotonic()
            async for batch in subscriber.batches():
                self._copy.store(batch)
                self._copied = self._copy.count()
                last = self._note("copy", last)
                await subscriber.commit(batch)

    def _note(self, what: str, last: float) -> float:
        now = time.monotonic()
        self.longest[what] = max(self.longest[what], now - last)
        self._moved.set()
        return now
