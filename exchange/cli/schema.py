"""`exchange schema`: what an agency does with its schemas."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from exchange.avro import Schema, check_compatibility
from exchange.cli.instance import Instance
from exchange.cli.output import emit, note
from exchange.cli.parameters import AGENCY
from exchange.cli.schema_check import check
from exchange.cli.schema_diff import diff
from exchange.cli.schema_evolve import evolve
from exchange.cli.schema_files import read_schema, read_text
from exchange.cli.schema_generate import generate
from exchange.cli.schema_list import list_subjects, show
from exchange.cli.schema_registry import REFERENCE, registry_client
from exchange.errors import PublisherNotAllowed, SchemaIncompatible, SchemaNotOwned
from exchange.ids import AgencyId, Topic
from exchange.registry import Reference, Registered, RegistryClient


@click.group()
def schema() -> None:
    """Check, register, compare and evolve Avro schemas."""


@schema.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--topic", required=True, help="Topic whose values it describes.")
@click.option("--agency", type=AGENCY, help="Who registers; the topic's owner unless told.")
@click.option("--reference", "references", type=REFERENCE, multiple=True, help="A type that FILE takes from there.")
@click.pass_obj
def register(
    instance: Instance, file: Path, topic: str, agency: AgencyId | None, references: tuple[Reference, ...]
) -> None:
    """Register FILE as the next version of a topic's schema; registering it again changes nothing.

    What the house would have otherwise is told as warnings, unless registry.lint says more or less.
    """
    subject = Topic.parse(topic).value_subject
    entry = instance.directory().topic(topic)
    owner = agency or (entry.owner if entry else None)
    if owner is None:
        raise PublisherNotAllowed(f"topic {topic} is not in the directory: its owner has it added first")
    text = read_text(file) if references else read_schema(file).text
    registered = asyncio.run(_register(instance, owner, subject, text, references))
    for each in registered.warnings:
        note(f"warning: {each}")
    emit({"subject": subject, "id": registered.id, "version": registered.version})


async def _register(
    instance: Instance, owner: AgencyId, subject: str, text: str, references: Sequence[Reference]
) -> Registered:
    async with registry_client(instance, owner) as client:
        try:
            return await client.register(subject, text, references)
        except SchemaIncompatible as error:
            raise SchemaIncompatible(error.message if references else await _explain(client, subject, text)) from None
        except SchemaNotOwned as error:
            raise SchemaNotOwned(f"the registry refused (HTTP 403): {error.message}") from None


async def _explain(client: RegistryClient, subject: str, text: str) -> str:
    """What the change breaks, in words, against the version that holds now."""
    latest, level = await client.version(subject, resolved=True), await client.level(subject)
    found = check_compatibility(Schema.parse(text), [Schema.parse(latest.schema)], level)
    reasons = "; ".join(each.message for each in found) or "a version before the latest differs"
    return f"the registry refused (HTTP 409): {subject} version {latest.version}, level {level}: {reasons}"


for _command in (check, diff, list_subjects, show, evolve, generate):
    schema.add_command(_command)
