"""Redelivery: letters of the agency bring records back to this group, each verified anew, none before it is due.

The letter was sealed by the agency itself (steps 1 to 7, `Redeliveries.read`), the original by its publisher (steps
1 to 8, here). Step 9 does not apply: a record that comes again was counted when it came first.
"""

from __future__ import annotations

from exchange.bus.letters.letter import Refusal
from exchange.bus.subscribing.alarms import Alarms
from exchange.bus.subscribing.opening import BatchOpener, Opened
from exchange.bus.subscribing.ports import Redelivered, Redeliveries
from exchange.clock import Clock, to_unix_millis
from exchange.envelope import Event, Record
from exchange.errors import RecordRefused
from exchange.transport.kafka import Polled


class RedeliveryOpener:
    """Opens the letters of one group."""

    def __init__(self, redeliveries: Redeliveries, records: BatchOpener, alarms: Alarms, clock: Clock) -> None:
        self._redeliveries = redeliveries
        self.topics = tuple(redeliveries.topics)
        self._records = records
        self._alarms = alarms
        self._clock = clock

    def reads(self, topic: str) -> bool:
        """Whether letters stand on a topic."""
        return topic in self.topics

    async def open(self, polled: Polled) -> Opened | None:
        """What the letters bring back, up to the first that is not due; None when stopped while the registry was away.

        Letters of other groups are passed over. Raises DirectoryExpired.
        """
        opened = Opened(polled.next_offset)
        missing: set[int] = set()
        now = to_unix_millis(self._clock.now())
        for letter in polled.records:
            found = self._read(letter, opened)
            if found is None:
                continue
            if found.due_millis > now:
                opened.next_offset, opened.due_millis = letter.offset, found.due_millis
                break
            event = await self._open(found.record, missing)
            if event is None:
                return None
            if isinstance(event, RecordRefused):
                opened.refused.append(Refusal(found.record, event, letter, found.attempts + 1))
            else:
                opened.events.append(event)
                opened.redelivered.append(found)
        self._alarms.refused(opened.refused)
        return opened

    def _read(self, letter: Record, opened: Opened) -> Redelivered | None:
        try:
            return self._redeliveries.read(letter, self._records.opener)
        except RecordRefused as error:
            opened.refused.append(Refusal(letter, error))
            return None

    async def _open(self, record: Record, missing: set[int]) -> Event | RecordRefused | None:
        try:
            return self._records.open_record(record)
        except RecordRefused as error:
            return await self._records.settle(record, error, None, missing)
