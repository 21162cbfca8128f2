"""`exchange evidence`: one event as a file that proves itself elsewhere (spec 11)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from exchange.cli.files import write_whole
from exchange.cli.instance import Instance
from exchange.cli.output import emit
from exchange.cli.verify import evidence_row
from exchange.envelope import Record, make_evidence, schema_id_of, verify_evidence
from exchange.errors import SchemaNotFound, SealMalformed, SettingsError
from exchange.registry import RegistryClient
from exchange.transport.http import HttpClient
from exchange.transport.kafka import Partition, PartitionConsumer

_MAX_OFFSET = 2**53 - 1
"""The largest number that JSON has exactly."""

_POLL_SECONDS = 0.5


@click.group()
def evidence() -> None:
    """Take an event out of its topic as a file that proves itself."""


@evidence.command()
@click.argument("topic")
@click.option("--partition", type=click.IntRange(0), default=0, show_default=True, help="The record's partition.")
@click.option("--offset", type=click.IntRange(0, _MAX_OFFSET), required=True, help="The record's offset.")
@click.option("-o", "--file", type=click.Path(path_type=Path, dir_okay=False), help="Write it here instead of stdout.")
@click.pass_obj
def export(instance: Instance, topic: str, partition: int, offset: int, file: Path | None) -> None:
    """Write one event of TOPIC with its seal, its schema and the signed directory: `exchange verify evidence` takes it.

    The event is verified first: what a subscriber would refuse is no evidence of anything.
    """
    content = asyncio.run(_export(instance, Partition(topic, partition), offset))
    if file is None:
        sys.stdout.buffer.write(content)
        return
    proven = verify_evidence(content, instance.operators)
    write_whole(file, content)
    emit({"evidence": str(file), "bytes": len(content), **evidence_row(proven)})


async def _export(instance: Instance, place: Partition, offset: int) -> bytes:
    path = instance.home / "directory.json"
    directory = instance.directory()
    if directory.topic(place.topic) is None:
        raise SettingsError(f"topic {place.topic} is not in the directory: evidence is of events on its topics")
    record = await _read(instance.settings.kafka.bootstrap, place, offset)
    schema = await _schema(instance, directory.registry_url, record)
    return make_evidence(record, schema, path.read_bytes(), instance.operators).encode()


async def _read(bootstrap: str, place: Partition, offset: int) -> Record:
    """The record at an offset; raises SettingsError where there is none, SealMalformed where no client can read it."""
    async with PartitionConsumer(bootstrap) as consumer:
        places = await consumer.partitions(place.topic)
        if place not in places:
            raise SettingsError(f"{place.topic} has no partition {place.number}: it has {len(places)}, counted from 0")
        [end] = (await consumer.end_offsets([place])).values()
        consumer.assign([place])
        consumer.seek(place, offset)
        while await consumer.position(place) <= offset < end:
            for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=1):
                if offset in polled.unreadable:
                    raise SealMalformed("a header's name is not UTF-8: the record cannot be read at all")
                for record in polled.records:
                    if record.offset == offset:
                        return record
    raise SettingsError(
        f"{place.topic}/{place.number} has no record at offset {offset}: it ends before {end}, and what was deleted, "
        "compacted away or aborted is no longer there, nor are the marks of transactions records"
    )


async def _schema(instance: Instance, registry_url: str, record: Record) -> str | None:
    """The text of the value's schema with all types written out; None where there is none: opening says so."""
    number = schema_id_of(record.value)
    if number is None:
        return None
    async with HttpClient() as http:
        try:
            return (await RegistryClient(http, registry_url, instance.clock).schema(number)).schema.text
        except SchemaNotFound:
            return None
