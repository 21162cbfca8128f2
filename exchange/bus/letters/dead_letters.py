"""Keeping refused records: exactly once, by a position of its own in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from exchange.bus import metrics
from exchange.bus.letters.letter import Refusal, refused_letter
from exchange.bus.letters.writers import LetterWriters, Post
from exchange.clock import Clock
from exchange.ids import AgencyId
from exchange.transport.kafka import Partition
from exchange.trust import Directory, Signer

_NEXT = "next_offset"


class DeadLetters:
    """The dead letters of one group of an agency, on `<class>.<member>.<subsystem>.dead-letters`."""

    def __init__(
        self,
        agency: AgencyId,
        group: str,
        bootstrap: str,
        signer: Signer,
        directory: Callable[[], Directory],
        clock: Clock,
    ) -> None:
        self._group = group
        self._clock = clock
        self._writers = LetterWriters("dead-letters", group, Post(agency, bootstrap, signer, directory, clock))

    async def keep(self, place: Partition, refusals: Sequence[Refusal], next_offset: int) -> int:
        """Write those of `refusals` that were not kept before; how many. `next_offset` is where the batch ends.

        Raises PublisherFenced when another member took the partition over, and what Kafka raises; then nothing of
        this call was kept, and calling again (after a restart) keeps each once.
        """
        kept = (await self._writers.position(place)).get(_NEXT, 0)
        fresh = [refusal for refusal in refusals if refusal.offset >= kept]
        if not fresh:
            return 0
        publisher, now = self._writers.publisher(place), self._clock.now()
        letters = [refused_letter(publisher, refusal, self._group, now) for refusal in fresh]
        await self._writers.commit(place, letters, {_NEXT: next_offset})
        for refusal in fresh:
            metrics.DEAD_LETTERS.labels(place.topic, refusal.error.code).inc()
        return len(fresh)

    async def release(self, places: Iterable[Partition]) -> None:
        """Close the writers of partitions that move to another member."""
        await self._writers.release(places)

    async def close(self) -> None:
        """Close every writer."""
        await self._writers.close()
