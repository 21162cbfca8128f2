"""Publishing: events into a buffer, then all of them, sealed, in one transaction with the publisher's position.

async with Publisher(publisher_id, bootstrap, signer, directory, schemas, clock) as publisher:
    await publisher.open(topic, schema_text)
    publisher.add(topic, {...}, key="...")
    await publisher.commit(position={"row": 4711})
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from exchange.avro import RegisteredSchema
from exchange.bus import metrics
from exchange.bus.letters.letter import rejected_letter
from exchange.bus.publishing.outbox import Channel
from exchange.bus.publishing.prepared import Prepared, prepare
from exchange.bus.publishing.writer import SealedWriter
from exchange.clock import Clock
from exchange.errors import ExchangeError, PublisherNotAllowed, SettingsError, TransportError, ValueInvalid
from exchange.ids import PublisherId
from exchange.trust import Directory, Signer

_NOTHING = timedelta()
_MILLISECOND = timedelta(milliseconds=1)


class SchemaResolver(Protocol):
    """Finds what is registered: the registry's client."""

    async def resolve(self, subject: str, schema_text: str, /) -> RegisteredSchema:
        """The schema as registered under a subject; raises SchemaNotFound, or PeerUnreachable."""
        ...


class Publisher:
    """One publisher of one agency, as an async context manager. Only one runs at a time: a second fences the first.

    After any failed `commit` it is closed; a new one continues after the last commit that held.
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
    ) -> None:
        self._publisher = publisher
        self._directory = directory
        self._schemas = schemas
        self._clock = clock
        self._writer = SealedWriter(publisher, bootstrap, signer, directory, clock, compression=compression)
        self._channels: dict[str, Channel] = {}
        self._buffer: list[Prepared] = []
        self._committing: asyncio.Task[int] | None = None
        self._last = datetime.min.replace(tzinfo=UTC)

    @property
    def position(self) -> dict[str, Any] | None:
        """The application's own place, as it was last committed (by this process or one before it)."""
        return self._writer.position.application

    @property
    def epoch(self) -> int:
        """How many times this publisher has started."""
        return self._writer.position.epoch

    @property
    def pending(self) -> int:
        """How many records wait for the next commit."""
        return len(self._buffer)

    async def __aenter__(self) -> Publisher:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Fence, read the position, begin an epoch.

        Raises PublisherNotAllowed, KeyNotValid, DirectoryExpired, ClockSkewed, BrokerUnreachable, SettingsError.
        """
        await self._writer.start()

    async def close(self) -> None:
        """End the publisher. What was added and not committed is not published, nor what a commit under way has."""
        committing, self._committing = self._committing, None
        if committing is not None:
            committing.cancel()
            with suppress(asyncio.CancelledError, ExchangeError):
                await committing
        await self._writer.close()

    async def open(self, topic: str, schema_text: str) -> None:
        """Make ready to publish to a topic.

        Raises PublisherNotAllowed (not the owner's topic), SchemaNotFound (not registered), PeerUnreachable (the
        registry is away), SettingsError (no such topic). Nothing is written.
        """
        self._require_topic(topic)
        registered = await self._schemas.resolve(f"{topic}-value", schema_text)
        partitions = await self._writer.partitions(topic)
        largest = await self._writer.largest_record(topic)
        committed = self._writer.position.sequences.get(topic, {})
        self._channels[topic] = Channel(self._publisher.agency, topic, registered, partitions, largest, committed)

    def add(
        self,
        topic: str,
        data: dict[str, Any] | None,
        *,
        key: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
        traceparent: str | None = None,
    ) -> None:
        """Put an event (None: a tombstone) into the buffer; `time` is aware, the default is now.

        Raises ValueInvalid or RecordTooLarge, and the buffer is as it was.
        """
        channel = self._channels.get(topic)
        if channel is None:
            raise SettingsError(f"topic {topic} is not open on {self._publisher}: call `open` first")
        if time is None:
            time = self._now()
        elif time.tzinfo is None:
            raise ValueInvalid(f"the time {time.isoformat()} of an event on {topic} has no zone: pass an aware time")
        self._buffer.append(channel.event(data, key, subject, time, traceparent))

    def add_rejected(self, code: str, message: str, *, key: str | None, details: Mapping[str, str]) -> None:
        """Keep something that could not become an event as a dead letter, in the same transaction as the rest.

        `details` say where it came from (table, cursor); they and `message` must not hold what it said.
        """
        now = self._clock.now()
        self._buffer.append(prepare(rejected_letter(self._publisher, code, message, key, details, now)))

    async def commit(self, position: dict[str, Any] | None = None) -> int:
        """Publish all that was added, in one transaction with `position` (None keeps the last); how many events.

        Raises KeyNotValid and the like with the buffer kept; after PublisherFenced, BrokerUnreachable or
        TransportError this publisher is closed.
        """
        await self.begin_commit(position)
        return await self.finish_commit()

    async def begin_commit(self, position: dict[str, Any] | None = None) -> None:
        """Start to commit as `commit` does, and return: what is added from here on is of the next transaction.

        The commit before it is waited for first: transactions hold in their order, or none that follows does.
        Raises as `commit`, of this commit what is known before anything is written, and what the one before raised.
        """
        await self.finish_commit()
        self._require_open()
        if not self._buffer and position in (None, self.position):
            return
        self._writer.require_key()
        sequences = {topic: dict(enumerate(each.sequences)) for topic, each in self._channels.items()}
        records, self._buffer = self._buffer, []
        events = {topic: channel.settle() for topic, channel in self._channels.items()}
        application = self.position if position is None else position
        self._committing = asyncio.create_task(self._commit(records, sequences, application, events))

    async def finish_commit(self) -> int:
        """Wait until the commit under way holds; how many events it had, 0 without one. Raises as `commit`."""
        committing, self._committing = self._committing, None
        return 0 if committing is None else await committing

    async def publish(
        self, topic: str, data: dict[str, Any] | None, *, key: str | None = None, subject: str | None = None
    ) -> None:
        """Add one event and commit it. Raises as `add` and `commit` do."""
        self.add(topic, data, key=key, subject=subject)
        await self.commit()

    def discard(self) -> None:
        """Empty the buffer, as if nothing had been added since the last commit began."""
        self._buffer.clear()
        for channel in self._channels.values():
            channel.roll_back()

    def _now(self) -> datetime:
        """The time, to the millisecond: events of one millisecond share one object, whose text is built once."""
        now = self._clock.now()
        if not _NOTHING <= now - self._last < _MILLISECOND:
            self._last = now
        return self._last

    async def _commit(
        self,
        records: Sequence[Prepared],
        sequences: Mapping[str, Mapping[int, int]],
        application: dict[str, Any] | None,
        events: Mapping[str, int],
    ) -> int:
        try:
            await self._writer.commit(records, sequences, application)
        except BaseException:
            # The records are gone from the buffer: going on would leave a hole. A successor starts from what holds.
            await self._writer.close()
            raise
        for topic, count in events.items():
            metrics.PUBLISHED.labels(topic, str(self._publisher)).inc(count)
        return sum(events.values())

    def _require_open(self) -> None:
        if not self._writer.is_open:
            raise TransportError(
                f"{self._publisher} is closed, or a commit failed before: start a new one", code="publisher_closed"
            )

    def _require_topic(self, topic: str) -> None:
        entry = self._directory().topic(topic)
        if entry is None:
            raise PublisherNotAllowed(f"topic {topic} is not in the directory: its owner has it added first")
        if entry.owner != self._publisher.agency:
            raise PublisherNotAllowed(f"topic {topic} belongs to {entry.owner}, not to {self._publisher.agency}")
        if str(self._publisher) not in entry.publishers:
            raise PublisherNotAllowed(f"{self._publisher} is not among the publishers of {topic} in the directory")
