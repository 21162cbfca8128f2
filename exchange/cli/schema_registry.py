"""The registry as the commands about schemas ask it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import click

from exchange.avro import Schema
from exchange.cli.instance import Instance
from exchange.cli.schema_files import Version
from exchange.errors import SchemaNotFound
from exchange.ids import AgencyId, Topic
from exchange.registry import Reference, RegistryClient
from exchange.transport.http import HttpClient

_T = TypeVar("_T")
_AT_ONCE = 16


class _Reference(click.ParamType[Reference]):
    name = "type=subject@version"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Reference:
        if isinstance(value, Reference):
            return value
        name, _, place = value.partition("=")
        subject, _, version = place.rpartition("@")
        if not name or not subject or not version.isdecimal():
            self.fail("expected TYPE=SUBJECT@VERSION, e.g. uz.gov.Address=gov.x.y.address.v1-value@2", param, ctx)
        return Reference(name, subject, int(version))


REFERENCE = _Reference()
"""An option's type: a named type and the version of the subject that holds it."""


@asynccontextmanager
async def registry_client(instance: Instance, agency: AgencyId | None = None) -> AsyncIterator[RegistryClient]:
    """A client of the directory's registry; with `agency`, one that signs its writes."""
    async with HttpClient() as http:
        credentials = instance.credentials(agency) if agency else None
        yield RegistryClient(http, instance.directory().registry_url, instance.clock, credentials)


async def read_history(client: RegistryClient, subject: str) -> list[Version]:
    """Every version of a subject, oldest first; none where the registry does not have it."""
    try:
        numbers = await client.versions(subject)
    except SchemaNotFound:
        return []
    return await gather_limited(read_version(client, subject, each) for each in numbers)


async def read_version(client: RegistryClient, subject: str, number: int | None) -> Version:
    """One version of a subject, or the newest (None)."""
    found = await client.version(subject, number, resolved=True)
    return Version(f"{subject}@{found.version}", Schema.parse(found.schema))


async def gather_limited(questions: Iterable[Awaitable[_T]]) -> list[_T]:
    """The answers in order, a few asked at a time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(question: Awaitable[_T]) -> _T:
        async with gate:
            return await question

    return await asyncio.gather(*map(ask, questions))


def subject_of(name: str) -> str:
    """The subject of a topic's values; a name that is no topic is a subject already."""
    try:
        return Topic.parse(name).value_subject
    except ValueError:
        return name
