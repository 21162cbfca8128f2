"""The options of `exchange dlq`: whose letters, and which of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from exchange.bus import Entry, Ledger, Post, Selection, read_ledger
from exchange.cli.instance import Instance
from exchange.cli.moments import MOMENT
from exchange.cli.parameters import AGENCY
from exchange.clock import format_millis, from_unix_millis, to_unix_millis
from exchange.envelope import Opener
from exchange.ids import AgencyId
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient

_Command = Callable[..., Any]

AGENCY_OPTION = click.option("--agency", type=AGENCY, required=True, help="Whose dead letters.")
"""Every command's: the agency whose key is here."""

_FILTERS = (
    click.option("--code", "codes", multiple=True, help="Only of this code (may be repeated)."),
    click.option("--topic", "topics", multiple=True, help="Only of this topic (may be repeated)."),
    click.option("--group", "groups", multiple=True, help="Only of this group (may be repeated)."),
    click.option("--since", type=MOMENT, help="Kept at or after: an RFC 3339 time, or e.g. 2h."),
    click.option("--until", type=MOMENT, help="Kept before."),
)


def filtered(command: _Command) -> _Command:
    """Add the filters; they reach the command as one `selection`."""

    def wrapped(
        *arguments: Any,
        codes: tuple[str, ...],
        topics: tuple[str, ...],
        groups: tuple[str, ...],
        since: datetime | None,
        until: datetime | None,
        **others: Any,
    ) -> Any:
        selection = Selection(
            codes=frozenset(codes),
            topics=frozenset(topics),
            groups=frozenset(groups),
            since=None if since is None else to_unix_millis(since),
            until=None if until is None else to_unix_millis(until),
        )
        return command(*arguments, selection=selection, **others)

    functools.update_wrapper(wrapped, command)  # with the options it already has
    for option in reversed(_FILTERS):
        wrapped = option(wrapped)
    return wrapped


def post_of(instance: Instance, agency: AgencyId) -> Post:
    """What the agency's letters are written with; raises SettingsError where its key is not here."""
    signer = instance.credentials(agency).signer
    return Post(agency, instance.settings.kafka.bootstrap, signer, instance.directory, instance.clock)


def schemas_of(instance: Instance, http: HttpClient) -> SchemaCache:
    """The registry's schemas, cached."""
    return SchemaCache(RegistryClient(http, instance.directory().registry_url, instance.clock))


async def ledger_of(instance: Instance, agency: AgencyId) -> Ledger:
    """The agency's letters as they stand; raises SettingsError for one that the directory does not have."""
    async with HttpClient() as http:
        opener = Opener(instance.directory, schemas_of(instance, http), clock=instance.clock)
        return await read_ledger(instance.settings.kafka.bootstrap, agency, opener, instance.clock)


def row_of(entry: Entry) -> dict[str, Any]:
    """A letter in one line."""
    letter = entry.letter
    return {
        "number": letter.number,
        "state": entry.state,
        "kept": format_millis(from_unix_millis(letter.written)),
        "code": letter.code,
        "step": letter.step,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "group": letter.group,
        "handler": letter.handler,
        "attempts": letter.attempts,
    }
