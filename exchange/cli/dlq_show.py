"""`exchange dlq show`: one dead letter whole: why it is one, and what the record says, verified anew."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from exchange.avro import unframe
from exchange.bus import Entry, Letter, Originals, parse_letter, read_ledger
from exchange.cli.dlq_selection import AGENCY_OPTION, row_of, schemas_of
from exchange.cli.instance import Instance
from exchange.cli.output import emit_report, lines_of
from exchange.clock import format_micros, format_millis, from_unix_millis
from exchange.envelope import KafkaRecord, Opener, schema_id_of
from exchange.errors import ExchangeError, PeerUnreachable, RecordRefused, SchemaNotFound, SettingsError
from exchange.ids import AgencyId
from exchange.registry import SchemaCache
from exchange.transport.http import HttpClient
from exchange.transport.kafka import Partition

_WIDTH = 100


@click.command()
@AGENCY_OPTION
@click.argument("number", type=click.IntRange(0))
@click.pass_obj
def show(instance: Instance, agency: AgencyId, number: int) -> None:
    """Print dead letter NUMBER: its reasons, what became of it, and its record with headers, decoded and verified anew.

    What cannot be decoded is printed in hexadecimal.
    """
    shown = asyncio.run(_show(instance, agency, number))
    headers = [{"header": name, "value": _short(value)} for name, value in shown.get("headers", [])]
    told = {name: value for name, value in shown.items() if name != "headers"}
    emit_report(shown, lines_of(told), headers)


async def _show(instance: Instance, agency: AgencyId, number: int) -> dict[str, Any]:
    bootstrap, place = instance.settings.kafka.bootstrap, Partition(agency.dead_letter_topic, 0)
    async with HttpClient() as http:
        schemas = schemas_of(instance, http)
        opener = Opener(instance.directory, schemas, clock=instance.clock)
        entry = (await read_ledger(bootstrap, agency, opener, instance.clock)).entries.get(number)
        async with Originals(bootstrap, place) as originals:
            record = await originals.fetch(number)
        if entry is None or record is None:
            raise SettingsError(f"{place.topic} has no letter {number}: `exchange dlq list` shows which")
        letter = parse_letter(record)
        kept = {"record": None} if letter.record is None else await _record(letter.record, opener, schemas)
    return {**row_of(entry), **_reasons(entry, letter), **kept}


def _reasons(entry: Entry, letter: Letter) -> dict[str, Any]:
    told: dict[str, Any] = {"message": letter.message, "origin": letter.origin, "cut": letter.cut}
    if entry.mark is not None:
        told["decided"] = {
            "by": entry.marked_by,
            "key": entry.mark.by,
            "at": format_millis(from_unix_millis(entry.mark.written)),
            "reason": entry.mark.message or None,
        }
    return {name: value for name, value in {**told, **letter.details}.items() if value is not None}


async def _record(record: KafkaRecord, opener: Opener, schemas: SchemaCache) -> dict[str, Any]:
    await _load(record, schemas)
    said = {
        "broker_time": format_millis(from_unix_millis(record.timestamp)),
        "key": None if record.key is None else _text(record.key),
        "headers": [[name, _text(value)] for name, value in record.headers],
    }
    try:
        event = opener.open(record)
    except RecordRefused as error:
        refusal = {"verified": False, "refused": {"code": error.code, "step": error.step, "reason": error.message}}
        return {**said, **refusal, **_unverified(record, schemas)}
    opened = {"publisher": event.publisher, "sequence": event.sequence, "time": format_micros(event.time)}
    return {**said, "verified": True, **opened, "data": event.data}


async def _load(record: KafkaRecord, schemas: SchemaCache) -> None:
    number = schema_id_of(record.value)
    if number is not None and schemas.get(number) is None:
        try:
            await schemas.load([number])
        except (SchemaNotFound, PeerUnreachable):
            return  # then it is shown in hexadecimal


def _unverified(record: KafkaRecord, schemas: SchemaCache) -> dict[str, Any]:
    """What a record that does not verify says all the same, as far as a schema reads it."""
    if record.value is None:
        return {"data": None}
    try:
        number, body = unframe(record.value)
        registered = schemas.get(number)
        if registered is not None:
            return {"data": registered.schema.decode(body)}
    except ExchangeError:
        pass
    return {"value_hex": record.value.hex()}


def _short(text: str) -> str:
    """For a person; `-o json` has all of it."""
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"


def _text(raw: bytes) -> str:
    """Text where it is printable, else hexadecimal."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return f"0x{raw.hex()}"
    return text if text.isprintable() else f"0x{raw.hex()}"
