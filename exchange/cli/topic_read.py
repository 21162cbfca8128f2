"""`exchange topic head` and `tail`: records for people, decoded and verified."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from exchange.cli.instance import Instance
from exchange.cli.output import emit_line
from exchange.cli.parameters import DURATION
from exchange.cli.topic_rows import Reader
from exchange.cli.topic_walk import Range, walk, whole
from exchange.clock import to_unix_millis
from exchange.envelope import Record
from exchange.errors import SettingsError
from exchange.transport.http import HttpClient
from exchange.transport.kafka import Partition, PartitionConsumer, partition_of

_POLL_SECONDS = 0.5
_POLL_RECORDS = 500
BEGINNING, END = "beginning", "end"
Start = str | int | datetime


class _Start(click.ParamType[Start]):
    name = "where"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Start:
        if not isinstance(value, str) or value in (BEGINNING, END):
            return value  # type: ignore[no-any-return]
        if re.fullmatch(r"[0-9]{1,19}", value):
            return int(value)
        if re.fullmatch(r"[0-9]+[smhd]", value):
            return datetime.now(UTC) - DURATION.convert(value, param, ctx)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(
                "expected beginning, end, an offset, a time with its zone (RFC 3339), or how long ago: 2h", param, ctx
            )
        return moment


NAME = click.argument("name")
LIMIT = click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="How many records.")
KEY = click.option("--key", help="Records with this key alone.")
PARTITION = click.option("--partition", type=click.IntRange(0), help="Records of this partition alone.")
_WHERE = "beginning, end, an offset, a time (RFC 3339), or how long ago (2h)."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are asked for."""

    topic: str
    limit: int
    start: Start
    key: str | None
    partition: int | None

    def is_one(self, record: Record) -> bool:
        """Whether a record has the key that is asked for."""
        return self.key is None or record.key == self.key.encode()

    def places(self, all_places: list[Partition]) -> list[Partition]:
        """The partitions to look into: a key has one."""
        number = self.partition
        if number is None and self.key is not None:
            number = partition_of(self.key.encode(), len(all_places))
        if number is None:
            return all_places
        if number >= len(all_places):
            raise SettingsError(f"{self.topic} has partitions 0 to {len(all_places) - 1}, no {number}")
        return [all_places[number]]


@click.command()
@NAME
@LIMIT
@click.option("--from", "start", type=_Start(), default=BEGINNING, show_default=True, help=f"Where to begin: {_WHERE}")
@KEY
@PARTITION
@click.pass_obj
def head(instance: Instance, name: str, limit: int, start: Start, key: str | None, partition: int | None) -> None:
    """Print the first --limit records of each partition of topic NAME, one a line.

    Each is decoded and verified, or shown with the step that refused it.
    """
    asyncio.run(_show(instance, Wanted(name, limit, start, key, partition), follow=False))


@click.command()
@NAME
@LIMIT
@click.option("--from", "start", type=_Start(), default=END, show_default=True, help=f"Where to begin: {_WHERE}")
@KEY
@PARTITION
@click.option("--follow", is_flag=True, help="Go on as records come, until --limit or Ctrl-C.")
@click.pass_obj
def tail(
    instance: Instance, name: str, limit: int, start: Start, key: str | None, partition: int | None, follow: bool
) -> None:
    """Print records of topic NAME, one a line: each decoded and verified, or with the step that refused it.

    Without --follow, the last --limit records of each partition, or with --from the first from there on.
    """
    asyncio.run(_show(instance, Wanted(name, limit, start, key, partition), follow=follow))


async def _show(instance: Instance, wanted: Wanted, *, follow: bool) -> None:
    async with HttpClient() as http, PartitionConsumer(instance.settings.kafka.bootstrap) as consumer:
        reader = Reader(instance, http, wanted.topic)
        ranges = await _ranges(consumer, wanted)
        records = _following(consumer, ranges, wanted) if follow else _chosen(consumer, ranges, wanted)
        async for record in records:
            emit_line(await reader.row(record))


async def _ranges(consumer: PartitionConsumer, wanted: Wanted) -> dict[Partition, Range]:
    """From where, in each partition, up to where it ends now. From the end, there is nothing yet."""
    everything = await whole(consumer, wanted.topic)
    places = wanted.places(list(everything))
    if isinstance(wanted.start, datetime):
        at = await consumer.offsets_at(places, to_unix_millis(wanted.start))
    else:
        at = {place: _offset(wanted.start, everything[place]) for place in places}
    return {place: Range(at[place], everything[place].end) for place in places}


def _offset(start: str | int, part: Range) -> int:
    if isinstance(start, int):
        return max(part.begin, start)
    return part.begin if start == BEGINNING else part.end


async def _chosen(consumer: PartitionConsumer, ranges: dict[Partition, Range], wanted: Wanted) -> AsyncIterator[Record]:
    for place, each in ranges.items():
        if wanted.start == END:
            found = await _last(consumer, place, each.end, wanted)
        else:
            found = await _first(consumer, place, each, wanted)
        for record in found:
            yield record


async def _first(consumer: PartitionConsumer, place: Partition, part: Range, wanted: Wanted) -> list[Record]:
    found: list[Record] = []
    async for walked in walk(consumer, {place: part}):
        found += filter(wanted.is_one, walked.records)
        if len(found) >= wanted.limit:
            break
    return found[: wanted.limit]


async def _last(consumer: PartitionConsumer, place: Partition, end: int, wanted: Wanted) -> list[Record]:
    """Offsets are not records: transactions end in markers, compaction leaves holes. So look back until it suffices."""
    window, found, until = 2 * wanted.limit + 1, list[Record](), end
    while until > 0 and len(found) < wanted.limit:
        begin = max(0, until - window)
        earlier = [record async for walked in walk(consumer, {place: Range(begin, until)}) for record in walked.records]
        found = [*filter(wanted.is_one, earlier), *found]
        until, window = begin, window * 8
    return found[-wanted.limit :]


async def _following(
    consumer: PartitionConsumer, ranges: dict[Partition, Range], wanted: Wanted
) -> AsyncIterator[Record]:
    consumer.assign(ranges)
    for place, each in ranges.items():
        consumer.seek(place, each.begin)
    left = wanted.limit
    while left > 0:
        for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=_POLL_RECORDS):
            for record in filter(wanted.is_one, polled.records[:]):
                if left > 0:
                    yield record
                left -= 1
