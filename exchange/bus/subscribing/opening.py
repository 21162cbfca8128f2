"""From polled records to a batch: verify each, note gaps, keep what is refused (spec 3, steps 1 to 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from exchange.avro import RegisteredSchema
from exchange.bus import metrics
from exchange.bus.letters.letter import Refusal
from exchange.clock import Clock, to_unix_millis
from exchange.envelope import Event, KafkaRecord, Opener, Record, SequenceTracker, schema_id_of
from exchange.errors import PeerUnreachable, RecordRefused, SchemaNotFound, SealMalformed
from exchange.transport.kafka import Partition, Polled
from exchange.trust import Directory

_LOG = structlog.get_logger(__name__)
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_SCHEMA_UNKNOWN = "schema_unknown"


class SchemaCache(Protocol):
    """Schemas by number: what is cached at once, the rest from the registry."""

    def get(self, schema_id: int, /) -> RegisteredSchema | None:
        """The schema, or None where the cache does not have it."""
        ...

    async def load(self, ids: Sequence[int], /) -> None:
        """Fetch what is missing; numbers the registry does not know stay missing. Raises PeerUnreachable."""
        ...


class BatchOpener:
    """Opens the records of one subscriber."""

    def __init__(
        self,
        group: str,
        directory: Callable[[], Directory],
        schemas: SchemaCache,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        self._group = group
        self._directory = directory
        self._schemas = schemas
        self._clock = clock
        self._stopping = stopping
        self._open = Opener(directory, schemas, clock=clock).open

    async def open(self, polled: Polled, tracker: SequenceTracker) -> tuple[list[Event], list[Refusal]] | None:
        """The events and the refusals, `tracker` moved along; None when stopped while the registry was away.

        Raises DirectoryExpired: without a directory nothing is delivered and nothing refused.
        """
        events: list[Event] = []
        refused = [self._unreadable(polled.place, offset) for offset in polled.unreadable]
        missing: set[int] = set()
        open_record, take, observe = self._open, events.append, tracker.observe
        with metrics.OPEN_SECONDS.labels(polled.place.topic, self._group).time():
            for record in polled.records:
                try:
                    event = open_record(record)
                    if observe(event) is not None:
                        self._report_gap(event)
                    take(event)
                except RecordRefused as error:
                    outcome = await self._again(record, error, tracker, missing)
                    if outcome is None:
                        return None
                    if isinstance(outcome, Refusal):
                        refused.append(outcome)
                    else:
                        take(outcome)
        self._report(refused)
        return events, refused

    async def _again(
        self, record: Record, error: RecordRefused, tracker: SequenceTracker, missing: set[int]
    ) -> Event | Refusal | None:
        """A refusal stands, unless all it lacked was a schema that the registry has: then the record is opened anew."""
        number = schema_id_of(record.value)
        if error.code != _SCHEMA_UNKNOWN or number is None or number in missing:
            return Refusal(record, error)
        if not await self._load(number):
            return None
        if self._schemas.get(number) is None:
            missing.add(number)
            return Refusal(record, error)
        try:
            event = self._open(record)
            if tracker.observe(event) is not None:
                self._report_gap(event)
        except RecordRefused as second:
            return Refusal(record, second)
        return event

    async def _load(self, number: int) -> bool:
        """Ask the registry until it answers; False when stopped meanwhile. A registry that is away refuses nothing."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                await self._schemas.load([number])
            except SchemaNotFound:
                return True
            except PeerUnreachable as error:
                metrics.SCHEMA_WAITS.labels(self._group).inc()
                _LOG.warning("registry away, waiting", group=self._group, schema=number, error=error.message)
                await self._pause(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return True
        return False

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _report_gap(self, event: Event) -> None:
        """A hole is an alarm and no reason to withhold a good record; on a compacted topic it is no hole."""
        entry = self._directory().topic(event.topic)
        if entry is not None and entry.compacted:
            return
        metrics.SEQUENCE_GAPS.labels(event.topic).inc()
        _LOG.error(
            "sequence gap",
            topic=event.topic,
            partition=event.partition,
            offset=event.offset,
            publisher=event.publisher,
            sequence=event.sequence,
        )

    def _report(self, refused: Sequence[Refusal]) -> None:
        for each in refused:
            metrics.REFUSED.labels(each.record.topic, each.error.code).inc()
            _LOG.warning(
                "record refused",
                topic=each.record.topic,
                partition=each.record.partition,
                offset=each.record.offset,
                code=each.error.code,
            )

    def _unreadable(self, place: Partition, offset: int) -> Refusal:
        now = to_unix_millis(self._clock.now())
        record = KafkaRecord(place.topic, place.number, offset, now, None, None, ())
        return Refusal(record, SealMalformed("a header's name is not UTF-8: the record cannot be read at all"))
