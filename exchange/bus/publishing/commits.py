"""One commit at a time, in the order given; once one did not hold, none that follows does."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from exchange.bus import metrics
from exchange.bus.publishing.ahead import Work
from exchange.bus.publishing.bundle import Bundle
from exchange.bus.publishing.pulse import Pulse
from exchange.bus.publishing.steady import SteadyWriter
from exchange.errors import TransportError


class Commits:
    """Owns the task that commits. Everything it was given comes to an end: settled, or failed."""

    def __init__(self, writer: SteadyWriter, publisher: str) -> None:
        self._writer = writer
        self._publisher = publisher
        self.in_flight = 0
        """Bytes of what was given and has not ended."""
        metrics.IN_FLIGHT.labels(publisher).set_function(lambda: self.in_flight)
        self._waiting: deque[tuple[Bundle, Work]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.progress = Pulse()
        """Beats when a commit has ended."""

    @property
    def is_idle(self) -> bool:
        """Whether no commit is under way."""
        return self._task is None

    @property
    def is_open(self) -> bool:
        """Whether commits may follow: started, not closed, and none has failed."""
        return self._writer.is_open and not self._closed

    def start(self, bundle: Bundle) -> None:
        """Commit `bundle` after those before it."""
        if not self.is_open:
            bundle.fail(closed(self._publisher))
            self.progress.beat()
            return
        work = self._writer.begin(bundle.records, bundle.sequences, bundle.position)
        self._waiting.append((bundle, work))
        self.in_flight += bundle.size
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Break off what is under way, and close the writer."""
        self._closed = True
        task = self._task
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._fail_waiting(closed(self._publisher))
        await self._writer.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._commit(*self._waiting[0])
        finally:
            self._task = None
            self.progress.beat()

    async def _commit(self, bundle: Bundle, work: Work) -> None:
        try:
            committed = await self._writer.commit(work)
        except Exception as error:
            # Its records are gone from the buffer: going on would leave a hole. A successor starts from what holds.
            self._closed = True
            await self._writer.close()
            self._fail_waiting(error)
            return
        metrics.FLUSHES.labels(self._publisher, bundle.cause.value).inc()
        for topic, count in bundle.events.items():
            metrics.PUBLISHED.labels(topic, self._publisher).inc(count)
        bundle.settle(committed)
        self._end()

    def _end(self) -> None:
        bundle, _ = self._waiting.popleft()
        self.in_flight -= bundle.size
        self.progress.beat()

    def _fail_waiting(self, error: BaseException) -> None:
        while self._waiting:
            self._waiting[0][0].fail(error)
            self._end()


def closed(publisher: str) -> TransportError:
    """What is said of a publisher that takes nothing more."""
    return TransportError(f"{publisher} is closed, or a commit failed before: start a new one", code="publisher_closed")
