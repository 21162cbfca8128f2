"""What became of an agency's dead letters: its dead-letter topic read as a whole, each letter with its last mark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from exchange.bus.letters.reading import Letter, Mark, parse_letter, parse_mark
from exchange.clock import Clock
from exchange.envelope import Opener, Record
from exchange.errors import RecordRefused, TransportError
from exchange.ids import AgencyId
from exchange.transport.kafka import Partition, PartitionConsumer, high_watermarks

OPEN = "open"
RETRIED = "retried"
DROPPED = "dropped"
STATES = (OPEN, RETRIED, DROPPED)
"""What may have become of a letter."""

_POLL_SECONDS = 0.5
_POLL_RECORDS = 500
_OPEN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A letter without the record it keeps, whether it keeps one whole, and its mark."""

    letter: Letter
    is_whole: bool
    mark: Mark | None = None
    marked_by: str | None = None

    @property
    def state(self) -> str:
        """`open`, `retried` or `dropped`."""
        return OPEN if self.mark is None else self.mark.state


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant; what is empty or None takes all. Times are the broker's, ms, `until` excluded."""

    numbers: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset(STATES)
    since: int | None = None
    until: int | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether an entry is meant."""
        letter = entry.letter
        return (
            entry.state in self.states
            and (not self.numbers or letter.number in self.numbers)
            and (not self.codes or letter.code in self.codes)
            and (not self.topics or letter.topic in self.topics)
            and (not self.groups or letter.group in self.groups)
            and (self.since is None or letter.written >= self.since)
            and (self.until is None or letter.written < self.until)
        )


@dataclass(slots=True)
class Ledger:
    """The letters of one agency by number; `unverified` counts what lies on the topic and is not the agency's."""

    entries: dict[int, Entry] = field(default_factory=dict)
    unverified: int = 0

    def select(self, selection: Selection) -> Iterator[Entry]:
        """The entries that a selection takes, oldest first."""
        return (entry for entry in self.entries.values() if selection.takes(entry))

    def take(self, record: Record, opener: Opener) -> None:
        """Add what a record of the topic says, once it verified (steps 1 to 7)."""
        try:
            sealed_by = opener.open_internal(record).publisher
            mark = parse_mark(record)
            if mark is None:
                letter = parse_letter(record)
                self.entries[letter.number] = Entry(replace(letter, record=None), letter.record is not None)
            elif mark.number in self.entries:
                self.entries[mark.number] = replace(self.entries[mark.number], mark=mark, marked_by=sealed_by)
        except RecordRefused:
            self.unverified += 1


async def read_ledger(
    bootstrap: str, agency: AgencyId, opener: Opener, clock: Clock, *, past_open: bool = False
) -> Ledger:
    """Read the agency's dead-letter topic to its end.

    `past_open`: also what lies behind other writers' open transactions, for whoever is about to add marks. Raises
    SettingsError (no such topic), BrokerUnreachable, TransportError (a transaction stays open).
    """
    ledger, place = Ledger(), Partition(agency.dead_letter_topic, 0)
    async with PartitionConsumer(bootstrap) as consumer:
        await consumer.partitions(place.topic)
        ends = await (high_watermarks(bootstrap, [place]) if past_open else consumer.end_offsets([place]))
        consumer.assign([place])
        started = clock.now()
        while await consumer.position(place) < ends[place]:
            for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=_POLL_RECORDS):
                for record in polled.records:
                    ledger.take(record, opener)
            if past_open and (clock.now() - started).total_seconds() > _OPEN_SECONDS + len(ledger.entries) / 1000:
                raise TransportError(f"{place.topic} could not be read to its end: a transaction is open; try again")
    return ledger
