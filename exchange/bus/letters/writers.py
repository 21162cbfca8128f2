"""Writers of letters: one sealed writer per (purpose, group, source partition), started when it is first needed.

Whoever is assigned the partition fences its predecessor, so that a member that lost the partition without noticing
cannot write a second copy. What was written is in the writer's position, in the transaction of the letters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.bus.publishing.prepared import prepare
from exchange.bus.publishing.writer import SealedWriter
from exchange.clock import Clock
from exchange.envelope import Unsealed
from exchange.ids import AgencyId, PublisherId
from exchange.transport.kafka import Partition
from exchange.trust import Directory, Signer


@dataclass(frozen=True, slots=True)
class Post:
    """What an agency's letters are written with."""

    agency: AgencyId
    bootstrap: str
    signer: Signer
    directory: Callable[[], Directory]
    clock: Clock

    def writer(self, name: str) -> SealedWriter:
        """A writer of this agency, not started."""
        publisher = PublisherId(self.agency, name)
        return SealedWriter(publisher, self.bootstrap, self.signer, self.directory, self.clock)


class LetterWriters:
    """The writers of one group for one purpose, e.g. `dead-letters`: the publishers are `<purpose>-<16 hex>`."""

    def __init__(self, purpose: str, group: str, post: Post) -> None:
        self._purpose = purpose
        self._group = group
        self._post = post
        self._writers: dict[Partition, SealedWriter] = {}

    def publisher(self, place: Partition) -> PublisherId:
        """Who writes for a source partition."""
        named = f"{self._group}\x00{place.topic}\x00{place.number}"
        digest = hashlib.sha256(named.encode()).hexdigest()[:16]
        return PublisherId(self._post.agency, f"{self._purpose}-{digest}")

    async def position(self, place: Partition) -> dict[str, Any]:
        """What was last committed for a source partition, by this member or one before it; raises as `start` does."""
        return (await self._writer(place)).position.application or {}

    async def commit(self, place: Partition, letters: Sequence[Unsealed], position: dict[str, Any]) -> None:
        """Letters and position, in one transaction; after an error the next call starts a new writer."""
        writer = await self._writer(place)
        try:
            await writer.commit(list(map(prepare, letters)), {}, position)
        finally:
            if not writer.is_open:
                self._writers.pop(place, None)

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
            writer = self._post.writer(self.publisher(place).name)
            await writer.start()
            self._writers[place] = writer
        return self._writers[place]
