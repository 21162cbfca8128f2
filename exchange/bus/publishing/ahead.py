"""Transactions in their order, sealed before their turn: while one is written those after it are signed and packed.

Each is sealed on the position of the one before it, as if that were committed already. Where it is not, or not as it
was sealed (a recovery began an epoch), what follows is sealed again. Nothing of it was written: nobody can tell.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from exchange.bus.publishing.positions import Position
from exchange.bus.publishing.prepared import Prepared
from exchange.bus.publishing.pulse import Pulse
from exchange.bus.publishing.writer import SealedTransaction, Sequences

AHEAD = 2
"""How many are sealed, at most, behind the one whose turn it is: an HSM's time is hidden, memory is kept."""


@dataclass(eq=False, slots=True)
class Work:
    """What is to be committed together. `application` None keeps what the position has."""

    records: Sequence[Prepared]
    sequences: Sequences
    application: dict[str, Any] | None
    sealing: asyncio.Future[SealedTransaction] = field(init=False)


Seal = Callable[[Work, Position | None], Awaitable[SealedTransaction]]
"""Seals a work after a position; None: the one last committed."""


class Ahead:
    """Works that were begun and have not ended. `seal` may raise; whoever awaits the work's `sealing` is told."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._works: deque[Work] = deque()
        self._moved = Pulse()

    def begin(self, work: Work) -> None:
        """A work comes after those begun before it."""
        before = self._works[-1] if self._works else None
        self._works.append(work)
        self._start(work, before)

    def end(self, work: Work) -> None:
        """The first has ended, whichever way."""
        self._works.remove(work)
        work.sealing.cancel()
        self._moved.beat()

    def seal_anew(self) -> None:
        """What was committed last is not what the first was sealed after."""
        self._stop()
        before = None
        for work in self._works:
            self._start(work, before)
            before = work

    def close(self) -> None:
        """Nothing will be written any more."""
        self._stop()
        self._works.clear()

    def _start(self, work: Work, before: Work | None) -> None:
        work.sealing = asyncio.create_task(self._sealed(work, before))
        work.sealing.add_done_callback(_heard)

    def _stop(self) -> None:
        for work in self._works:
            work.sealing.cancel()

    async def _sealed(self, work: Work, before: Work | None) -> SealedTransaction:
        after = None if before is None else (await before.sealing).position
        while self._works.index(work) > AHEAD:
            await self._moved.wait()
        return await self._seal(work, after)


def _heard(sealing: asyncio.Future[SealedTransaction]) -> None:
    """An error is for whoever commits the work; one that is never committed took its error along."""
    if not sealing.cancelled():
        sealing.exception()
