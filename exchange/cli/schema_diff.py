"""`exchange schema diff`: two versions side by side, for people who do not know Avro."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import click

from exchange.cli.instance import Instance
from exchange.cli.output import emit_report
from exchange.cli.schema_files import Version, read_schema
from exchange.cli.schema_registry import read_version, registry_client, subject_of
from exchange.cli.schema_verdict import Comparison
from exchange.errors import SettingsError

_AT = re.compile(r"(?P<name>.+)@(?:(?P<number>[1-9][0-9]*)|latest)")


@click.command()
@click.argument("old")
@click.argument("new")
@click.pass_obj
def diff(instance: Instance, old: str, new: str) -> None:
    """Say in words what changed from OLD to NEW, and who could no longer read what.

    Each is a file, or SUBJECT@VERSION or TOPIC@VERSION of the registry; a version is a number or `latest`.
    """
    before, after = asyncio.run(_both(instance, old, new))
    compared = Comparison.of(before.schema, after.schema)
    emit_report({"old": before.label, "new": after.label, **compared.data()}, compared.lines())


async def _both(instance: Instance, old: str, new: str) -> tuple[Version, Version]:
    return await _version(instance, old), await _version(instance, new)


async def _version(instance: Instance, name: str) -> Version:
    return _from_file(name) or await _from_registry(instance, name)


def _from_file(name: str) -> Version | None:
    path = Path(name)
    return Version(name, read_schema(path)) if path.exists() else None


async def _from_registry(instance: Instance, name: str) -> Version:
    match = _AT.fullmatch(name)
    if match is None:
        right = "TOPIC@VERSION, e.g. gov.interior.civil.residence-changed.v1@2 or …@latest"
        raise SettingsError(f"{name}: no such file; a version of the registry is written {right}")
    async with registry_client(instance) as client:
        return await read_version(client, subject_of(match["name"]), int(match["number"]) if match["number"] else None)
