"""Publishing: events sealed, numbered, and in one transaction with the publisher's position.

async with Publisher(publisher_id, bootstrap, signer, directory, schemas, clock) as publisher:
    await publisher.open(topic, schema_text)
    delivery = await publisher.publish(topic, {...}, key="...")             # by itself; many share a flush
    count = await publisher.publish_many(events)                            # with back-pressure
    async with publisher.transaction({"row": 4711}) as transaction:         # all or nothing, with a place
        transaction.add(topic, {...}, key="...")

What a program that prepares one transaction while another commits calls by hand (ADR 14): `add`, `begin_commit`,
`finish_commit`, `discard`. One publisher is used in this way or in those, not in both at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from exchange.avro import RegisteredSchema
from exchange.bus.letters.letter import rejected_letter
from exchange.bus.publishing.bulk import Bulk, Delivered
from exchange.bus.publishing.bundle import Bundle, Cause
from exchange.bus.publishing.commits import Commits, closed
from exchange.bus.publishing.delivery import Delivery
from exchange.bus.publishing.flushing import Flusher, FlushPolicy
from exchange.bus.publishing.gathering import Gathering
from exchange.bus.publishing.key_life import KEY_MARGIN, KeyLife
from exchange.bus.publishing.new_event import Absent, Data, NewEvent, TypedEvent
from exchange.bus.publishing.outbox import Channel
from exchange.bus.publishing.permission import require_topic
from exchange.bus.publishing.prepared import prepare
from exchange.bus.publishing.steady import PATIENCE_SECONDS, SteadyWriter
from exchange.bus.publishing.transaction import Transaction
from exchange.bus.publishing.writer import SealedWriter
from exchange.clock import Clock
from exchange.errors import SettingsError
from exchange.ids import PublisherId
from exchange.trust import Directory, Signer


class SchemaResolver(Protocol):
    """Finds what is registered: the registry's client."""

    async def resolve(self, subject: str, schema_text: str, /) -> RegisteredSchema:
        """The schema as registered under a subject; raises SchemaNotFound, or PeerUnreachable."""
        ...


class Publisher:
    """One publisher of one agency, as an async context manager. Only one runs at a time: a second fences the first.

    A commit that fails, or that Kafka does not answer within `commit_seconds`, is recovered within `patience` seconds:
    found to hold, or written again. After a failure beyond that it is closed; a new one continues after the last
    commit that held. It takes nothing more once the signing key has less than `key_margin` left.
    """

    def __init__(
        self,
        publisher: PublisherId,
        bootstrap: str,
        signer: Signer,
        directory: Callable[[], Directory],
        schemas: SchemaResolver,
        clock: Clock,
        *,
        compression: str = "zstd",
        flush: FlushPolicy | None = None,
        commit_seconds: float = 60.0,
        patience: float = PATIENCE_SECONDS,
        key_margin: timedelta = KEY_MARGIN,
    ) -> None:
        def writer() -> SealedWriter:
            return SealedWriter(
                publisher, bootstrap, signer, directory, clock, compression=compression, commit_seconds=commit_seconds
            )

        policy, name = flush or FlushPolicy(), str(publisher)
        self._publisher = publisher
        self._directory = directory
        self._signer = signer
        self._schemas = schemas
        self._clock = clock
        self._key_life = KeyLife(publisher, key_margin)
        self._writer = SteadyWriter(publisher, writer, patience)
        self._gathering = Gathering(name, clock)
        self._commits = Commits(self._writer, name)
        self._flusher = Flusher(name, self._gathering, self._commits, policy, self._require_key)
        self._committing: Bundle | None = None
        self._in_block: asyncio.Task[Any] | None = None

    @property
    def position(self) -> dict[str, Any] | None:
        """The application's own place, as it was last committed (by this process or one before it)."""
        return self._writer.position.application

    @property
    def epoch(self) -> int:
        """How many times this publisher has started; a recovery is a start, too."""
        return self._writer.position.epoch

    @property
    def pending(self) -> int:
        """How many records wait for the next commit."""
        return len(self._gathering.bundle.records)

    async def __aenter__(self) -> Publisher:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Fence, read the position, begin an epoch.

        Raises PublisherNotAllowed, KeyNotValid, DirectoryExpired, ClockSkewed, BrokerUnreachable, SettingsError.
        """
        self._require_key()
        await self._writer.start()

    async def close(self) -> None:
        """End the publisher. What was added and not committed is not published, nor what a commit under way has.

        Whoever still waits for a delivery is told so: TransportError `publisher_closed`.
        """
        await self._flusher.close()
        await self._commits.close()

    async def open(self, topic: str | type[TypedEvent], schema_text: str | None = None) -> None:
        """Make ready to publish to a topic: its name and schema, or a class of typed events, which knows both.

        Raises PublisherNotAllowed (not the owner's topic), SchemaNotFound (not registered), PeerUnreachable (the
        registry is away), SettingsError (no such topic). Nothing is written.
        """
        name, text = (topic, schema_text) if isinstance(topic, str) else (topic.__topic__, topic.__schema__)
        if text is None:
            raise SettingsError(f"topic {name} is opened with its schema's text, or by a class of typed events")
        require_topic(self._directory(), self._publisher, name)
        registered = await self._schemas.resolve(f"{name}-value", text)
        partitions = await self._writer.partitions(name)
        largest = await self._writer.largest_record(name)
        committed = self._writer.position.sequences.get(name, {})
        self._gathering.open(Channel(self._publisher.agency, name, registered, partitions, largest, committed))

    async def publish(
        self,
        topic: str | TypedEvent,
        data: Data = Absent.DATA,
        *,
        key: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
        traceparent: str | None = None,
    ) -> Delivery:
        """Publish one event (data None: a tombstone), and return once it is durable and visible: where it is.

        Concurrent calls share a flush (`FlushPolicy`); a call waits while too many bytes are in flight. Raises as
        `add` and `commit` do. A call that is cancelled may have published.
        """
        self._require_outside()
        bundle, index = await self._flusher.put(NewEvent(topic, data, key, subject, time, traceparent))
        return (await bundle.wait()).delivery(index)

    async def publish_many(
        self, events: Iterable[NewEvent] | AsyncIterable[NewEvent], *, delivered: Delivered | None = None
    ) -> int:
        """Publish events as they come, in their order, and return once all are delivered: how many.

        Takes no more of them than may be in flight. `delivered` is called with the reports of each flush, in order.
        Raises as `publish` does, and what `events` raises; those before it are published then.
        """
        async with self.bulk(delivered=delivered, is_eager=not isinstance(events, AsyncIterable)) as bulk:
            await bulk.put_all(events)
        return bulk.count

    @asynccontextmanager
    async def bulk(self, *, delivered: Delivered | None = None, is_eager: bool = True) -> AsyncIterator[Bulk]:
        """`publish_many` in steps, for a source that cannot be handed over. The block ends when all is delivered.

        An eager source has more at once whenever it is asked: flushes are filled to the brim.
        """
        self._require_outside()
        async with Bulk(self._flusher, delivered, is_eager=is_eager) as bulk:
            yield bulk

    @asynccontextmanager
    async def transaction(self, position: dict[str, Any] | None = None) -> AsyncIterator[Transaction]:
        """Publish what is added in the block, to any topics, and `position` (None keeps the last), or none of it.

        Nothing else gets in between: whoever publishes meanwhile waits until the block has ended. Leaving it returns
        once all is durable and visible; an exception in it publishes nothing. Raises as `commit`.
        """
        self._require_outside()
        async with self._flusher.turn:
            await self._flusher.wait_for_room()
            self._flusher.flush()
            self._gathering.begin(Cause.TRANSACTION)
            self._in_block = asyncio.current_task()
            transaction = Transaction(self._gathering, position)
            try:
                yield transaction
                bundle = self._close(transaction.position)
            except BaseException:
                self._gathering.discard()
                raise
            finally:
                self._in_block = None
        await transaction.settle(bundle)

    def add(
        self,
        topic: str | TypedEvent,
        data: Data = Absent.DATA,
        *,
        key: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
        traceparent: str | None = None,
    ) -> None:
        """Put an event (None: a tombstone) into the buffer; `time` is aware, the default is now.

        Raises ValueInvalid or RecordTooLarge, and the buffer is as it was.
        """
        self._begin_adding()
        self._gathering.put(NewEvent(topic, data, key, subject, time, traceparent))

    def add_rejected(self, code: str, message: str, *, key: str | None, details: Mapping[str, str]) -> None:
        """Keep something that could not become an event as a dead letter, in the same transaction as the rest.

        `details` say where it came from (table, cursor); they and `message` must not hold what it said.
        """
        self._begin_adding()
        letter = rejected_letter(self._publisher, code, message, key, details, self._clock.now())
        self._gathering.put_record(prepare(letter))

    async def commit(self, position: dict[str, Any] | None = None) -> int:
        """Publish all that was added, in one transaction with `position` (None keeps the last); how many events.

        Raises KeyNotValid and the like with the buffer kept; after PublisherFenced (another process runs: it is not
        to be tried again), BrokerUnreachable or TransportError (patience is over) this publisher is closed.
        """
        await self.begin_commit(position)
        return await self.finish_commit()

    async def begin_commit(self, position: dict[str, Any] | None = None) -> None:
        """Start to commit as `commit` does, and return: what is added from here on is of the next transaction.

        The commit before it is waited for first: transactions hold in their order, or none that follows does.
        Raises as `commit`, of this commit what is known before anything is written, and what the one before raised.
        """
        await self.finish_commit()
        if not self._commits.is_open:
            raise closed(str(self._publisher))
        self._begin_adding()
        self._committing = self._close(position)

    async def finish_commit(self) -> int:
        """Wait until the commit under way holds; how many events it had, 0 without one. Raises as `commit`."""
        committing, self._committing = self._committing, None
        if committing is None:
            return 0
        await committing.wait()
        return sum(committing.events.values())

    def discard(self) -> None:
        """Empty the buffer, as if nothing had been added since the last commit began."""
        if self._gathering.bundle.cause is Cause.COMMIT:
            self._gathering.discard()

    def _begin_adding(self) -> None:
        cause = self._gathering.bundle.cause
        if cause is Cause.COMMIT:
            return
        if cause is Cause.TRANSACTION:
            raise SettingsError(f"a transaction of {self._publisher} is open: add to it, or leave its block first")
        self._flusher.flush()
        self._gathering.begin(Cause.COMMIT)

    def _close(self, position: dict[str, Any] | None) -> Bundle | None:
        """What was gathered, on its way; None where there is nothing to say. Raises KeyNotValid, all is as it was."""
        if not self._gathering.bundle.records and position in (None, self.position):
            self._gathering.discard()
            return None
        self._require_key()
        bundle = self._gathering.close()
        bundle.position = position
        self._commits.start(bundle)
        return bundle

    def _require_outside(self) -> None:
        if self._in_block is not None and self._in_block is asyncio.current_task():
            raise SettingsError(
                f"a transaction of {self._publisher} is open in this very task, which would wait for itself: "
                "add to the transaction, or publish after its block"
            )

    def _require_key(self) -> None:
        agency = self._writer.require_key()
        self._key_life.require(agency, self._signer.public, self._clock.now())
