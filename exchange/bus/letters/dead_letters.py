"""Keeping refused records: exactly once, by a position of its own in the same transaction.

There is one writer per (group, source partition): whoever is assigned the partition fences its predecessor, so that
a member that lost the partition without noticing cannot write a second copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from exchange.bus import metrics
from exchange.bus.letters.letter import Refusal, refused_letter
from exchange.bus.publishing.writer import SealedWriter
from exchange.clock import Clock
from exchange.ids import AgencyId, PublisherId
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
        self._agency = agency
        self._group = group
        self._bootstrap = bootstrap
        self._signer = signer
        self._directory = directory
        self._clock = clock
        self._writers: dict[Partition, SealedWriter] = {}

    async def keep(self, place: Partition, refusals: Sequence[Refusal], next_offset: int) -> int:
        """Write those of `refusals` that were not kept before; how many. `next_offset` is where the batch ends.

        Raises PublisherFenced when another member took the partition over, and what Kafka raises; then nothing of
        this call was kept, and calling again (after a restart) keeps each once.
        """
        writer = await self._writer(place)
        kept = (writer.position.application or {}).get(_NEXT, 0)
        fresh = [refusal for refusal in refusals if refusal.offset >= kept]
        if not fresh:
            return 0
        publisher, now = self._publisher(place), self._clock.now()
        letters = [refused_letter(publisher, refusal, self._group, now) for refusal in fresh]
        try:
            await writer.commit(letters, {}, {_NEXT: next_offset})
        finally:
            if not writer.is_open:
                del self._writers[place]
        for refusal in fresh:
            metrics.DEAD_LETTERS.labels(place.topic, refusal.error.code).inc()
        return len(fresh)

    async def release(self, places: Iterable[Partition]) -> None:
        """Close the writers of partitions that move to another member."""
        for place in places:
            writer = self._writers.pop(place, None)
            if writer is not None:
                await writer.close()

    async def close(self) -> None:
        """Close every writer."""
        await self.release(list(self._writers))

    async def _writer(self, place: Partition) -> SealedWriter:
        if place not in self._writers:
            writer = SealedWriter(self._publisher(place), self._bootstrap, self._signer, self._directory, self._clock)
            await writer.start()
            self._writers[place] = writer
        return self._writers[place]

    def _publisher(self, place: Partition) -> PublisherId:
        named = f"{self._group}\x00{place.topic}\x00{place.number}"
        return PublisherId(self._agency, f"dead-letters-{hashlib.sha256(named.encode()).hexdigest()[:16]}")
