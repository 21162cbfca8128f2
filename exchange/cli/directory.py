"""`exchange directory`: show it, and sign a fresh one before it expires."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import click
import msgspec

from exchange.cli.instance import Instance
from exchange.cli.output import emit
from exchange.clock import format_millis
from exchange.errors import SettingsError
from exchange.trust import open_document, sign_directory


@click.group()
def directory() -> None:
    """Show the directory, or sign a fresh one."""


@directory.command()
@click.pass_obj
def show(instance: Instance) -> None:
    """List the agencies with their topics and services."""
    current = instance.directory()
    emit(
        [
            {
                "agency": str(agency.id),
                "active": agency.active,
                "topics": [topic.name for topic in agency.topics],
                "services": [service.id.name for service in agency.services],
                "grants": sum(1 for each in current.agreements if each.provider == agency.id),
            }
            for agency in current.agencies.values()
        ]
    )


@directory.command()
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it is good for.")
@click.pass_obj
def sign(instance: Instance, days: int) -> None:
    """Sign the directory anew, one version higher, with the operators' keys that are here.

    Running processes take it up within a second.
    """
    content = _signed_content(instance)
    now = instance.clock.now()
    content |= {"version": content["version"] + 1, "issued": format_millis(now)}
    content["expires"] = format_millis(now + timedelta(days=days))
    keys = instance.operator_keys()
    threshold = instance.operators.threshold
    if len(keys) < threshold:
        raise SettingsError(f"{instance.home}/secrets/operators: {len(keys)} keys are here; {threshold} must sign")
    part = instance.home / "directory.json.part"
    with part.open("wb") as file:
        file.write(sign_directory(content, dict(list(keys.items())[:threshold])))
        os.fsync(file.fileno())
    part.replace(instance.home / "directory.json")
    emit({"version": content["version"], "expires": content["expires"]})


def _signed_content(instance: Instance) -> dict[str, Any]:
    """The present document's content, good signatures required, expired or not."""
    envelope = (instance.home / "directory.json").read_bytes()
    payload = open_document("directory", envelope, instance.operators.keys, instance.operators.threshold)
    content: dict[str, Any] = msgspec.json.decode(payload)
    return content
