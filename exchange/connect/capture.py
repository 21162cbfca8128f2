"""Rows -> events: reads a table beyond the last committed cursor and publishes, each chunk with its cursor.

The cursor travels in the transaction of the events (spec 3), so there is nothing to reconcile after a crash: a new
run reads the last position and goes on with the next row.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from exchange.connect import metrics
from exchange.connect.config import Publication
from exchange.connect.cursor import Cursor, from_position, to_position
from exchange.connect.mapping import Row, TableMapping
from exchange.connect.ports import AdapterContext, Bus, EventPublisher
from exchange.connect.retry import Backoff, pause, require_first_start
from exchange.connect.source import Chunk, CursorSource
from exchange.errors import ExchangeError, RecordTooLarge, ValueInvalid
from exchange.ids import AgencyId, PublisherId

log = structlog.get_logger()

_TURN = 500
"""Rows mapped and encoded before other tasks get their turn: about 10 ms."""


class Capture:
    """One publisher of an adapter file."""

    def __init__(
        self,
        agency: AgencyId,
        publication: Publication,
        schema_text: str,
        mapping: TableMapping,
        source: CursorSource,
        bus: Bus,
        context: AdapterContext,
        poll: timedelta,
    ) -> None:
        self._publication = publication
        self._publisher_id = PublisherId(agency, publication.name)
        self._schema_text = schema_text
        self._map = mapping
        self._source = source
        self._bus = bus
        self._context = context
        self._poll = poll.total_seconds()
        self._labels = (str(agency), publication.table)
        self.published = 0
        """Events committed since the start."""
        self._under_way: tuple[Chunk, int] | None = None
        self._has_started = False
        self.is_ready = False
        """Whether it publishes now."""

    @property
    def name(self) -> str:
        """The publisher's name in the adapter file."""
        return self._publication.name

    async def run(self, stop: asyncio.Event, *, once: bool = False) -> int:
        """Publish until `stop`, or with `once` until the table is exhausted; how many events there were.

        Failures that may pass (database locked, Kafka or registry away) are waited out; then it starts again from the
        last committed position. Raises every other error.
        """
        backoff = Backoff(self._context.patience, stop)
        while not stop.is_set():
            try:
                await self._source.verify()
                async with self._bus.publisher(self._publisher_id) as publisher:
                    await publisher.open(self._publication.topic, self._schema_text)
                    self.is_ready = self._has_started = True
                    await self._follow(publisher, stop, backoff, once)
                break
            except ExchangeError as error:
                require_first_start(error, self._has_started)
                self.is_ready = False
                await backoff.after(error, self.name)
        return self.published

    async def _follow(self, publisher: EventPublisher, stop: asyncio.Event, backoff: Backoff, once: bool) -> None:
        reader = _ReadAhead(self._source, self._publication.batch)
        self._under_way = None
        try:
            await self._chunks(publisher, reader, stop, backoff, once)
            await self._finish(publisher)
        finally:
            await reader.close()

    async def _chunks(
        self, publisher: EventPublisher, reader: _ReadAhead, stop: asyncio.Event, backoff: Backoff, once: bool
    ) -> None:
        cursor = from_position(publisher.position, self._publication.table, self._publication.cursor)
        reader.start(cursor)
        while not stop.is_set():
            chunk = await reader.take(stop)
            if chunk is None:
                return
            if not chunk.rows:
                await self._finish(publisher)
                self._report(chunk)
                if once:
                    return
                await pause(stop, self._poll)
                reader.start(cursor)
                continue
            cursor = chunk.last
            reader.start(cursor)  # reads on while this chunk is mapped, and the one before it is committed
            await self._publish(publisher, chunk)
            backoff.reset()

    async def _publish(self, publisher: EventPublisher, chunk: Chunk) -> None:
        """One transaction: the chunk's events, its dead letters and its cursor; under way when this returns."""
        refused = 0
        for start in range(0, len(chunk.rows), _TURN):
            for row in chunk.rows[start : start + _TURN]:
                refused += not self._add(publisher, row)
            await asyncio.sleep(0)
        await self._finish(publisher)
        await publisher.begin_commit(self._position(chunk))
        self._under_way = (chunk, refused)

    async def _finish(self, publisher: EventPublisher) -> None:
        """Wait until the chunk under way, if any, is committed, and count it."""
        await publisher.finish_commit()
        if self._under_way is None:
            return
        # SIGKILL before this line or after it: what is committed has its cursor with it.
        (chunk, refused), self._under_way = self._under_way, None
        self.published += len(chunk.rows) - refused
        metrics.ROWS.labels(*self._labels, "out").inc(len(chunk.rows) - refused)
        metrics.REFUSED.labels(*self._labels, "out").inc(refused)
        self._report(chunk)

    def _add(self, publisher: EventPublisher, row: Row) -> bool:
        try:
            event = self._map(row)
            publisher.add(self._publication.topic, event.data, key=event.key, subject=event.subject, time=event.time)
        except (ValueInvalid, RecordTooLarge) as error:
            self._refuse(publisher, row, error)
            return False
        return True

    def _refuse(self, publisher: EventPublisher, row: Row, error: ExchangeError) -> None:
        """The row stays where it is: the dead letter says which, and why, and nothing of what it holds."""
        details = {
            "topic": self._publication.topic,
            "table": self._publication.table,
            "cursor-column": self._publication.cursor,
            "cursor": str(row[self._map.cursor_place]),
        }
        publisher.add_rejected(error.code, error.message, key=self._map.key_of(row), details=details)
        metrics.ERRORS.labels(error.code).inc()
        log.warning("row_refused", code=error.code, reason=error.message, **details)

    def _position(self, chunk: Chunk) -> dict[str, Any]:
        assert chunk.last is not None  # noqa: S101  only chunks with rows are published
        return to_position(chunk.last, self._publication.table, self._publication.cursor)

    def _report(self, chunk: Chunk) -> None:
        if isinstance(chunk.last, int) and isinstance(chunk.highest, int):
            metrics.POSITION.labels(self._labels[0], self.name).set(chunk.last)
            metrics.LAG_ROWS.labels(*self._labels).set(chunk.highest - chunk.last)


class _ReadAhead:
    """At most one read under way, owned by whoever closes this."""

    def __init__(self, source: CursorSource, size: int) -> None:
        self._source = source
        self._size = size
        self._reading: asyncio.Task[Chunk] | None = None

    def start(self, after: Cursor | None) -> None:
        self._reading = asyncio.create_task(self._source.read(after, self._size))

    async def take(self, stop: asyncio.Event) -> Chunk | None:
        """What was read; None when `stop` came first."""
        assert self._reading is not None  # noqa: S101
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({self._reading, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return await self._reading if self._reading.done() else None
        finally:
            stopped.cancel()

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError, ExchangeError):
                await self._reading
