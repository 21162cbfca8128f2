"""From polled records to events and refusals (spec 3, steps 1 to 9): each verified, none that fails handed out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from exchange.bus import metrics
from exchange.bus.letters.letter import Refusal
from exchange.bus.subscribing.alarms import Alarms
from exchange.bus.subscribing.ports import Redelivered, SchemaCache
from exchange.bus.subscribing.schemas import SchemaWait
from exchange.clock import Clock, to_unix_millis
from exchange.envelope import Event, KafkaRecord, Opener, Record, SequenceTracker, UnverifiedOpener, schema_id_of
from exchange.errors import RecordRefused, SealMalformed, SettingsError
from exchange.transport.kafka import Partition, Polled
from exchange.trust import Directory

_SCHEMA_UNKNOWN = "schema_unknown"


@dataclass(slots=True)
class Opened:
    """What polled records came to, up to `next_offset`.

    Of a redelivery topic, `redelivered` goes with `events` one by one, and `due_millis` is when the letter at
    `next_offset` may be read (None: it was not met).
    """

    next_offset: int
    events: list[Event] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    redelivered: list[Redelivered] = field(default_factory=list)
    due_millis: int | None = None


class BatchOpener:
    """Opens the records of one subscriber."""

    def __init__(
        self,
        group: str,
        directory: Callable[[], Directory],
        schemas: SchemaCache,
        clock: Clock,
        alarms: Alarms,
        stopping: asyncio.Event,
        *,
        verify: bool = True,
    ) -> None:
        self._group = group
        self._schemas = schemas
        self._clock = clock
        self._alarms = alarms
        self._wait = SchemaWait(group, schemas, stopping)
        self._verifies = verify
        self.opener = Opener(directory, schemas, clock=clock)
        self.open_record: Callable[[Record], Event] = self.opener.open if verify else UnverifiedOpener(schemas).open

    async def open(self, polled: Polled, tracker: SequenceTracker) -> Opened | None:
        """The events and the refusals, `tracker` moved along; None when stopped while the registry was away.

        Raises DirectoryExpired: without a directory nothing is delivered and nothing refused.
        """
        opened = Opened(polled.next_offset, refused=[self._unreadable(polled.place, at) for at in polled.unreadable])
        missing: set[int] = set()
        open_record, take = self.open_record, opened.events.append
        observe = tracker.observe if self._verifies else _observe_nothing
        with metrics.OPEN_SECONDS.labels(polled.place.topic, self._group).time():
            for record in polled.records:
                try:
                    event = open_record(record)
                    gap = observe(event)
                except RecordRefused as error:
                    settled = await self.settle(record, error, tracker, missing)
                    if settled is None:
                        return None
                    if isinstance(settled, RecordRefused):
                        opened.refused.append(Refusal(record, settled))
                    else:
                        take(settled)
                    continue
                if gap is not None:
                    self._alarms.hole(event, gap)
                take(event)
        self._alarms.refused(opened.refused)
        if not self._verifies:
            self._alarms.unverified(polled.place.topic, self._group, len(opened.events))
        return opened

    async def settle(
        self, record: Record, error: RecordRefused, tracker: SequenceTracker | None, missing: set[int]
    ) -> Event | RecordRefused | None:
        """A refusal stands, unless all it lacked was a schema that the registry has: then the record is opened anew.

        Without a tracker step 9 is left out. `missing` are numbers the registry did not know a moment ago. None when
        stopped while the registry was away.
        """
        number = schema_id_of(record.value)
        if error.code != _SCHEMA_UNKNOWN or number is None or number in missing:
            return error
        if not await self._wait.fetch(number):
            return None
        if self._schemas.get(number) is None:
            missing.add(number)
            return error
        try:
            event = self.open_record(record)
            gap = tracker.observe(event) if tracker is not None and self._verifies else None
        except RecordRefused as second:
            return second
        if gap is not None:
            self._alarms.hole(event, gap)
        return event

    def _unreadable(self, place: Partition, offset: int) -> Refusal:
        now = to_unix_millis(self._clock.now())
        record = KafkaRecord(place.topic, place.number, offset, now, None, None, ())
        return Refusal(record, SealMalformed("a header's name is not UTF-8: the record cannot be read at all"))


def require_development(group: str, *, verify: bool, development: bool) -> None:
    """Raises SettingsError where verification is off and the settings do not say that this is for development."""
    if not verify and not development:
        raise SettingsError(
            f"group {group}: verify=False hands out events that anyone may have written; it is for development only: "
            "leave it out, or set `development: true` in exchange.yaml and hand that setting to the subscriber"
        )


def _observe_nothing(_: Event) -> None:
    """Step 9 left out."""
