"""A sealed writer that outlives what befalls Kafka: after a failure it finds out what holds, and writes the rest again.

A commit whose answer was lost may hold or not. Who knows is the positions topic, and only once nobody under this name
can write any more. So, until it succeeds or patience ends (spec 3, Positions; ADR 21):

    look     has another process begun a later epoch? Then it owns the publisher: stop, and do not fence it back.
             Where Kafka did answer, with an error, one may have fenced just now: it is given a moment to begin.
    fence    whatever was under way is decided now.
    read     a position beyond the last that we know of is the commit's own: it holds.
    begin    an epoch; where the commit does not hold, the same records go out again, with the same sequences.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from exchange.bus import metrics
from exchange.bus.publishing.ahead import Ahead, Work
from exchange.bus.publishing.delivery import Committed
from exchange.bus.publishing.positions import FoundPosition, Position
from exchange.bus.publishing.prepared import Prepared
from exchange.bus.publishing.writer import SealedTransaction, SealedWriter, Sequences
from exchange.errors import BrokerUnreachable, KeyUnavailable, PublisherFenced, TransportError
from exchange.ids import PublisherId
from exchange.trust import Agency

log = structlog.get_logger()

Failure = TransportError | KeyUnavailable
"""What may pass: Kafka is away, or the HSM that has the key."""

PATIENCE_SECONDS = 120.0
"""How long a publisher tries to recover before it gives up."""

_GRACE_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 0.25
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class SteadyWriter:
    """A `SealedWriter` made anew by `make` whenever one has failed. With patience 0 its first failure is the last."""

    def __init__(self, publisher: PublisherId, make: Callable[[], SealedWriter], patience: float) -> None:
        self._publisher = publisher
        self._make = make
        self._patience = patience
        self._writer = make()
        self._is_open = False
        self._taken_over = False
        self._topics: dict[str, None] = {}
        self._ahead = Ahead(self._seal)
        self._own: set[str] = set()  # position records of ours that began an epoch, or did not: nobody knows

    @property
    def position(self) -> Position:
        """The position last committed."""
        return self._writer.position

    @property
    def is_open(self) -> bool:
        """Whether it may write: started, and not closed."""
        return self._is_open

    async def start(self) -> None:
        """Fence, read the position, begin an epoch; now or not at all. Raises as `SealedWriter.start`."""
        try:
            await self._writer.start()
        except TransportError as error:
            if isinstance(error, BrokerUnreachable) or not self._may_pass(error):
                raise
            # A predecessor that recovered at this very moment fenced us back, not knowing of us. Fenced itself it waits
            # and looks before it does so again: whoever starts means to have the publisher.
            self._writer = self._make()
            await self._writer.start()
        self._is_open = True

    async def close(self) -> None:
        """End the writer; what was not committed never was."""
        self._is_open = False
        self._ahead.close()
        await self._writer.close()

    def require_key(self) -> Agency:
        """The publisher's agency, once it may write; raises as `SealedWriter.require_key`."""
        return self._writer.require_key()

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; raises SettingsError when there is no such topic."""
        return await self._writer.partitions(topic)

    async def largest_record(self, topic: str) -> int:
        """The most bytes one record of a topic may have."""
        self._topics[topic] = None
        return await self._writer.largest_record(topic)

    def begin(self, records: Sequence[Prepared], sequences: Sequences, application: dict[str, Any] | None) -> Work:
        """What is to be committed after all that was begun before it; it is sealed until then.

        `application` None keeps what the position has.
        """
        work = Work(records, sequences, application)
        self._ahead.begin(work)
        return work

    async def commit(self, work: Work) -> Committed:
        """Commit what was begun first, or recover within patience.

        Raises PublisherFenced where another process took over, KeyNotValid and the like, and once patience is over
        what Kafka raised last. Then it is to be closed.
        """
        try:
            return await self._write(work)
        except (TransportError, KeyUnavailable) as error:
            if not self._may_pass(error):
                raise
            log.warning("publisher_recovers", publisher=str(self._publisher), code=error.code, reason=error.message)
            return await self._recover(work, error)
        finally:
            self._ahead.end(work)

    async def _seal(self, work: Work, after: Position | None) -> SealedTransaction:
        return await self._writer.seal(work.records, work.sequences, work.application, after)

    async def _write(self, work: Work) -> Committed:
        transaction = await work.sealing
        return await (self._commit(transaction) if self._writer.follows(transaction) else self._write_anew(work))

    async def _write_anew(self, work: Work) -> Committed:
        self._ahead.seal_anew()
        return await self._commit(await work.sealing)

    async def _commit(self, transaction: SealedTransaction) -> Committed:
        after = transaction.after
        return Committed(await self._writer.write(transaction), after.epoch, after.flush + 1)

    async def _recover(self, work: Work, error: Failure) -> Committed:
        now = asyncio.get_running_loop().time
        give_up, pause = now() + self._patience, _FIRST_PAUSE
        recovery = _Recovery(self._writer, give_up)
        while now() < give_up:
            try:
                committed = await self._attempt(work, recovery, error)
            except (TransportError, KeyUnavailable) as again:
                if not self._may_pass(again):
                    raise
                error = again
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._count("held" if recovery.held else "written_again")
                return committed
        self._count("gave_up")
        raise error

    async def _attempt(self, work: Work, recovery: _Recovery, error: Failure) -> Committed:
        if isinstance(error, KeyUnavailable) and self._writer.is_open:
            return await self._write_anew(work)  # nothing was written: nobody else can have, and nothing is to be found
        writer = self._make()
        grace = 0.0 if isinstance(error, (BrokerUnreachable, KeyUnavailable)) else _GRACE_SECONDS
        await self._look(writer, min(asyncio.get_running_loop().time() + grace, recovery.give_up))
        stored = await writer.fence()
        await self._begin(writer, stored, recovery)
        if recovery.held is not None:
            return recovery.held
        recovery.tried = writer
        return await self._write_anew(work)

    async def _look(self, writer: SealedWriter, until: float) -> None:
        while True:
            self._require_own(await writer.successor(self.position.epoch, self._own))
            if asyncio.get_running_loop().time() >= until:
                return
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _begin(self, writer: SealedWriter, stored: FoundPosition, recovery: _Recovery) -> None:
        try:
            if stored.record not in self._own:
                self._require_own(stored.position)
            recovery.settle(stored.position)
            await writer.begin(stored.position)
            for topic in self._topics:
                await writer.largest_record(topic)
        except BaseException:
            if writer.tried is not None:
                self._own.add(writer.tried)
            await writer.close()
            raise
        self._own.clear()
        self._writer = writer

    def _require_own(self, position: Position | None) -> None:
        """Raises PublisherFenced, for good, where a position is of an epoch that is not ours."""
        if position is None or position.epoch <= self.position.epoch:
            return
        self._taken_over = True
        self._count("fenced")
        raise PublisherFenced(
            f"another process took {self._publisher} over (epoch {position.epoch}, this one's is "
            f"{self.position.epoch}): this one stops; see that only one runs"
        )

    def _may_pass(self, error: Failure) -> bool:
        """Whether to look again. Kafka says the same to a fenced writer and to one whose transaction took too long."""
        return error.retriable or (isinstance(error, PublisherFenced) and not self._taken_over)

    def _count(self, outcome: str) -> None:
        metrics.RECOVERIES.labels(str(self._publisher), outcome).inc()


class _Recovery:
    """What is known of a commit whose outcome was lost: `tried` was writing it, `held` is set once it is found."""

    def __init__(self, tried: SealedWriter, give_up: float) -> None:
        self.give_up = give_up
        self.tried: SealedWriter | None = tried
        self.held: Committed | None = None

    def settle(self, stored: Position) -> None:
        """After a fence: what is stored now says whether the commit that was under way holds."""
        tried, self.tried = self.tried, None
        if tried is None:
            return
        before = tried.position
        # Nobody else wrote since, and a writer's position moves only when its commit is answered.
        if (stored.epoch, stored.flush) > (before.epoch, before.flush):
            self.held = Committed(tried.written, before.epoch, before.flush + 1)
