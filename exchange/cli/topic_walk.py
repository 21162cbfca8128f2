"""Walking over a part of a topic: every committed record between two offsets of each partition."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from exchange.envelope import Record
from exchange.transport.kafka import Partition, PartitionConsumer

_POLL_SECONDS = 0.5
_POLL_RECORDS = 2_000


@dataclass(frozen=True, slots=True)
class Range:
    """Offsets of one partition, from `begin` up to, and without, `end`."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Walked:
    """What was read of one partition at once; `offsets` of them are behind, in `unreadable` ones lies no record."""

    place: Partition
    records: list[Record]
    unreadable: list[int]
    offsets: int


async def whole(consumer: PartitionConsumer, topic: str) -> dict[Partition, Range]:
    """All that a topic has now; raises SettingsError where there is no such topic."""
    places = await consumer.partitions(topic)
    begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    return {place: Range(begins[place], ends[place]) for place in places}


async def walk(consumer: PartitionConsumer, ranges: Mapping[Partition, Range]) -> AsyncIterator[Walked]:
    """Every record, partition by partition in the order of offsets; partitions take turns as Kafka answers."""
    at = {place: each.begin for place, each in ranges.items() if each.begin < each.end}
    if not at:
        return
    consumer.assign(at)
    for place, begin in at.items():
        consumer.seek(place, begin)
    while at:
        for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=_POLL_RECORDS):
            if polled.place in at:
                end = ranges[polled.place].end
                following = min(end, polled.next_offset)
                yield Walked(
                    polled.place,
                    [each for each in polled.records if each.offset < end],
                    [each for each in polled.unreadable if each < end],
                    following - at[polled.place],
                )
                at[polled.place] = following
        for place in list(at):
            # Offsets are not records: what ends a partition may be the marker of a transaction, which is never polled.
            if at[place] >= ranges[place].end or await consumer.position(place) >= ranges[place].end:
                yield Walked(place, [], [], ranges[place].end - at.pop(place))
                consumer.pause([place])
