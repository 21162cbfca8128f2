"""`exchange schema`: what an agency does with its schemas."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from exchange.avro import Schema, check_compatibility
from exchange.cli.instance import Instance
from exchange.cli.output import emit
from exchange.cli.parameters import AGENCY
from exchange.errors import PublisherNotAllowed, SchemaIncompatible, SchemaNotOwned
from exchange.ids import AgencyId, Topic
from exchange.registry import RegistryClient
from exchange.transport.http import HttpClient


@click.group()
def schema() -> None:
    """Register Avro schemas."""


@schema.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--topic", required=True, help="Topic whose values it describes.")
@click.option("--agency", type=AGENCY, help="Who registers; the topic's owner unless told.")
@click.pass_obj
def register(instance: Instance, file: Path, topic: str, agency: AgencyId | None) -> None:
    """Register FILE as the next version of a topic's schema; registering it again changes nothing."""
    subject = Topic.parse(topic).value_subject
    entry = instance.directory().topic(topic)
    owner = agency or (entry.owner if entry else None)
    if owner is None:
        raise PublisherNotAllowed(f"topic {topic} is not in the directory: its owner has it added first")
    emit(asyncio.run(_register(instance, owner, subject, file.read_text(encoding="utf-8"))))


async def _register(instance: Instance, owner: AgencyId, subject: str, text: str) -> dict[str, Any]:
    async with HttpClient() as http:
        url = instance.directory().registry_url
        client = RegistryClient(http, url, instance.clock, instance.credentials(owner))
        try:
            schema_id = await client.register(subject, text)
        except SchemaIncompatible:
            raise SchemaIncompatible(await _explain(client, subject, text)) from None
        except SchemaNotOwned as error:
            raise SchemaNotOwned(f"the registry refused (HTTP 403): {error.message}") from None
        version = (await client.lookup(subject, text)).version
    return {"subject": subject, "id": schema_id, "version": version}


async def _explain(client: RegistryClient, subject: str, text: str) -> str:
    """What the change breaks, in words, against the version that holds now."""
    latest, level = await client.version(subject), await client.level(subject)
    found = check_compatibility(Schema.parse(text), [Schema.parse(latest.schema)], level)
    reasons = "; ".join(each.message for each in found) or "a version before the latest differs"
    return f"the registry refused (HTTP 409): {subject} version {latest.version}, level {level}: {reasons}"
