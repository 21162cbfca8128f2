"""From Kafka to batches: poll, open each partition's records, keep what is refused, wait for what is not due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from exchange.bus.letters.dead_letters import DeadLetters
from exchange.bus.subscribing.batch import Batch
from exchange.bus.subscribing.lags import Lags
from exchange.bus.subscribing.membership import Member
from exchange.bus.subscribing.opening import BatchOpener, Opened
from exchange.bus.subscribing.pauses import Pauses
from exchange.bus.subscribing.redelivering import RedeliveryOpener
from exchange.bus.subscribing.size import BatchSize
from exchange.transport.kafka import Polled

POLL_SECONDS = 0.5
"""How long a poll waits for the first record: no longer does a stop wait for it."""


class Incoming:
    """The batches of one member, as they come."""

    def __init__(
        self,
        group: str,
        member: Member,
        records: BatchOpener,
        letters: RedeliveryOpener | None,
        dead_letters: DeadLetters | None,
        pauses: Pauses,
        lags: Lags,
        size: BatchSize,
        stopping: asyncio.Event,
    ) -> None:
        self._group = group
        self._member = member
        self._records = records
        self._letters = letters
        self._dead_letters = dead_letters
        self._pauses = pauses
        self._lags = lags
        self._size = size
        self._stopping = stopping

    async def poll(self) -> Sequence[Polled]:
        """What arrived; raises BrokerUnreachable, and what an assignment raised."""
        consumer = self._member.consumer
        seconds = self._pauses.end_due(consumer, POLL_SECONDS)
        arrived = await consumer.poll(seconds=seconds, limit=self._size.records)
        self._member.raise_failure()
        for polled in arrived:
            self._size.learn(polled.records)
        await self._lags.measure(consumer, self._member.trackers, [polled.place for polled in arrived])
        return arrived

    async def opened(self, arrived: Sequence[Polled]) -> AsyncGenerator[Batch, None]:
        """Batches of what arrived, unless partitions are moving: then it is read again from the stored place."""
        assignment = self._member.assignment
        left = list(reversed(arrived))
        try:
            while left and not self._stopping.is_set() and not self._member.has_moved(assignment):
                polled = left.pop()
                opened = await self._open(polled)
                if opened is None or self._member.has_moved(assignment):
                    return
                if opened.due_millis is not None:
                    self._pauses.wait(self._member.consumer, polled.place, opened.next_offset, opened.due_millis)
                if opened.next_offset == polled.first_offset:  # the first letter is not due
                    continue
                if opened.refused and self._dead_letters is not None:
                    # Before the batch is handed out: a sink may store the place beyond it, and would not come back.
                    await self._dead_letters.keep(polled.place, opened.refused, opened.next_offset)
                yield self._batch(polled, opened, assignment)
        finally:
            if not self._member.has_moved(assignment):  # whoever moves partitions seeks every one
                for polled in left:  # the caller asked for no more now, and may later
                    self._member.consumer.seek(polled.place, polled.first_offset)

    async def _open(self, polled: Polled) -> Opened | None:
        if self._letters is not None and self._letters.reads(polled.place.topic):
            return await self._letters.open(polled)
        return await self._records.open(polled, self._member.trackers[polled.place])

    def _batch(self, polled: Polled, opened: Opened, assignment: int) -> Batch:
        place = polled.place
        return Batch(
            topic=place.topic,
            partition=place.number,
            first_offset=polled.first_offset,
            next_offset=opened.next_offset,
            events=opened.events,
            refused=opened.refused,
            sequences=self._member.trackers[place].to_metadata(),
            assignment=assignment,
            redelivered=opened.redelivered,
            group=self._group,
        )
