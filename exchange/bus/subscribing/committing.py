"""Committing what was processed: one request at a time, each with everything that was noted while the last was away.

So a reader of many partitions does not wait for a round trip a batch. Nothing is committed before it was noted; what
was noted and not committed when the process dies comes again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from exchange.bus import metrics
from exchange.bus.subscribing.batch import Batch
from exchange.bus.subscribing.lags import Lags
from exchange.errors import TransportError
from exchange.transport.kafka import ASSIGNMENT_LOST, GroupConsumer, GroupPosition, Partition


class Committer:
    """The commits of one member."""

    def __init__(self, group: str, consumer: GroupConsumer, lags: Lags) -> None:
        self._group = group
        self._consumer = consumer
        self._lags = lags
        self._noted: list[Batch] = []
        self._task: asyncio.Task[None] | None = None

    def note(self, batch: Batch) -> None:
        """The batch was processed: its place is committed with the next request. Raises what the last one raised."""
        self._raise_last()
        self._noted.append(batch)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def settle(self) -> None:
        """Return once all that was noted is committed.

        Raises BrokerUnreachable, and TransportError `assignment_lost` where a partition has moved.
        """
        if self._task is not None:
            await asyncio.wait([self._task])
        self._raise_last()

    async def forget(self) -> None:
        """What is not committed by now never is: its partitions are another's."""
        self._noted.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError, TransportError):
                await task

    def _raise_last(self) -> None:
        task = self._task
        if task is not None and task.done():
            self._task = None
            task.result()

    async def _run(self) -> None:
        while self._noted:
            batches, self._noted = self._noted, []
            try:
                await self._consumer.commit({_place(each): _position(each) for each in batches})
            except TransportError as error:
                if error.code == ASSIGNMENT_LOST:
                    metrics.ASSIGNMENTS_LOST.labels(self._group).inc(len(batches))
                self._noted.clear()
                raise
            for batch in batches:
                metrics.CONSUMED.labels(batch.topic, self._group).inc(len(batch.events))
                self._lags.show(_place(batch), self._consumer.lag(_place(batch), batch.next_offset))


def _place(batch: Batch) -> Partition:
    return Partition(batch.topic, batch.partition)


def _position(batch: Batch) -> GroupPosition:
    return GroupPosition(batch.next_offset, batch.sequences)
