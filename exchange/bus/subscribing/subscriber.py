"""Subscribing: verified events, batch by batch, each committed by whoever processed it.

    async with Subscriber(...) as subscriber:
        async for event in subscriber:           # at least once: committed once the loop asks for what follows
            ...

    async with Subscriber(...) as subscriber:
        await subscriber.exactly_once(sink)      # the sink stores the place in the transaction of its rows

The place and the sequences travel in the group's committed offset, or in the sink. A refused record is a dead letter
before the batch that had it is handed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress

import structlog

from exchange.bus import metrics
from exchange.bus.letters.dead_letters import DeadLetters
from exchange.bus.subscribing.alarms import Alarms
from exchange.bus.subscribing.batch import Batch, PositionStore, Sink
from exchange.bus.subscribing.incoming import POLL_SECONDS, Incoming
from exchange.bus.subscribing.lags import Lags
from exchange.bus.subscribing.membership import ORDINARY, Member, Membership
from exchange.bus.subscribing.opening import BatchOpener, require_development
from exchange.bus.subscribing.pauses import Pauses
from exchange.bus.subscribing.places import Places
from exchange.bus.subscribing.ports import Redeliveries, SchemaCache
from exchange.bus.subscribing.redelivering import RedeliveryOpener
from exchange.bus.subscribing.size import BatchSize
from exchange.bus.subscribing.start import BEGINNING, Start
from exchange.clock import Clock
from exchange.envelope import Event
from exchange.errors import ExchangeError, PublisherNotAllowed, SinkFenced, TransportError
from exchange.ids import AgencyId
from exchange.transport.kafka import ASSIGNMENT_LOST, Partition
from exchange.trust import Directory

_PAUSE_SECONDS = 0.1
_CLOSE_SECONDS = 5.0
_FENCED_SECONDS = 1.0
_LOG = structlog.get_logger(__name__)


class Subscriber:
    """One member of an agency's group, as an async context manager. Not for several tasks at once.

    With `partitions` it reads these alone, without a group's rebalancing; its place is still the group's, or the
    sink's. With `redeliveries` it also reads the agency's letters to this group. `verify=False` hands out events that
    anyone may have written, as `UnverifiedEvent`s: raises SettingsError unless `development`, which is to be that of
    the process's settings.
    """

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
        start: Start = BEGINNING,
        positions: PositionStore | None = None,
        dead_letters: DeadLetters | None = None,
        redeliveries: Redeliveries | None = None,
        partitions: Sequence[Partition] | None = None,
        membership: Membership = ORDINARY,
        verify: bool = True,
        development: bool = False,
        batch_records: int = 2_000,
    ) -> None:
        require_development(group, verify=verify, development=development)
        self._agency = agency
        self._group = group
        self._directory = directory
        self._dead_letters = dead_letters
        self._stopping = asyncio.Event()
        self._lags, self._pauses = Lags(group), Pauses(clock)
        alarms = Alarms(directory, topics)
        records = BatchOpener(group, directory, schemas, clock, alarms, self._stopping, verify=verify)
        letters = None if redeliveries is None else RedeliveryOpener(redeliveries, records, alarms, clock)
        letter_topics = () if letters is None else letters.topics
        self._places = Places(group, start, letter_topics)
        self._places.sink = positions
        self._member = Member(self._places, self._lags, self._pauses, membership, self._release)
        self._consumer = self._member.join(bootstrap, group, (*topics, *letter_topics), partitions)
        self._committer = self._member.committer
        size = BatchSize(batch_records)
        self._incoming = Incoming(
            group, self._member, records, letters, dead_letters, self._pauses, self._lags, size, self._stopping
        )

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
        self._member.put_down()
        with suppress(TimeoutError, TransportError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._committer.settle()
        await self._committer.forget()
        await self._consumer.close()
        self._lags.forget()
        if self._dead_letters is not None:
            await self._dead_letters.close()

    def stop(self) -> None:
        """Finish: `batches` ends after the batch in hand (SIGTERM drains); safe in a signal handler of the loop."""
        self._stopping.set()

    async def wait_assigned(self) -> None:
        """Return once the group has given this member its partitions (perhaps none). Raises as `batches`."""
        await self._member.wait_settled()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Batches as they come, until `stop`; those of a partition are in its order.

        Raises DirectoryExpired, BrokerUnreachable, PublisherFenced, TransportError `place_malformed`, and whatever
        the sink's `load` or a hook raises; what was not committed comes again after a restart.
        """
        try:
            while not self._stopping.is_set():
                # What is read before partitions have come to rest is read in vain.
                if not await self._member.wait_settled(POLL_SECONDS):
                    continue
                async with aclosing(self._incoming.opened(await self._incoming.poll())) as batches:
                    async for batch in batches:
                        self._member.take_in_hand()
                        yield batch
                        self._member.put_down()
        finally:
            self._member.put_down()

    async def commit(self, batch: Batch) -> None:
        """The batch was processed: commit its place and its sequences.

        Raises TransportError `assignment_lost` when the partition has moved to another member, which reads it again.
        """
        try:
            self._require_own(batch)
            self._committer.note(batch)
            await self._committer.settle()
        except TransportError as error:
            if error.code == ASSIGNMENT_LOST:
                self._member.put_down()
            raise
        self._member.put_down()

    async def pause(self, seconds: float) -> bool:
        """Wait with the batch in hand, and stay in the group however long that is.

        True once the time is over; False, sooner, when the batch is to be dropped and the next asked for: partitions
        move, or the subscriber stops.
        """
        member, clock = self._member, asyncio.get_running_loop().time
        assignment, end = member.assignment, clock() + seconds
        while not self._stopping.is_set() and not member.has_moved(assignment):
            left = end - clock()
            held = [place for place in member.trackers if place not in self._pauses]
            if left <= 0:
                self._consumer.resume(held)
                return True
            self._consumer.pause(held)
            await self._consumer.poll(seconds=0, limit=1)  # nothing comes, all being paused; it says that we live
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(left, _PAUSE_SECONDS))
        return False

    def __aiter__(self) -> AsyncIterator[Event]:
        """Events one by one; a batch is committed once the caller asked for what follows it."""
        return self._events()

    async def _events(self) -> AsyncIterator[Event]:
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for event in batch.events:
                    yield event
                self._note(batch)
        try:
            await self._committer.settle()
        except TransportError as error:
            self._pass_lost(error)

    async def exactly_once(self, sink: Sink) -> None:
        """Feed a sink, until `stop`: each event is in its rows exactly once, whenever this process is killed.

        Starts from the place that the sink has, whatever the group has committed; where another process moved it, goes
        on from what is stored. Raises as `batches`, and what `store` raises except SinkFenced; calling it again then
        goes on from what is stored.
        """
        self._places.sink = sink
        while not self._stopping.is_set() and not await self._member.wait_settled(POLL_SECONDS):
            pass  # a place that is being looked for now may be the group's, and not the sink's
        await self._member.stand_anew()
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                await self._store(batch, sink)

    async def _store(self, batch: Batch, sink: Sink) -> None:
        try:
            await sink.store(batch)
        except SinkFenced as error:
            metrics.ASSIGNMENTS_LOST.labels(self._group).inc()
            _LOG.warning("place moved by another", group=self._group, topic=batch.topic, reason=error.message)
            with suppress(TimeoutError):  # whoever lost the partition hears of it by the next heartbeat
                await asyncio.wait_for(self._stopping.wait(), _FENCED_SECONDS)
            await self._member.stand_anew()
            return
        # SIGKILL here: the rows are stored with their place, and the group's is only for its dashboards.
        try:
            self._note(batch)
        except TransportError as error:
            _LOG.warning("place not committed", group=self._group, topic=batch.topic, reason=error.message)

    def _note(self, batch: Batch) -> None:
        """The batch was processed: commit it while the next is read. Raises what an earlier commit raised.

        Where the partition has moved, its new member reads the batch again: nothing for us to do.
        """
        try:
            self._require_own(batch)
            self._committer.note(batch)
        except TransportError as error:
            self._pass_lost(error)
        self._member.put_down()

    def _pass_lost(self, error: TransportError) -> None:
        if error.code != ASSIGNMENT_LOST:
            raise error
        _LOG.warning("partition moved away", group=self._group, reason=error.message)

    def _require_own(self, batch: Batch) -> None:
        if batch.assignment != self._member.assignment:
            metrics.ASSIGNMENTS_LOST.labels(self._group).inc()
            raise TransportError(
                f"group {self._group}: {batch.topic}/{batch.partition} moved to another member before the commit",
                code=ASSIGNMENT_LOST,
            )

    def _require_agency(self) -> None:
        agency = self._directory().agency(self._agency)
        if agency is None or not agency.active:
            raise PublisherNotAllowed(f"{self._agency} is not an active agency of the directory: it may not subscribe")

    async def _release(self, places: Sequence[Partition]) -> None:
        if self._dead_letters is not None:
            with suppress(ExchangeError):
                await self._dead_letters.release(places)
