"""One member of a group: which partitions it has, where it stands in each, and whether a batch is in hand.

When the group moves partitions it waits for every member: the batch in hand is processed and committed, then all is
let go, and what is assigned next is read from the stored place. Nothing that was polled before is handed out after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from exchange.bus.subscribing.committing import Committer
from exchange.bus.subscribing.lags import Lags
from exchange.bus.subscribing.pauses import Pauses
from exchange.bus.subscribing.places import Places
from exchange.envelope import SequenceTracker
from exchange.errors import TransportError
from exchange.transport.kafka import GroupConsumer, Partition

_HOOK_SECONDS = 5.0
_LOG = structlog.get_logger(__name__)

Hook = Callable[[Sequence[Partition]], Awaitable[None]]
"""The caller's own, awaited with the partitions concerned."""


async def no_hook(_: Sequence[Partition]) -> None:
    """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Membership:
    """How a member of a group behaves.

    `session_seconds`: how long the group waits for a member that is silent, killed or on a machine that stands still.
    Shorter, and a busy machine loses its partitions and what is in hand is read again; longer, and after a SIGKILL
    its partitions wait as long. Kafka's brokers take 6 s to 30 min.
    `release_seconds`: how long a rebalance waits for the batch in hand and for `on_revoked`, which has 5 s in any case.
    A batch that takes longer is lost to this member, and whoever gets the partition reads it again.
    `idle_seconds`: how long one batch may take; a member that asks for nothing for longer has left the group.
    `on_assigned` is awaited before the first record of the partitions is read, `on_revoked` once their last batch
    was committed, or lost.
    """

    session_seconds: float = 30.0
    release_seconds: float = 20.0
    idle_seconds: float = 300.0
    on_assigned: Hook = no_hook
    on_revoked: Hook = no_hook


ORDINARY = Membership()
"""What suits most."""


class Member:
    """The state of one member; its consumer's callbacks move it."""

    def __init__(self, places: Places, lags: Lags, pauses: Pauses, behaviour: Membership, on_let_go: Hook) -> None:
        self._places = places
        self._lags = lags
        self._pauses = pauses
        self._behaviour = behaviour
        self._on_let_go = on_let_go
        self._settled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._moving = True
        self._failure: Exception | None = None
        self.trackers: dict[Partition, SequenceTracker] = {}
        self.assignment = 0
        self.consumer: GroupConsumer
        self.committer: Committer

    def join(
        self, bootstrap: str, group: str, topics: Sequence[str], partitions: Sequence[Partition] | None
    ) -> GroupConsumer:
        """The consumer, not started, whose callbacks these are; what commits through it is here from now on."""
        self.consumer = GroupConsumer(
            bootstrap,
            group,
            topics,
            on_assigned=self.take,
            on_revoked=self.let_go,
            partitions=partitions,
            session_seconds=self._behaviour.session_seconds,
            release_seconds=self._behaviour.release_seconds,
            idle_seconds=self._behaviour.idle_seconds,
        )
        self.committer = Committer(group, self.consumer, self._lags)
        return self.consumer

    def has_moved(self, assignment: int) -> bool:
        """Whether partitions move, or have moved since `assignment`."""
        return self._moving or assignment != self.assignment

    def take_in_hand(self) -> None:
        """A batch is handed out: a rebalance waits for it."""
        self._idle.clear()

    def put_down(self) -> None:
        """The batch was committed, or is given up."""
        self._idle.set()

    async def wait_settled(self, seconds: float | None = None) -> bool:
        """Whether partitions are at rest (perhaps none), waiting up to `seconds`; raises what an assignment raised."""
        if not self._settled.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), seconds)
        self.raise_failure()
        return self._settled.is_set()

    def raise_failure(self) -> None:
        """Raises what went wrong while partitions moved: aiokafka only logs what its callbacks raise."""
        if self._failure is not None:
            raise self._failure

    async def let_go(self, places: Sequence[Partition]) -> None:
        """The group waits for us: let the batch in hand be processed and committed, then let go of everything."""
        self._moving = True
        self._settled.clear()
        end = asyncio.get_running_loop().time() + self._behaviour.release_seconds
        with suppress(TimeoutError, TransportError):
            async with asyncio.timeout_at(end):
                await self._idle.wait()
                await self.committer.settle()
        await self.committer.forget()
        if places:
            await self._tell_revoked(places, end)
        self.assignment += 1
        self._lags.forget()
        self._pauses.forget()
        self.trackers.clear()
        await self._on_let_go(places)

    async def _tell_revoked(self, places: Sequence[Partition], end: float) -> None:
        try:
            async with asyncio.timeout_at(max(end, asyncio.get_running_loop().time() + _HOOK_SECONDS)):
                await self._behaviour.on_revoked(places)
        except TimeoutError:
            _LOG.warning("on_revoked took too long", partitions=len(places))
        except Exception as error:  # the caller's hook may raise anything
            self._failure = error

    async def take(self, places: Sequence[Partition]) -> None:
        """Continue where the group, or the sink, left off."""
        try:
            await self._behaviour.on_assigned(places)
            await self._stand(places)
        except Exception as error:  # the sink, or the caller's hook, may raise anything
            self._failure = error
        self._settled.set()

    async def stand_anew(self) -> None:
        """Read every partition again from what is stored. Raises whatever the sink raises, and BrokerUnreachable."""
        if self._moving:
            return
        self.assignment += 1
        try:
            await self._stand(list(self.trackers))
        except Exception as error:
            self._failure = error  # what was polled is dropped: nothing may be handed out from behind it
            raise

    async def _stand(self, places: Sequence[Partition]) -> None:
        assignment = self.assignment
        found = await self._places.find(self.consumer, places)
        if assignment != self.assignment:  # moved on while we asked: whoever moved it has sought anew
            return
        for place, (offset, tracker) in found.items():
            self.trackers[place] = tracker
            self.consumer.seek(place, offset)
        self._moving = False
