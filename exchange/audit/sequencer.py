"""From the topic to the tree: every entry of a gateway becomes a leaf, in the topic's order (spec 9).

The order is the topic's, what counts is decided by signatures and the directory, and the checkpoint says where to
go on: so whoever reads the topic under the same directory computes the same tree, and after SIGKILL at any line
this process does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import structlog

from exchange.audit import metrics
from exchange.audit.intake import Leaf, Refusal, take
from exchange.audit.source import Batch, EntrySource
from exchange.audit.store import LogStore
from exchange.clock import Clock
from exchange.errors import DirectoryExpired, StorageFull, TransportError
from exchange.merkle import leaf_hash
from exchange.trust import Directory

log = structlog.get_logger()

PATIENCE = timedelta(minutes=5)
"""How long an entry made under a newer directory than ours waits for that directory before it is refused."""

MAX_PENDING = 50_000
"""Entries held in memory while the disk has no room; those after them wait on the topic."""

_BATCH = 1_000
_WAIT_SECONDS = 0.5


class Sequencer:
    """Reads one topic into one log. `interval` is the least time between two checkpoints."""

    def __init__(
        self,
        topic: str,
        source: EntrySource,
        store: LogStore,
        directory: Callable[[], Directory],
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self._topic = topic
        self._source = source
        self._store = store
        self._directory = directory
        self._clock = clock
        self._interval = interval
        self._read_to = self._next = store.published.positions.get(topic, 0)
        self._backlog: deque[tuple[int, bytes | None]] = deque()
        self._leaves: list[Leaf] = []
        self._hashes: set[bytes] = set()
        self._attempted = self._published = clock.now()
        self._waiting_since: datetime | None = None
        self._troubles: dict[str, str] = {}
        metrics.TREE_SIZE.set(store.published.size)
        metrics.STORAGE_FULL.set(0)
        metrics.CHECKPOINT_AGE.set_function(lambda: (clock.now() - self._published).total_seconds())

    def not_ready(self) -> str | None:
        """In one line why entries do not reach the tree now; None while they do."""
        return "; ".join(self._troubles.values()) or None

    def is_pending(self, leaf: bytes) -> bool:
        """Whether a leaf hash was taken from the topic, and the next checkpoint will cover it."""
        return leaf in self._hashes

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: then everything that was taken is in a checkpoint, or StorageFull says that it is not.

        Raises AuditError where the log may not go on (code `topic_lost`, a disk that fails).
        """
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                if not await self.step(stopping):
                    await asyncio.wait([stopping], timeout=_WAIT_SECONDS)
        finally:
            stopping.cancel()
        await self.publish()

    async def step(self, stopping: asyncio.Task[Any] | None = None) -> bool:
        """Read what arrived, take what can be decided, publish when it is time; False where it had to stand still.

        Reading ends at once when `stopping` does. Raises AuditError where the log may not go on.
        """
        went_on = await self._read(stopping)
        await self._take()
        if self._is_due():
            with suppress(StorageFull):
                await self.publish()
        return went_on

    async def publish(self) -> None:
        """A checkpoint over all that was taken; raises StorageFull (all of it is kept), or another AuditError."""
        self._attempted = self._clock.now()
        if not self._leaves:
            return
        try:
            await asyncio.to_thread(self._store.commit, [leaf.data for leaf in self._leaves], {self._topic: self._next})
        except StorageFull as error:
            metrics.STORAGE_FULL.set(1)
            self._trouble("storage", error.message)
            raise
        self._note_published()

    async def _read(self, stopping: asyncio.Task[Any] | None) -> bool:
        if "directory" in self._troubles or len(self._backlog) + len(self._leaves) >= MAX_PENDING:
            return False
        try:
            batch = await _unless(stopping, self._source.read(seconds=self._wait_seconds(), limit=_BATCH))
        except TransportError as error:
            self._trouble("kafka", error.message)
            return False
        self._troubles.pop("kafka", None)
        if batch is not None:
            self._note_gaps([offset for offset, _ in batch.values])
            self._backlog.extend(batch.values)
            self._read_to = batch.next_offset
        return True

    async def _take(self) -> None:
        now = self._clock.now()
        directory = self._directory()
        try:
            directory.require_current(now)
        except DirectoryExpired as error:
            self._trouble("directory", error.message)
            return
        values = [value for _, value in islice(self._backlog, _BATCH)]
        patient = self._waiting_since is None or now - self._waiting_since < PATIENCE
        taken = await asyncio.to_thread(take, values, directory, patient=patient)
        for outcome in taken.outcomes:
            self._accept(*self._backlog.popleft(), outcome)
        self._note_waiting(taken.waits, now)
        metrics.PENDING.set(len(self._leaves))

    def _accept(self, offset: int, _: bytes | None, outcome: Leaf | Refusal) -> None:
        self._next = offset + 1
        if isinstance(outcome, Leaf):
            self._leaves.append(outcome)
            self._hashes.add(leaf_hash(outcome.data))
            return
        metrics.REFUSED.labels(outcome.reason).inc()
        log.warning("audit_record_refused", topic=self._topic, offset=offset, reason=outcome.message)

    def _is_due(self) -> bool:
        """Whether it is time for a checkpoint; also when the clock was set back."""
        return bool(self._leaves) and not timedelta(0) <= self._clock.now() - self._attempted < self._interval

    def _wait_seconds(self) -> float:
        if self._backlog:
            return 0.0
        left = (self._attempted + self._interval - self._clock.now()).total_seconds()
        return max(0.0, min(left, _WAIT_SECONDS)) if self._leaves else _WAIT_SECONDS

    def _note_published(self) -> None:
        for leaf in self._leaves:
            metrics.ENTRIES.labels(leaf.kind).inc()
        self._leaves, self._hashes = [], set()
        self._published = self._clock.now()
        self._troubles.pop("storage", None)
        metrics.STORAGE_FULL.set(0)
        metrics.PENDING.set(0)
        metrics.TREE_SIZE.set(self._store.published.size)

    def _note_waiting(self, waits: bool, now: datetime) -> None:
        if not waits:
            self._waiting_since = None
            self._troubles.pop("directory", None)
            return
        self._waiting_since = self._waiting_since or now
        self._trouble("directory", "an entry was made under a newer directory than the one this process has")

    def _note_gaps(self, offsets: list[int]) -> None:
        for before, offset in zip([self._read_to - 1, *offsets], offsets, strict=False):
            if offset != before + 1:
                metrics.OFFSET_GAPS.inc()
                log.error("audit_topic_skips_offsets", topic=self._topic, after=before, at=offset)

    def _trouble(self, name: str, message: str) -> None:
        if name not in self._troubles:
            log.error("audit_log_waits", reason=message)
        self._troubles[name] = message


async def _unless(stopping: asyncio.Task[Any] | None, reading: Coroutine[Any, Any, Batch | None]) -> Batch | None:
    """What is read, or None once `stopping` is done: a connection that hangs does not hold the end up."""
    task = asyncio.create_task(reading)
    try:
        await asyncio.wait([task, stopping] if stopping else [task], return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        # What a read that is given up had fetched is read again by the next process: the checkpoint says from where.
        task.cancel()
        await asyncio.wait([task])
