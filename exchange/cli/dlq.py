"""`exchange dlq`: an agency's dead letters: which there are, why, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import Any

import click

from exchange.bus import Selection
from exchange.cli.dlq_decide import drop, retry
from exchange.cli.dlq_selection import AGENCY_OPTION, filtered, ledger_of, row_of
from exchange.cli.dlq_show import show
from exchange.cli.instance import Instance
from exchange.cli.output import emit, note
from exchange.clock import format_millis, from_unix_millis
from exchange.ids import AgencyId

_STATES = ("open", "retried", "dropped")


@click.group()
def dlq() -> None:
    """Show an agency's dead letters, deliver them again, or drop them."""


dlq.add_command(show)
dlq.add_command(retry)
dlq.add_command(drop)


@dlq.command("list")
@AGENCY_OPTION
@filtered
@click.option("--state", type=click.Choice([*_STATES, "all"]), default="open", show_default=True, help="Which ones.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many letters.")
@click.option("--after", type=click.IntRange(-1), default=-1, help="Go on after this number.")
@click.pass_obj
def list_(instance: Instance, agency: AgencyId, selection: Selection, state: str, limit: int, after: int) -> None:
    """Print dead letters, oldest first, one a line: number, state, reason, where the record was, and for whom."""
    wanted = replace(selection, states=frozenset(_STATES if state == "all" else [state]))
    ledger = asyncio.run(ledger_of(instance, agency))
    following = (entry for entry in ledger.select(wanted) if entry.letter.number > after)
    entries = list(islice(following, limit + 1))
    emit([row_of(entry) for entry in entries[:limit]])
    if not entries:
        note(f"none that is meant on {agency.dead_letter_topic}")
    if len(entries) > limit:
        note(f"there are more: --after {entries[limit - 1].letter.number}")
    if ledger.unverified:
        note(f"{ledger.unverified} records on {agency.dead_letter_topic} do not verify: they are no letters")


@dlq.command()
@AGENCY_OPTION
@filtered
@click.pass_obj
def stats(instance: Instance, agency: AgencyId, selection: Selection) -> None:
    """Count dead letters: by state, and the open ones by topic, group and code; and since when the oldest waits."""
    ledger = asyncio.run(ledger_of(instance, agency))
    entries = list(ledger.select(selection))
    still = [entry for entry in entries if entry.state == "open"]
    emit(
        {
            **{state: sum(entry.state == state for entry in entries) for state in _STATES},
            "unverified": ledger.unverified,
            "oldest_open": format_millis(from_unix_millis(min(e.letter.written for e in still))) if still else None,
            "by_topic": _counts(entry.letter.topic for entry in still),
            "by_group": _counts(entry.letter.group for entry in still),
            "by_code": _counts(entry.letter.code for entry in still),
        }
    )


def _counts(values: Any) -> dict[str, int]:
    return dict(Counter(value or "-" for value in values).most_common())
