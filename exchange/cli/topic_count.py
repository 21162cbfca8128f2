"""`exchange topic count`: how much there is, of whom, where."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

import click

from exchange.cli.instance import Instance
from exchange.cli.output import emit_report
from exchange.cli.topic_progress import Progress
from exchange.cli.topic_statements import statement_of
from exchange.cli.topic_walk import walk, whole
from exchange.envelope import Record
from exchange.transport.kafka import PartitionConsumer

Count = Counter[tuple[int, str | None, bool]]


@click.command()
@click.argument("name")
@click.pass_obj
def count(instance: Instance, name: str) -> None:
    """Count the records of topic NAME: events and tombstones, by partition and publisher.

    Nothing is verified: a publisher is who a record's seal names, and - where it has none.
    """
    found, unreadable = asyncio.run(_count(instance.settings.kafka.bootstrap, name))
    rows = list(_rows(found))
    total = {part: sum(row[part] for row in rows) for part in ("records", "tombstones")}
    data = {"topic": name, **total, "unreadable": unreadable, "parts": rows}
    lines = [f"{name}: {total['records']:,} records, {total['tombstones']:,} of them tombstones"]
    if unreadable:
        lines.append(f"{unreadable:,} more that no client can decode")
    emit_report(data, lines, rows)


async def _count(bootstrap: str, name: str) -> tuple[Count, int]:
    found: Count = Counter()
    unreadable = 0
    async with PartitionConsumer(bootstrap) as consumer:
        ranges = await whole(consumer, name)
        progress = Progress(ranges.values())
        async for walked in walk(consumer, ranges):
            found.update(_kinds(walked.records))
            unreadable += len(walked.unreadable)
            progress.add(walked.offsets)
    return found, unreadable


def _kinds(records: Iterable[Record]) -> Iterable[tuple[int, str | None, bool]]:
    for record in records:
        statement = statement_of(record)
        yield record.partition, statement.origin if statement else None, record.value is None


def _rows(found: Count) -> Iterable[dict[str, Any]]:
    for partition, publisher in sorted({key[:2] for key in found}, key=lambda key: (key[0], key[1] or "")):
        tombstones = found[partition, publisher, True]
        records = found[partition, publisher, False] + tombstones
        yield {"partition": partition, "publisher": publisher, "records": records, "tombstones": tombstones}
