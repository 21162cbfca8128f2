"""`exchange dlq retry|drop`: what becomes of dead letters, each decision sealed beside the letter."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import click

from exchange.bus import DeadLetterDesk, Entry, Selection, require_deliverable
from exchange.cli.dlq_selection import AGENCY_OPTION, filtered, post_of, row_of, schemas_of
from exchange.cli.instance import Instance
from exchange.cli.listening import require_listening
from exchange.cli.output import emit, note
from exchange.envelope import Opener
from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.transport.http import HttpClient

_NUMBERS = click.argument("numbers", type=click.IntRange(0), nargs=-1)
_ALL = click.option("--all", "everything", is_flag=True, help="Every open letter.")


@click.command()
@AGENCY_OPTION
@_NUMBERS
@_ALL
@filtered
@click.option("--anyway", is_flag=True, help="Also where the group's members do not read redeliveries yet.")
@click.pass_obj
def retry(
    instance: Instance,
    agency: AgencyId,
    numbers: tuple[int, ...],
    everything: bool,
    selection: Selection,
    anyway: bool,
) -> None:
    """Deliver dead letters again: those of NUMBERS, or the open ones that the filters take.

    Each goes to the one group that failed on it, which verifies the record anew. What was retried before is left: if
    it failed again, that is a letter of its own.
    """
    chosen = _chosen(numbers, everything, selection)
    asyncio.run(_retry(instance, agency, chosen, anyway))


@click.command()
@AGENCY_OPTION
@_NUMBERS
@_ALL
@filtered
@click.option("--reason", required=True, help="Why: kept beside the letter. Nothing personal.")
@click.pass_obj
def drop(
    instance: Instance,
    agency: AgencyId,
    numbers: tuple[int, ...],
    everything: bool,
    selection: Selection,
    reason: str,
) -> None:
    """Mark dead letters as dropped: those of NUMBERS, or the open ones that the filters take.

    Nothing is erased: the letter stays on its topic, with who dropped it and why, until the topic lets it go.
    """
    chosen = _chosen(numbers, everything, selection)
    asyncio.run(_drop(instance, agency, chosen, reason))


async def _retry(instance: Instance, agency: AgencyId, chosen: Selection, anyway: bool) -> None:
    async with HttpClient() as http, _desk(instance, agency, http) as desk:
        entries = desk.select(chosen, "retried")
        if not chosen.numbers:
            entries = _deliverable(entries)
        for entry in entries:
            require_deliverable(entry)
        for group in sorted({entry.letter.group or "" for entry in entries}):
            await require_listening(instance.settings.kafka.bootstrap, agency, group, anyway=anyway)
        _tell(chosen, entries, [row_of(done) async for done in desk.retry(entries)], "retried")


async def _drop(instance: Instance, agency: AgencyId, chosen: Selection, reason: str) -> None:
    async with HttpClient() as http, _desk(instance, agency, http) as desk:
        entries = desk.select(chosen, "dropped")
        _tell(chosen, entries, [row_of(done) async for done in desk.drop(entries, reason)], "dropped")


def _desk(instance: Instance, agency: AgencyId, http: HttpClient) -> DeadLetterDesk:
    opener = Opener(instance.directory, schemas_of(instance, http), clock=instance.clock)
    return DeadLetterDesk(post_of(instance, agency), opener)


def _chosen(numbers: tuple[int, ...], everything: bool, selection: Selection) -> Selection:
    is_filtered = selection != Selection()
    if sum((bool(numbers), everything, is_filtered)) != 1:
        raise SettingsError("say which letters: their numbers, or filters (--code, --topic, ...), or --all")
    return replace(selection, numbers=frozenset(numbers))


def _deliverable(entries: list[Entry]) -> list[Entry]:
    found: list[Entry] = []
    for entry in entries:
        try:
            require_deliverable(entry)
            found.append(entry)
        except SettingsError as error:
            note(f"left: {error.message}")
    return found


def _tell(chosen: Selection, entries: list[Entry], rows: list[dict[str, Any]], state: str) -> None:
    for number in sorted(chosen.numbers - {entry.letter.number for entry in entries}):
        note(f"letter {number} was {state} before: nothing to do")
    emit([{**row, "state": state} for row in rows])
    note(f"{len(rows)} {state}")
