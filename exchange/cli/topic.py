"""`exchange topic`: topics for people, decoded and verified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import click

from exchange.bus import DEAD_LETTER_PREFIX
from exchange.cli.instance import Instance
from exchange.cli.output import emit_line
from exchange.cli.topic_replay import replay
from exchange.clock import format_micros, from_unix_millis
from exchange.envelope import Opener, Record, schema_id_of
from exchange.errors import RecordRefused
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient
from exchange.transport.kafka import Partition, PartitionConsumer

_POLL_SECONDS = 0.5
_POLL_RECORDS = 500


@click.group()
def topic() -> None:
    """Read topics, decoded and verified."""


topic.add_command(replay)


@topic.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="How many records.")
@click.option("--from", "start", type=click.Choice(["beginning", "end"]), default="end", show_default=True)
@click.option("--follow", is_flag=True, help="Go on as records come, until --limit or Ctrl-C.")
@click.pass_obj
def tail(instance: Instance, name: str, limit: int, start: str, follow: bool) -> None:
    """Print records of topic NAME, one a line: each decoded and verified, or with the step that refused it.

    Without --follow, the last (or with --from beginning the first) --limit records of each partition.
    """
    asyncio.run(_tail(instance, name, limit, start, follow))


async def _tail(instance: Instance, name: str, limit: int, start: str, follow: bool) -> None:
    async with HttpClient() as http:
        registry = RegistryClient(http, instance.directory().registry_url, instance.clock)
        schemas = SchemaCache(registry)
        opener = Opener(instance.directory, schemas, clock=instance.clock)
        async for record in _records(instance.settings.kafka.bootstrap, name, limit, start, follow):
            number = schema_id_of(record.value)
            if number is not None and schemas.get(number) is None and instance.directory().topic(name):
                await schemas.load([number])
            emit_line(describe(record, opener, is_event=instance.directory().topic(name) is not None))


async def _records(bootstrap: str, name: str, limit: int, start: str, follow: bool) -> AsyncIterator[Record]:
    async with PartitionConsumer(bootstrap) as consumer:
        places = await consumer.partitions(name)
        ends = await consumer.end_offsets(places)
        if follow:
            async for record in _following(consumer, ends, limit, start):
                yield record
            return
        take = _first if start == "beginning" else _last
        for place in places:
            for record in await take(consumer, place, ends[place], limit):
                yield record


async def _following(
    consumer: PartitionConsumer, ends: dict[Partition, int], limit: int, start: str
) -> AsyncIterator[Record]:
    consumer.assign(ends)
    if start == "end":
        for place, end in ends.items():
            consumer.seek(place, end)
    while limit > 0:
        for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=min(limit, _POLL_RECORDS)):
            for record in polled.records:
                yield record
            limit -= len(polled.records)


async def _first(consumer: PartitionConsumer, place: Partition, end: int, limit: int) -> list[Record]:
    return await _between(consumer, place, 0, end, limit)


async def _last(consumer: PartitionConsumer, place: Partition, end: int, limit: int) -> list[Record]:
    """Offsets are not records: transactions end in markers, compaction leaves holes. So look back until it suffices."""
    window = 2 * limit + 1
    while True:
        begin = max(0, end - window)
        records = await _between(consumer, place, begin, end, window)
        if len(records) >= limit or begin == 0:
            return records[-limit:]
        window *= 8


async def _between(consumer: PartitionConsumer, place: Partition, begin: int, end: int, limit: int) -> list[Record]:
    consumer.assign([place])
    consumer.seek(place, begin)
    records: list[Record] = []
    while len(records) < limit and await consumer.position(place) < end:
        for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=min(limit - len(records), _POLL_RECORDS)):
            records += polled.records
    return records


def describe(record: Record, opener: Opener, *, is_event: bool) -> dict[str, Any]:
    """A record as a row: what it says once it verified, else the code and step of what did not hold."""
    row: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "broker_time": format_micros(from_unix_millis(record.timestamp)),
    }
    try:
        return row | (_event(record, opener) if is_event else _document(record, opener))
    except RecordRefused as error:
        return row | {"verified": False, "code": error.code, "step": error.step, "reason": error.message}


def _event(record: Record, opener: Opener) -> dict[str, Any]:
    event = opener.open(record)
    return {
        "verified": True,
        "publisher": event.publisher,
        "sequence": event.sequence,
        "id": event.id,
        "type": event.type,
        "time": format_micros(event.time),
        "key": event.key,
        "data": event.data,
    }


def _document(record: Record, opener: Opener) -> dict[str, Any]:
    """A dead letter or a record of our own: who sealed it, and a dead letter's reasons."""
    opened = opener.open_internal(record)
    row: dict[str, Any] = {"verified": True, "publisher": opened.publisher}
    reasons = dict(_reasons(record))
    return {**row, "refused": reasons} if reasons else row


def _reasons(record: Record) -> Iterator[tuple[str, str]]:
    for name, value in record.headers:
        tail_of_name = name.removeprefix(DEAD_LETTER_PREFIX)
        if tail_of_name != name and not tail_of_name.startswith("h-"):
            yield tail_of_name, value.decode("utf-8", "replace")
