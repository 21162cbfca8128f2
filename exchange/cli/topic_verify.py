"""`exchange topic verify`: a whole topic, every record of it, against the directory."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import click

from exchange.cli.instance import Instance
from exchange.cli.output import emit_report, note
from exchange.cli.topic_ledger import SHOWN, Ledger
from exchange.cli.topic_progress import Progress
from exchange.cli.topic_rows import Reader
from exchange.cli.topic_statements import statement_of
from exchange.cli.topic_walk import Walked, walk, whole
from exchange.envelope import Record
from exchange.errors import RecordRefused
from exchange.transport.http import HttpClient
from exchange.transport.kafka import PartitionConsumer


@click.command()
@click.argument("name")
@click.pass_obj
def verify(instance: Instance, name: str) -> None:
    """Verify every record of topic NAME: seals, schemas, and the sequences of its publishers from end to end.

    Says which publishers and keys there are, what was refused at which step, which numbers are missing (gaps), which
    come again (replays), and which two records have (forks). Writes nothing. Exits with 3 where something does not
    verify; a gap counts unless the topic is compacted. A topic of our own (dead letters) has no sequences.
    """
    ledger = asyncio.run(_verify(instance, name))
    report = ledger.report()
    emit_report(report, _lines(report), report["publishers"])
    sys.exit(0 if ledger.is_good else 3)


async def _verify(instance: Instance, name: str) -> Ledger:
    entry = instance.directory().topic(name)
    ledger = Ledger(name, instance.directory(), compacted=entry is not None and entry.compacted)
    async with HttpClient() as http, PartitionConsumer(instance.settings.kafka.bootstrap) as consumer:
        reader = Reader(instance, http, name)
        ranges = await whole(consumer, name)
        progress = Progress(ranges.values())
        async for walked in walk(consumer, ranges):
            await _take(walked, reader, ledger)
            progress.add(walked.offsets)
    return ledger


async def _take(walked: Walked, reader: Reader, ledger: Ledger) -> None:
    for record in walked.records:
        await reader.prepare(record)
        try:
            _open(record, reader, ledger)
        except RecordRefused as error:
            ledger.take_refused(record, error)
    for offset in walked.unreadable:
        ledger.take_unreadable(walked.place.number, offset)


def _open(record: Record, reader: Reader, ledger: Ledger) -> None:
    if reader.is_event:
        ledger.take_event(reader.opener.open(record), statement_of(record))
    else:
        reader.opener.open_internal(record)
        ledger.take_other(record, statement_of(record))


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """The report in sentences; the publishers follow as a table."""
    verdict = "every record verifies" if report["good"] else "NOT everything verifies"
    yield f"{report['topic']}: {verdict}"
    yield f"{report['records']:,} records ({report['tombstones']:,} tombstones) under {report['seals']:,} seals"
    for each in report["refused_by_step"]:
        yield f"refused: {each['records']:,} at step {each['step']} ({each['code']})"
    nature = ", as on a compacted topic" if report["compacted"] else ""
    yield (
        f"sequences: {report['gaps']:,} gaps ({report['missing']:,} missing{nature}), {report['replays']:,} replays, "
        f"{report['forks']:,} forks"
    )
    if report["resealed"]:
        yield f"{report['resealed']:,} records of flushes that were sealed twice, differently"
    for each in report["keys"]:
        yield f"key {each['keyid']}: {each['records']:,} records, {each['first']} to {each['last']}"
    for each in report["problems"]:
        yield f"partition {each['partition']} offset {each['offset']}: {each['reason']} [{each['code']}]"
    if len(report["problems"]) == SHOWN:
        note(f"the first {SHOWN} things that are wrong are told")
