"""`exchange keys`: agencies' signing keys: which are here, which the directory has, and how one follows another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from exchange.cli.directory_keys import KeyEntry
from exchange.cli.instance import Instance
from exchange.cli.output import Row, emit, note
from exchange.cli.parameters import AGENCY, DURATION
from exchange.clock import format_millis
from exchange.errors import KeyNotValid, KeyUnavailable, SettingsError
from exchange.ids import AgencyId
from exchange.trust import Key, KeyFiles, PublicKey, Signer, SigningKey, key_id

SOON = timedelta(days=30)
_MESSAGE = b"exchange keys check"


@click.group()
def keys() -> None:
    """Show, check and rotate agencies' signing keys."""


@keys.command()
@click.argument("agency", type=AGENCY, required=False)
@click.pass_obj
def show(instance: Instance, agency: AgencyId | None) -> None:
    """List the keys of AGENCY, here and in the directory; without it, of every agency with a key here.

    States: signs (what this machine signs with now), valid, not yet valid, expired, not in the directory.
    """
    agencies = [agency] if agency else [each for each in instance.directory().agencies if _has_key(instance, each)]
    emit([row for each in agencies for row in _rows(instance, each)])


@keys.command()
@click.argument("agency", type=AGENCY)
@click.pass_obj
def check(instance: Instance, agency: AgencyId) -> None:
    """Sign and verify once with the key that AGENCY signs with now: says how long the key, or its HSM, takes.

    Exits with 3 where the key cannot be used, or is not valid in the directory now.
    """
    signer = instance.credentials(agency).signer.current()
    entry = _entries(instance, agency)[signer.public]
    now = instance.clock.now()
    if not entry.is_valid_at(now):
        raise KeyNotValid(f"{key_id(agency, signer.public)} is {_state(entry, now)}: `exchange keys rotate {agency}`")
    start = time.perf_counter()
    signer.public.verify(signer.sign(_MESSAGE), _MESSAGE)
    taken = 1000 * (time.perf_counter() - start)
    emit(
        {"keyid": key_id(agency, signer.public), "until": format_millis(entry.not_after), "milliseconds": round(taken)}
    )
    if entry.not_after - now < SOON:
        note(f"it expires within {SOON.days} days: `exchange keys rotate {agency}`")


@keys.command()
@click.argument("agency", type=AGENCY)
@click.option(
    "--starts-in", type=DURATION, default="1d", show_default=True, help="When it becomes valid: 90m, 24h, 7d."
)
@click.option("--days", type=click.IntRange(1, 3660), default=365, show_default=True, help="How long it is good for.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the entry to this file, too.")
@click.pass_obj
def rotate(instance: Instance, agency: AgencyId, starts_in: timedelta, days: int, out: Path | None) -> None:
    """Make the directory's entry of a new key of AGENCY, for `exchange directory sign --add-key`.

    The key is the one that is here and not yet in the directory; where there is none, a new file is made beside the
    present one. On an HSM, make the pair with the HSM's own tool first: the same label, another id. Processes sign
    with it from the moment it is valid on, without a restart; leave the directory time to reach everybody before.
    """
    key = _new_key(instance, agency)
    start = instance.clock.now() + starts_in
    until = start + timedelta(days=days)
    entry = KeyEntry(str(agency), key.public.text, format_millis(start), format_millis(until))
    if out is not None:
        out.write_bytes(msgspec.json.encode(entry) + b"\n")
    emit(msgspec.to_builtins(entry))
    note(f"compare with what the operators see: {key_id(agency, key.public)}")


def _new_key(instance: Instance, agency: AgencyId) -> Signer:
    store, published = instance.key_store(agency), _entries(instance, agency)
    unknown = [key for key in store.load().values() if key.public not in published]
    if len(unknown) > 1:
        found = ", ".join(key.public.fingerprint for key in unknown)
        raise SettingsError(f"{store}: {len(unknown)} keys that the directory does not have: {found}; leave one there")
    if unknown:
        return unknown[0]
    if not isinstance(store, KeyFiles):
        raise SettingsError(
            f"{store}: every key there is in the directory; make a pair on the token, the same label, another id"
        )
    key = SigningKey.generate()
    note(f"made {store.add(key)}")
    return key


def _rows(instance: Instance, agency: AgencyId) -> Iterator[Row]:
    published, now = _entries(instance, agency), instance.clock.now()
    here = {key.public: place for place, key in instance.key_store(agency).load().items()}
    signing = _signing(instance, agency)
    for public in {**published, **here}:
        entry = published.get(public)
        yield {
            "keyid": key_id(agency, public),
            "state": "signs" if public == signing else _state(entry, now),
            "from": format_millis(entry.not_before) if entry else None,
            "until": format_millis(entry.not_after) if entry else None,
            "public": public.text,
            "place": here.get(public),
        }


def _signing(instance: Instance, agency: AgencyId) -> PublicKey | None:
    """What it signs with: None where nothing here is valid now."""
    try:
        public = instance.credentials(agency).signer.current().public
    except SettingsError:
        return None
    return public if _entries(instance, agency)[public].is_valid_at(instance.clock.now()) else None


def _state(entry: Key | None, now: datetime) -> str:
    if entry is None:
        return "not in the directory"
    if now < entry.not_before:
        return "not yet valid"
    return "valid" if now <= entry.not_after else "expired"


def _entries(instance: Instance, agency: AgencyId) -> dict[PublicKey, Key]:
    entry = instance.directory().agency(agency)
    if entry is None:
        raise SettingsError(f"{agency} is not in the directory: the operators admit members")
    return {key.public: key for key in entry.keys}


def _has_key(instance: Instance, agency: AgencyId) -> bool:
    try:
        return bool(instance.key_store(agency).load())
    except (SettingsError, KeyUnavailable):
        return False
