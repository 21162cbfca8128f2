"""When what was published by itself goes out: together, soon, and never more of it than memory is there for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from exchange.bus.publishing.bundle import Bundle, Cause
from exchange.bus.publishing.commits import Commits, closed
from exchange.bus.publishing.gathering import Gathering
from exchange.bus.publishing.new_event import NewEvent
from exchange.bus.publishing.pulse import Pulse
from exchange.errors import ExchangeError, SettingsError

_HOLD_SECONDS = 0.1
"""How long an event waits, at most, for a flush to be filled by a source that has more."""
_TURN_EVENTS = 20
"""Events put in before other tasks get their turn, about 1 ms: a transaction under way has a dozen steps to take."""
_WORTH_ONE = 1 / 16
"""The part of a full flush from which what is left of a source goes out behind the commit under way."""


@dataclass(frozen=True, slots=True)
class FlushPolicy:
    """How events that are published by themselves share flushes. The first that holds makes the flush.

    `events`: so many gathered; 1,999 and the position are one tree, hence one signature. `bytes`: so many gathered.
    `linger`: seconds the first has waited, while no commit is under way: what comes meanwhile is the next flush.
    `in_flight`: bytes gathered and under way from which on publishing waits.
    """

    events: int = 7_999
    bytes: int = 8 * 1024 * 1024
    linger: float = 0.001
    in_flight: int = 24 * 1024 * 1024

    def __post_init__(self) -> None:
        for name in ("events", "bytes", "in_flight"):
            if getattr(self, name) < 1:
                raise SettingsError(f"FlushPolicy.{name} is {getattr(self, name)}: at least 1")
        if self.linger < 0:
            raise SettingsError(f"FlushPolicy.linger is {self.linger}: 0 seconds or more")


class Flusher:
    """Puts events into the growing bundle, one caller after the other, and closes it in time.

    `turn` is held by whoever must have the bundle to himself. `require_key` raises where nothing may be published.
    """

    def __init__(
        self,
        publisher: str,
        gathering: Gathering,
        commits: Commits,
        policy: FlushPolicy,
        require_key: Callable[[], None],
    ) -> None:
        self._publisher = publisher
        self._gathering = gathering
        self._commits = commits
        self._policy = policy
        self._require_key = require_key
        self.turn = asyncio.Lock()
        self._has_some = asyncio.Event()
        self._sources = 0
        self._no_source = Pulse()
        self._task: asyncio.Task[None] | None = None

    async def put(self, event: NewEvent) -> tuple[Bundle, int]:
        """Add one event as soon as there is room: the bundle it is in, and its index there.

        Raises as `Gathering.put` does, and SettingsError or TransportError as `wait_for_room`.
        """
        async with self.turn:
            await self.wait_for_room()
            bundle = self._gathering.bundle
            index = self._gathering.put(event)
            self._go_on(index)
        return bundle, index

    async def put_many(self, events: Sequence[NewEvent], note: Callable[[Bundle, range], None]) -> None:
        """Add events in their order. `note` is told which indices they have. Raises as `put`; those before are in."""
        hashes = self._gathering.hashes_of(events)
        async with self.turn:
            done, more = 0, True
            while more:  # once at least: where nothing may be published that is said of no events, too
                await self.wait_for_room()
                done += self._put_some(events[done : done + _TURN_EVENTS], hashes[done : done + _TURN_EVENTS], note)
                await asyncio.sleep(0)
                more = done < len(events)

    async def wait_for_room(self) -> None:
        """With the turn in hand: until bytes are free.

        Raises TransportError `publisher_closed`; SettingsError where something was added and waits for `commit`.
        """
        self._require_own()
        while self._is_full and self._commits.is_open:
            self.flush()
            if self._is_full:
                await self._commits.progress.wait()
            self._require_own()
        if not self._commits.is_open:
            raise closed(self._publisher)

    def hold(self) -> None:
        """A source has more at once: fill flushes to the brim."""
        self._sources += 1

    def release(self) -> None:
        """That source has no more."""
        self._sources -= 1
        if not self._sources and self._fill >= _WORTH_ONE:
            self.flush()
        self._no_source.beat()

    def flush(self) -> None:
        """Commit what has gathered by itself."""
        bundle = self._gathering.bundle
        if bundle.cause is not Cause.AUTOMATIC or not bundle.records:
            return
        try:
            self._require_key()
        except ExchangeError as error:
            # Those who wait are told, and nobody else has seen its sequences: they are given again.
            self._gathering.discard().fail(error)
        else:
            self._commits.start(self._gathering.close())

    async def close(self) -> None:
        """End; what has gathered fails."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._gathering.discard().fail(closed(self._publisher))

    @property
    def _fill(self) -> float:
        """The part of a flush that has gathered."""
        bundle, policy = self._gathering.bundle, self._policy
        return max(len(bundle.records) / policy.events, bundle.size / policy.bytes)

    @property
    def _is_full(self) -> bool:
        return self._commits.in_flight + self._gathering.bundle.size >= self._policy.in_flight

    def _require_own(self) -> None:
        if self._gathering.bundle.cause is Cause.COMMIT:
            raise SettingsError(
                f"{self._publisher} has events from `add` that are not committed: call `commit` or `discard` first, "
                "or use a publisher of its own for each way"
            )

    def _put_some(
        self, events: Sequence[NewEvent], hashes: Sequence[int | None], note: Callable[[Bundle, range], None]
    ) -> int:
        bundle, policy = self._gathering.bundle, self._policy
        first, room = len(bundle.records), policy.in_flight - self._commits.in_flight
        try:
            self._gathering.put_many(events, hashes, most=policy.events, most_bytes=min(policy.bytes, room))
        finally:
            added = range(first, len(bundle.records))
            if added:
                note(bundle, added)
                self._go_on(first)
        return len(added)

    def _go_on(self, first: int) -> None:
        """After something was added, from index `first`."""
        if self._fill >= 1:
            self.flush()
        elif first == 0:
            self._begin()

    def _begin(self) -> None:
        self._has_some.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            await self._has_some.wait()
            self._has_some.clear()
            await asyncio.sleep(self._policy.linger)
            await self._let_fill()
            while not self._commits.is_idle:  # what comes meanwhile gathers
                await self._commits.progress.wait()
            self.flush()

    async def _let_fill(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_HOLD_SECONDS):
                while self._sources:
                    await self._no_source.wait()
