"""Subscribing: verified events, batch by batch, each committed by whoever processed it.

    async with Subscriber(...) as subscriber:
        async for batch in subscriber.batches():
            ...                                  # process batch.events
            await subscriber.commit(batch)

The place and the sequences travel in the group's committed offset, or, with a PositionStore, in the sink's own
transaction. A refused record is a dead letter before the batch that had it is handed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Literal

from exchange.bus import metrics
from exchange.bus.letters.dead_letters import DeadLetters
from exchange.bus.subscribing.batch import Batch, PositionStore, StoredPosition
from exchange.bus.subscribing.opening import BatchOpener, SchemaCache
from exchange.clock import Clock
from exchange.envelope import Event, SequenceTracker
from exchange.errors import ExchangeError, PublisherNotAllowed, TransportError
from exchange.ids import AgencyId
from exchange.transport.kafka import GroupConsumer, GroupPosition, Partition, Polled
from exchange.trust import Directory

_POLL_SECONDS = 0.5
_REVOKE_SECONDS = 20.0


class Subscriber:
    """One member of an agency's group, as an async context manager. Not for several tasks at once."""

    def __init__(
        self,
        agency: AgencyId,
        group: str,
        topics: Sequence[str],
        bootstrap: str,
        directory: Callable[[], Directory],
        schemas: SchemaCache,
        clock: Clock,
        *,
        positions: PositionStore | None = None,
        dead_letters: DeadLetters | None = None,
        start: Literal["beginning", "end"] = "beginning",
        batch_records: int = 2_000,
    ) -> None:
        self._agency = agency
        self._group = group
        self._topics = tuple(topics)
        self._directory = directory
        self._positions = positions
        self._dead_letters = dead_letters
        self._limit = batch_records
        self._stopping = asyncio.Event()
        self._opener = BatchOpener(group, directory, schemas, clock, self._stopping)
        self._consumer = GroupConsumer(
            bootstrap, group, topics, on_assigned=self._on_assigned, on_revoked=self._on_revoked, start=start
        )
        self._trackers: dict[Partition, SequenceTracker] = {}
        self._assignment = 0
        self._moving = True
        self._settled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failure: Exception | None = None

    async def __aenter__(self) -> Subscriber:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Join the group; raises BrokerUnreachable, SettingsError (no such topic), PublisherNotAllowed."""
        self._require_agency()
        await self._consumer.start()

    async def close(self) -> None:
        """Leave the group. A batch that was not committed is read again by whoever takes the partition."""
        self.stop()
        self._idle.set()
        await self._consumer.close()
        self._forget_lags()
        if self._dead_letters is not None:
            await self._dead_letters.close()

    def stop(self) -> None:
        """Finish: `batches` ends after the batch in hand (SIGTERM drains); safe in a signal handler of the loop."""
        self._stopping.set()

    async def wait_assigned(self) -> None:
        """Return once the group has given this member its partitions (perhaps none)."""
        await self._settled.wait()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Batches as they come, until `stop`; those of a partition are in its order.

        Raises DirectoryExpired, BrokerUnreachable, PublisherFenced and whatever the PositionStore raises; what was
        not committed comes again after a restart.
        """
        try:
            while not self._stopping.is_set():
                if not await self._is_settled():
                    continue
                arrived = await self._consumer.poll(seconds=_POLL_SECONDS, limit=self._limit)
                self._raise_failure()
                await self._measure_lags(arrived)
                async with aclosing(self._opened(arrived)) as batches:
                    async for batch in batches:
                        self._idle.clear()
                        yield batch
                        self._idle.set()
        finally:
            self._idle.set()

    async def commit(self, batch: Batch) -> None:
        """The batch was processed: commit its place and its sequences.

        Raises TransportError `assignment_lost` when the partition has moved to another member, which reads it again.
        """
        if batch.assignment != self._assignment:
            raise TransportError(
                f"group {self._group}: {batch.topic}/{batch.partition} moved to another member before the commit",
                code="assignment_lost",
            )
        place = Partition(batch.topic, batch.partition)
        await self._consumer.commit({place: GroupPosition(batch.next_offset, batch.sequences)})
        self._idle.set()
        metrics.CONSUMED.labels(batch.topic, self._group).inc(len(batch.events))
        lag = self._consumer.lag(place, batch.next_offset)
        if lag is not None:
            self._set_lag(place, lag)

    def __aiter__(self) -> AsyncIterator[Event]:
        """Events one by one; a batch is committed once the caller asked for what follows it."""
        return self._events()

    async def _events(self) -> AsyncIterator[Event]:
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for event in batch.events:
                    yield event
                await self.commit(batch)

    async def _opened(self, arrived: Sequence[Polled]) -> AsyncGenerator[Batch, None]:
        """Batches of what arrived, unless partitions are moving: then it is read again from the committed place.

        `_on_assigned` seeks every partition, so that dropping here loses nothing.
        """
        assignment = self._assignment
        for polled in arrived:
            if self._stopping.is_set() or self._has_moved(assignment):
                return
            batch = await self._open(polled, assignment)
            if batch is None or self._has_moved(assignment):
                return
            yield batch

    async def _open(self, polled: Polled, assignment: int) -> Batch | None:
        place = polled.place
        tracker = self._trackers[place]
        opened = await self._opener.open(polled, tracker)
        if opened is None:
            return None
        events, refused = opened
        if refused and self._dead_letters is not None:
            # Before the batch is handed out: a sink may store the place beyond it, and would then not come back.
            await self._dead_letters.keep(place, refused, polled.next_offset)
        return Batch(
            topic=place.topic,
            partition=place.number,
            first_offset=polled.first_offset,
            next_offset=polled.next_offset,
            events=events,
            refused=refused,
            sequences=tracker.to_metadata(),
            assignment=assignment,
        )

    async def _measure_lags(self, arrived: Sequence[Polled]) -> None:
        """Where nothing arrived, everything before the consumer's position is processed, markers included."""
        busy = {polled.place for polled in arrived}
        lags = await self._consumer.lags()
        if not self._moving:
            for place in lags.keys() & self._trackers.keys() - busy:
                self._set_lag(place, lags[place])

    def _set_lag(self, place: Partition, lag: int) -> None:
        metrics.CONSUMER_LAG.labels(place.topic, str(place.number), self._group).set(lag)

    def _forget_lags(self) -> None:
        """What is no longer ours, its next member measures."""
        for place in self._trackers:
            with suppress(KeyError):
                metrics.CONSUMER_LAG.remove(place.topic, str(place.number), self._group)

    async def _is_settled(self) -> bool:
        """Whether partitions have come to rest; waits for a while, since what is read before is read in vain."""
        if not self._settled.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), _POLL_SECONDS)
        self._raise_failure()
        return self._settled.is_set()

    def _has_moved(self, assignment: int) -> bool:
        return self._moving or assignment != self._assignment

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _require_agency(self) -> None:
        agency = self._directory().agency(self._agency)
        if agency is None or not agency.active:
            raise PublisherNotAllowed(f"{self._agency} is not an active agency of the directory: it may not subscribe")

    async def _on_revoked(self, places: Sequence[Partition]) -> None:
        """The group waits for us: let the batch in hand be processed and committed, then let go."""
        self._moving = True
        self._settled.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _REVOKE_SECONDS)
        self._assignment += 1
        self._forget_lags()
        self._trackers.clear()
        if self._dead_letters is not None:
            with suppress(ExchangeError):
                await self._dead_letters.release(places)

    async def _on_assigned(self, places: Sequence[Partition]) -> None:
        """Continue where the group, or the sink, left off. aiokafka swallows errors here: `batches` raises them."""
        try:
            stored = await self._stored(places)
            resets = await self._consumer.reset_offsets([place for place in places if place not in stored])
            for place in places:
                at = stored.get(place) or StoredPosition(resets[place], "")
                self._trackers[place] = SequenceTracker.from_metadata(at.sequences)
                self._consumer.seek(place, at.next_offset)
            self._moving = False
        except Exception as error:  # the sink's store may raise anything
            self._failure = error
        self._settled.set()

    async def _stored(self, places: Sequence[Partition]) -> dict[Partition, StoredPosition]:
        if self._positions is None:
            committed = await self._consumer.committed(places)
            return {place: StoredPosition(at.offset, at.metadata) for place, at in committed.items()}
        found = [(place, await self._positions.load(self._group, place.topic, place.number)) for place in places]
        return {place: stored for place, stored in found if stored is not None}
