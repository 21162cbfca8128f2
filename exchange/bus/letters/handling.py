"""Handling: a function for each event, and what becomes of those it fails on (spec 2).

    redeliveries = GroupRedeliveries(AGENCY, GROUP)
    async with Subscriber(..., dead_letters=letters, redeliveries=redeliveries) as subscriber:
        await Handling(subscriber, GROUP, SetAside(GROUP, post)).process(handle)

Events are handled in the order of their partition. One that fails is tried again in place, a few times; then it is
set aside and the rest goes on: to the back-off topics where trying again may help, at last to the dead letters. Where
every record fails the same way it is no record's fault: nothing is set aside, and the group waits, trying one record
at a time, until one succeeds. The handler is called at least once for each event: make it idempotent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

import structlog

from exchange.bus.letters.attempts import Attempts, Handler, Pause
from exchange.bus.letters.outage import Outage
from exchange.bus.letters.policy import RetryPolicy
from exchange.bus.letters.set_aside import Failure, SetAside
from exchange.bus.subscribing.batch import Batch
from exchange.errors import PublisherFenced, TransportError

_LOG = structlog.get_logger(__name__)


class BatchSource(Protocol):
    """`exchange.bus.Subscriber`, as handling uses it."""

    def batches(self) -> AsyncGenerator[Batch, None]:
        """Batches as they come, until it is stopped."""
        ...

    async def commit(self, batch: Batch) -> None:
        """The batch is done with; raises TransportError `assignment_lost`."""
        ...

    async def pause(self, seconds: float) -> bool:
        """Wait with the batch in hand; False when it is to be dropped, since partitions move or all stops."""
        ...


class _Dropped(Exception):
    """The batch in hand is to be dropped: it comes again, here or to another member."""


class Handling:
    """Runs one handler over what a subscriber brings."""

    def __init__(
        self, subscriber: BatchSource, group: str, set_aside: SetAside, policy: RetryPolicy | None = None
    ) -> None:
        self._subscriber = subscriber
        self._group = group
        self._set_aside = set_aside
        self._policy = policy or RetryPolicy()
        self._outage = Outage(group, self._policy)
        self._fenced: dict[tuple[str, int], tuple[int, PublisherFenced]] = {}

    async def process(self, handler: Handler) -> None:
        """Handle events until the subscriber is stopped.

        Raises what the subscriber raises, and BrokerUnreachable and the like where a letter cannot be kept; what was
        not committed comes again after a restart. What the handler raises never leaves here.
        """
        attempts = Attempts(handler, self._group, self._policy, self._pause)
        try:
            async with aclosing(self._subscriber.batches()) as batches:
                async for batch in batches:
                    await self._process(batch, attempts)
        finally:
            self._outage.end()
            await self._set_aside.close()

    async def _process(self, batch: Batch, attempts: Attempts) -> None:
        self._require_own(batch)
        try:
            failures = await _Passage(batch, attempts, self._outage, self._pause).failures()
            await self._set_aside.keep(batch, failures)
            # SIGKILL here: the batch comes again, and what was set aside of it is not set aside again.
            await self._subscriber.commit(batch)
        except PublisherFenced as error:  # another member has the partition; this one is about to hear of it
            self._fenced[batch.topic, batch.partition] = batch.assignment, error
            self._report_lost(batch)
        except _Dropped:
            self._report_lost(batch)
        except TransportError as error:
            if error.code != "assignment_lost":
                raise
            self._report_lost(batch)

    def _require_own(self, batch: Batch) -> None:
        """Nothing is committed beyond a batch whose letters another one writes; raises what fenced them."""
        assignment, error = self._fenced.get((batch.topic, batch.partition), (None, None))
        if error is not None and assignment == batch.assignment:
            raise error

    def _report_lost(self, batch: Batch) -> None:
        _LOG.info("batch dropped", group=self._group, topic=batch.topic, partition=batch.partition)

    async def _pause(self, seconds: float) -> None:
        if not await self._subscriber.pause(seconds):
            raise _Dropped


class _Passage:
    """One batch on its way through the handler.

    `waiting` are events not tried yet, `held` the failures since the last success: they are the records' own once
    another record succeeds, or the batch ends; in an outage they wait.
    """

    def __init__(self, batch: Batch, attempts: Attempts, outage: Outage, pause: Pause) -> None:
        self._batch = batch
        self._attempts = attempts
        self._outage = outage
        self._pause = pause
        self._waiting = deque(range(len(batch.events)))
        self._held: list[Failure] = []
        self._failures: list[Failure] = []
        self._turn = 0

    async def failures(self) -> list[Failure]:
        """Those events that were tried and are to be set aside; raises _Dropped."""
        while self._waiting or self._must_wait():
            if self._outage.is_on:
                await self._pause(self._outage.next_pause())
                if await self._probe():
                    await self._settle()
            else:
                await self._step()
        return sorted([*self._failures, *self._held], key=lambda each: each.index)

    def _must_wait(self) -> bool:
        """Records that may succeed later are held for as long as the outage lasts.

        Others are at fault by their own account: a batch that has nothing else left to try is not held for them.
        """
        return self._outage.is_on and any(each.retriable for each in self._held)

    async def _step(self) -> None:
        index = self._waiting.popleft()
        failure = await self._attempts.several(index, self._batch.events[index], self._before(index))
        if failure is None:
            self._outage.note_success()
            self._let_go()
        else:
            self._hold(failure)

    def _hold(self, failure: Failure) -> None:
        if self._held and failure.kind != self._held[-1].kind:
            self._let_go()
        self._held.append(failure)
        event = self._batch.events[failure.index]
        self._outage.note_failure(failure.kind, failure.reason.code, (event.topic, event.partition, event.offset))

    def _let_go(self) -> None:
        self._failures += self._held
        self._held.clear()

    async def _probe(self) -> bool:
        """Try the first that failed, so that order is kept where it was an outage; then one other.

        Where that other succeeds and the first does not, it is the first record's fault after all.
        """
        if self._held and await self._succeeds_now(0):
            return True
        if self._waiting:
            index = self._waiting.popleft()
            failure = await self._attempts.once(index, self._batch.events[index], self._before(index))
            if failure is None:
                return True
            self._held.append(failure)
        elif len(self._held) > 1:
            self._turn = self._turn % (len(self._held) - 1) + 1
            return await self._succeeds_now(self._turn)
        return False

    async def _succeeds_now(self, at: int) -> bool:
        held = self._held[at]
        failure = await self._attempts.once(held.index, self._batch.events[held.index], held.attempts)
        if failure is None:
            del self._held[at]
        else:
            self._held[at] = failure
        return failure is None

    async def _settle(self) -> None:
        """One succeeded: what was held is tried once more, in order, and what fails now fails by itself."""
        self._outage.note_success()
        held, self._held = self._held, []
        for each in held:
            failure = await self._attempts.several(each.index, self._batch.events[each.index], each.attempts)
            if failure is not None:
                self._failures.append(failure)

    def _before(self, index: int) -> int:
        return self._batch.redelivered[index].attempts if self._batch.redelivered else 0
