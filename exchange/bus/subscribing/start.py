"""Where a group begins to read in a partition in which it has no place yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from exchange.clock import to_unix_millis
from exchange.errors import SettingsError
from exchange.transport.kafka import Partition


class Offsets(Protocol):
    """What a partition has, as a consumer can ask."""

    async def beginning_offsets(self, places: Iterable[Partition]) -> dict[Partition, int]:
        """The first offset still there."""
        ...

    async def end_offsets(self, places: Iterable[Partition]) -> dict[Partition, int]:
        """Behind the last committed record."""
        ...

    async def offsets_at(self, places: Iterable[Partition], millis: int) -> dict[Partition, int]:
        """The first offset of that time (ms since 1970) or later."""
        ...


@dataclass(frozen=True, slots=True)
class Start:
    """A beginning: `Start.beginning()`, `.end()`, `.time(moment)` or `.at({Partition(topic, 0): offset})`.

    It counts only where the group, or its sink, has no place yet. `overriding()` makes it count over a stored place,
    too, the first time that this process is given the partition: for a reader of given partitions, or the only member
    of a group; each member of a larger one would go back on its own.
    """

    where: Literal["beginning", "end"] = "beginning"
    millis: int | None = None
    offsets: Mapping[Partition, int] = field(default_factory=dict)
    overrides: bool = False

    @classmethod
    def beginning(cls) -> Start:
        """The first record that the topic still has."""
        return cls()

    @classmethod
    def end(cls) -> Start:
        """Only what is committed from now on."""
        return cls("end")

    @classmethod
    def time(cls, moment: datetime) -> Start:
        """The first record whose broker's timestamp is `moment` or later; raises SettingsError without a zone."""
        if moment.tzinfo is None:
            raise SettingsError(f"start at {moment.isoformat()}: no time zone; give it one, e.g. datetime.now(UTC)")
        return cls(millis=to_unix_millis(moment))

    @classmethod
    def at(cls, offsets: Mapping[Partition, int]) -> Start:
        """These offsets, and the beginning of every other partition; raises SettingsError for a negative offset."""
        for place, offset in offsets.items():
            if offset < 0:
                raise SettingsError(f"start at {place.topic}/{place.number}: offset {offset}; expected 0 or more")
        return cls(offsets=dict(offsets))

    def overriding(self) -> Start:
        """The same, over a place that is stored."""
        return replace(self, overrides=True)

    async def find(self, offsets: Offsets, places: Iterable[Partition]) -> dict[Partition, int]:
        """The first offset to read of each of `places`; raises BrokerUnreachable."""
        given = {place: self.offsets[place] for place in places if place in self.offsets}
        rest = [place for place in places if place not in given]
        if self.millis is not None:
            return given | await offsets.offsets_at(rest, self.millis)
        ask = offsets.end_offsets if self.where == "end" else offsets.beginning_offsets
        return given | await ask(rest)


BEGINNING = Start.beginning()
"""Everything that is still there."""
