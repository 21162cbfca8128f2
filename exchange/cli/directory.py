"""`exchange directory`: show it, and sign a fresh one before it expires."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from exchange.cli.directory_keys import add_key, end_key, read_entry
from exchange.cli.files import write_whole
from exchange.cli.instance import Instance
from exchange.cli.members_file import directory_content, make_key, read_members
from exchange.cli.output import emit, note
from exchange.clock import format_millis
from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.trust import PublicKey, open_document, sign_directory


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
@click.option(
    "--members",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take members, topics, services and agreements from this file; new agencies get keys.",
)
@click.option(
    "--add-key",
    "added",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Add the key of this file, which `exchange keys rotate --out` wrote.",
)
@click.option("--end-key", "ended", multiple=True, metavar="KEYID", help="Let this key sign no longer, from now on.")
@click.pass_obj
def sign(instance: Instance, days: int, members: Path | None, added: tuple[Path, ...], ended: tuple[str, ...]) -> None:
    """Sign the directory anew, one version higher, with the operators' keys that are here.

    Running processes take it up within a second; `exchange up topics` creates topics that are new.
    """
    content = _signed_content(instance)
    version, now = content["version"] + 1, instance.clock.now()
    if members is not None:
        content = _content_of(instance, members, content)
    for path in added:
        note(f"adds {add_key(content, read_entry(path))}")
    for keyid in ended:
        end_key(content, keyid, now)
    content |= {"version": version, "issued": format_millis(now)}
    content["expires"] = format_millis(now + timedelta(days=days))
    keys = instance.operator_keys()
    threshold = instance.operators.threshold
    if len(keys) < threshold:
        raise SettingsError(f"{instance.home}/secrets/operators: {len(keys)} keys are here; {threshold} must sign")
    write_whole(instance.home / "directory.json", sign_directory(content, dict(list(keys.items())[:threshold])))
    emit({"version": content["version"], "expires": content["expires"]})


def _content_of(instance: Instance, members: Path, current: dict[str, Any]) -> dict[str, Any]:
    """What the members file says, with the keys that the directory has; agencies that it does not have get one."""
    file = read_members(members, instance.variables)
    known = {f"{m['id']}/{s['name']}": s["keys"] for m in current["members"] for s in m["subsystems"]}
    here = {agency: _public_key(instance, agency, known) for agency in file.agencies()}
    content = directory_content(file, here, instance.log_key().public, instance.clock.now())
    content["audit_log"]["key"] = current["audit_log"]["key"]
    for member in content["members"]:
        for subsystem in member["subsystems"]:
            subsystem["keys"] = known.get(f"{member['id']}/{subsystem['name']}", subsystem["keys"])
    return content


def _public_key(instance: Instance, agency: AgencyId, known: Mapping[str, Any]) -> PublicKey:
    """An agency's key: as the directory has it, else as it is here; a new agency's file is made now."""
    if str(agency) in known:
        return PublicKey.parse(known[str(agency)][0]["public"])
    if str(agency) in instance.settings.keys:
        return next(iter(instance.key_store(agency).load().values())).public
    return make_key(instance.key_path(agency)).public


def _signed_content(instance: Instance) -> dict[str, Any]:
    """The present document's content, good signatures required, expired or not."""
    envelope = (instance.home / "directory.json").read_bytes()
    payload = open_document("directory", envelope, instance.operators.keys, instance.operators.threshold)
    content: dict[str, Any] = msgspec.json.decode(payload)
    return content
