"""Many events from one source: put in with back-pressure, reported flush by flush, never all in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Callable, Iterable
from itertools import islice
from types import TracebackType

from exchange.bus.publishing.bundle import Bundle
from exchange.bus.publishing.delivery import Deliveries
from exchange.bus.publishing.flushing import Flusher
from exchange.bus.publishing.new_event import NewEvent

CHUNK = 500
"""Events taken from a source at a time."""

Delivered = Callable[[Deliveries], None]
"""Told of events that are delivered, in their order, some thousands at a time."""


class Bulk:
    """One source's events, as an async context manager: leaving it waits until all are delivered."""

    def __init__(self, flusher: Flusher, delivered: Delivered | None, *, is_eager: bool) -> None:
        self._flusher = flusher
        self._delivered = delivered
        self._is_eager = is_eager
        self._under_way: deque[tuple[Bundle, list[int]]] = deque()
        self.count = 0
        """How many are delivered."""

    async def __aenter__(self) -> Bulk:
        if self._is_eager:
            self._flusher.hold()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_eager:
            self._flusher.release()
        if error is None or isinstance(error, Exception):
            while self._under_way:
                await self._report()
        if error is not None:
            error.add_note(f"the {self.count} events before it are published")

    async def put(self, events: Iterable[NewEvent]) -> int:
        """Add events as soon as there is room: how many. Raises what one is refused for; those before it are in."""
        chunk: list[NewEvent] = []
        try:
            chunk.extend(events)
        finally:  # where the source raised, what it gave before is published
            await self._flusher.put_many(chunk, self._note)
        while self._under_way and self._under_way[0][0].is_done:
            await self._report()
        return len(chunk)

    async def put_all(self, events: Iterable[NewEvent] | AsyncIterable[NewEvent]) -> None:
        """Add everything that a source gives."""
        if isinstance(events, AsyncIterable):
            async for event in events:
                await self.put((event,))
            return
        source = iter(events)
        while await self.put(islice(source, CHUNK)):
            pass

    def _note(self, bundle: Bundle, added: range) -> None:
        if not self._under_way or self._under_way[-1][0] is not bundle:
            self._under_way.append((bundle, []))
        self._under_way[-1][1].extend(added)

    async def _report(self) -> None:
        bundle, indices = self._under_way.popleft()
        places = await bundle.wait()
        self.count += len(indices)
        if self._delivered is not None:
            self._delivered(Deliveries(places, indices))
