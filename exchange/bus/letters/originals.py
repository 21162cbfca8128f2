"""Records read again from where they are: one by one, for the letters that keep them.

A failure is rare and reading one record is cheap beside it, so records are not carried along in case they fail.
"""

from __future__ import annotations

from exchange.envelope import Record
from exchange.transport.kafka import Partition, PartitionConsumer

_POLL_SECONDS = 1.0
_NEAR = 1_000
"""Offsets that are read through rather than sought: what was fetched ahead is thrown away by seeking."""


class Originals:
    """Reads single records of one partition, best in order, as an async context manager; raises BrokerUnreachable."""

    def __init__(self, bootstrap: str, place: Partition) -> None:
        self._place = place
        self._consumer = PartitionConsumer(bootstrap)
        self._bounds = range(0)
        self._at = -1

    async def __aenter__(self) -> Originals:
        await self._consumer.start()
        try:
            self._consumer.assign([self._place])
            first = await self._consumer.beginning_offsets([self._place])
            end = await self._consumer.end_offsets([self._place])
        except BaseException:
            await self._consumer.close()
            raise
        self._bounds = range(first[self._place], end[self._place])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.close()

    async def fetch(self, offset: int) -> Record | None:
        """The record at `offset`; None where it is gone (compacted, expired), or no client can read it."""
        if offset not in self._bounds:
            return None
        if self._at < 0 or not 0 <= offset - self._at < _NEAR:
            self._consumer.seek(self._place, offset)
            self._at = offset
        while self._at <= offset:
            found = await self._next(offset)
            if found is not None:
                return found
        return None

    async def _next(self, offset: int) -> Record | None:
        """Go on towards `offset`, at most up to it: as many records as there can be before it, and it."""
        found: Record | None = None
        for polled in await self._consumer.poll(seconds=_POLL_SECONDS, limit=offset - self._at + 1):
            found = next((record for record in polled.records if record.offset == offset), found)
        self._at = await self._consumer.position(self._place)
        return found
