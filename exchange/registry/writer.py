"""The one writer: writes that wait together are decided one after the other and committed in one transaction.

A write is a function that looks at the state and says which records to write, or raises. Nothing can come between its
look and its records: only the process that holds the transactional id writes, it decides with everything applied, and
two writes of one transaction never concern the same subject.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog

from exchange.errors import ExchangeError, PublisherFenced, RecordTooLarge, TransportError
from exchange.registry.ports import KeyValue, SchemaStore
from exchange.registry.records import LeaderRecord, encode_leader
from exchange.registry.state import State

log = structlog.get_logger()
_T = TypeVar("_T")
_LARGEST_BATCH = 64


class Batch:
    """What one transaction is going to write, and the ids it gives."""

    def __init__(self, state: State) -> None:
        self.records: list[KeyValue] = []
        self.learned: dict[str, dict[int, bytes]] = {}
        """The canonical digests of the schemas it registers, by context and id."""
        self._state = state
        self._highest: dict[str, int] = {}

    def next_id(self, context: str) -> int:
        """An id that was never given in a context."""
        self._highest[context] = self._highest.get(context, self._state.index(context).highest) + 1
        return self._highest[context]

    def registers(self, context: str, digest: bytes) -> bool:
        """Whether this transaction registers the schema of this digest already."""
        return digest in self.learned.get(context, {}).values()

    def gives(self, context: str, schema_id: int) -> bool:
        """Whether this transaction gives an id already."""
        return schema_id in self.learned.get(context, {})

    def learn(self, context: str, schema_id: int, digest: bytes) -> None:
        """Note the digest of a schema that is registered."""
        self.learned.setdefault(context, {})[schema_id] = digest

    def keep_ids(self) -> None:
        """Write down the highest ids: what is taken away for good leaves nothing else that tells them."""
        self.records.append(encode_leader(LeaderRecord(self._state.leader, self._state.highest_ids())))


@dataclass(eq=False)
class _Write(Generic[_T]):
    subject: str | None
    decide: Callable[[Batch], _T]
    outcome: asyncio.Future[_T] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, outcome: _T) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def fail(self, error: BaseException) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


@dataclass(eq=False)
class _Transaction:
    """Writes that were decided together, with what each is answered once their records are committed."""

    batch: Batch
    outcomes: list[tuple[_Write[Any], Any]]

    def settle(self, state: State) -> None:
        for context, digests in self.batch.learned.items():
            state.index(context).learn(digests)
        for write, outcome in self.outcomes:
            write.settle(outcome)


class Writer:
    """Decides and commits writes for as long as it leads.

    `alone` it claims to lead when a write comes and it does not; among replicas it leads only when it is told to
    (`claim`): a write that began before another took over must not take the lead back, and come after later ones.
    """

    def __init__(self, store: SchemaStore, state: State, url: str, alone: bool = True) -> None:
        self._store = store
        self._state = state
        self._url = url
        self._alone = alone
        self._leads = False
        self.fenced = False
        """Whether it led until another took over, whose announcement may be under way."""
        self._waiting: list[_Write[Any]] = []
        self._queued = asyncio.Event()
        self._committing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._unsettled: _Transaction | None = None

    @property
    def leads(self) -> bool:
        """Whether this process writes, as far as it knows."""
        return self._leads and self._state.leader == self._url

    def start(self) -> None:
        """Begin to take writes."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Finish the transaction under way, then stop."""
        async with self._committing:
            self._closed = True
            if self._task is not None:
                self._task.cancel()
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task
        self._fail(self._waiting, _stopping())

    async def wait_stopped(self) -> None:
        """Return only by raising what ended the writer."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def submit(self, subject: str | None, decide: Callable[[Batch], _T]) -> _T:
        """What `decide` returned, once the records it gave the batch are committed and applied.

        With a subject it may share its transaction with writes of other subjects; with None it is alone. Raises what
        `decide` raised, PublisherFenced (another leads now), RecordTooLarge or TransportError.
        """
        if self._closed:
            raise _stopping()
        write = _Write(subject, decide)
        self._waiting.append(write)
        self._queued.set()
        return await write.outcome

    async def claim(self) -> None:
        """Lead: fence whoever wrote before, and say so in the topic. Raises TransportError."""
        async with self._committing:
            await self._claim()

    async def _claim(self) -> None:
        self._leads = False
        await self._store.lead()
        # SIGKILL here: whoever led is fenced and finds the topic naming a leader that is silent; another claims.
        await self._store.append([encode_leader(LeaderRecord(self._url, self._state.highest_ids()))])
        self._leads, self.fenced = True, False
        log.info("registry_leads", url=self._url)

    async def _claim_alone(self) -> None:
        """Among replicas only to settle a transaction of its own, and only while no other is announced."""
        settling = self._unsettled is not None and self._state.leader == self._url
        if not self._alone and not settling:
            raise PublisherFenced("this registry does not lead, or another took over")
        await self._claim()

    async def _run(self) -> None:
        while True:
            await self._queued.wait()
            async with self._committing:
                writes = self._take()
                if writes:  # else those that waited failed together: nobody asks this replica to lead
                    await self._commit(writes)

    def _take(self) -> list[_Write[Any]]:
        """The writes of the next transaction: as many as wait, one a subject, in the order in which they came."""
        taken: dict[str | None, _Write[Any]] = {}
        for write in self._waiting:
            if write.subject is None or len(taken) == _LARGEST_BATCH:
                if not taken:
                    taken[None] = write
                break
            taken.setdefault(write.subject, write)
        chosen = list(taken.values())
        self._waiting = [write for write in self._waiting if write not in chosen]
        if not self._waiting:
            self._queued.clear()
        return chosen

    async def _commit(self, writes: Sequence[_Write[Any]]) -> None:
        """Where the outcome is unknown it is tried again, once: leading anew tells whether the records are there."""
        self._unsettled = None
        try:
            try:
                await self._attempt(writes)
            except TransportError as error:
                if not error.retriable:
                    raise
                log.warning("registry_write_repeated", reason=error.message)
                self._leads = False
                await self._attempt(writes)
        except RecordTooLarge as error:
            await self._apart(writes, error)
        except ExchangeError as error:
            self._leads = False
            self.fenced = self.fenced or isinstance(error, PublisherFenced)
            waiting, self._waiting = self._waiting, []  # whoever asks again is sent to the replica that leads now
            self._fail([*writes, *waiting], error)
        except Exception as error:
            log.exception("registry_write_failed")
            self._fail(writes, error)

    async def _attempt(self, writes: Sequence[_Write[Any]]) -> None:
        if not self.leads:
            try:
                await self._claim_alone()
            except TransportError:
                if not self._is_there():  # before another's announcement all that was ours is applied
                    raise
            if self._unsettled is not None and self._is_there():
                return self._unsettled.settle(self._state)
        batch = Batch(self._state)
        decided = [(write, outcome) for write in writes for outcome in self._decided(write, batch)]
        transaction = _Transaction(batch, decided)
        if batch.records:
            self._unsettled, self._state.awaited = transaction, set(batch.records)
            # SIGKILL before this commits: no id of the batch was ever answered; after: all of it is there.
            await self._store.append(batch.records)
        return transaction.settle(self._state)

    def _is_there(self) -> bool:
        """Whether the transaction of unknown outcome was committed after all."""
        return self._unsettled is not None and not self._state.awaited

    def _decided(self, write: _Write[_T], batch: Batch) -> list[_T]:
        """The outcome, or nothing where it was refused."""
        if write.outcome.done():
            return []
        try:
            return [write.decide(batch)]
        except ExchangeError as error:
            write.fail(error)
        except Exception as error:  # its sender's alone: the others of the transaction go on
            log.exception("registry_decision_failed")
            write.fail(error)
        return []

    async def _apart(self, writes: Sequence[_Write[Any]], error: RecordTooLarge) -> None:
        """One write is larger than the topic takes: only that one is refused."""
        if len(writes) == 1:
            self._fail(writes, error)
        else:
            for write in writes:
                await self._commit([write])

    def _fail(self, writes: Sequence[_Write[Any]], error: BaseException) -> None:
        for write in writes:
            write.fail(error)


def _stopping() -> TransportError:
    return TransportError("the registry is stopping", code="registry_not_ready")
