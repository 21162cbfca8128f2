"""Records read again from where they are: one by one, for the letters that keep them.

A failure is rare and reading one record is cheap beside it, so records are not carried along in case they fail.
"""

from __future__ import annotations

from exchange.envelope import Record
from exchange.transport.kafka import Partition, PartitionConsumer

_POLL_SECONDS = 1.0


class Originals:
    """Reads single records of one partition, as an async context manager; raises BrokerUnreachable."""

    def __init__(self, bootstrap: str, place: Partition) -> None:
        self._place = place
        self._consumer = PartitionConsumer(bootstrap)
        self._bounds = range(0)

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
        self._consumer.seek(self._place, offset)
        while await self._consumer.position(self._place) <= offset:
            for polled in await self._consumer.poll(seconds=_POLL_SECONDS, limit=1):
                for record in polled.records:
                    return record if record.offset == offset else None
        return None
