"""Keys in the directory's document: a new one added, one that is lost or leaked ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from exchange.clock import format_millis, parse_time
from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.trust import PublicKey, key_id

Content = dict[str, Any]


class KeyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `exchange keys rotate` prints: an agency's new key, and when it is good."""

    agency: str
    public: str
    not_before: str
    not_after: str


def read_entry(path: Path) -> KeyEntry:
    """The entry in a file; raises SettingsError naming it."""
    try:
        entry = msgspec.json.decode(path.read_bytes(), type=KeyEntry)
        AgencyId.parse(entry.agency)
        PublicKey.parse(entry.public)
        if parse_time(entry.not_before) >= parse_time(entry.not_after):
            raise ValueError("not_before is not before not_after")
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise SettingsError(f"{path}: not what `exchange keys rotate --out` writes: {error}") from None
    return entry


def add_key(content: Content, entry: KeyEntry) -> str:
    """Add a key to its agency's; its key id. Raises SettingsError for an unknown agency, or a key that is there."""
    keys = _keys(content, entry.agency)
    if any(each["public"] == entry.public for each in keys):
        raise SettingsError(f"{entry.agency}: the directory has that key already")
    keys.append({"public": entry.public, "not_before": entry.not_before, "not_after": entry.not_after})
    return key_id(AgencyId.parse(entry.agency), PublicKey.parse(entry.public))


def end_key(content: Content, keyid: str, now: datetime) -> None:
    """Let a key be good until now, and no longer: what it signed before still verifies. Raises SettingsError."""
    agency, _, fingerprint = keyid.partition("#")
    for each in _keys(content, agency):
        if PublicKey.parse(each["public"]).fingerprint == fingerprint:
            if parse_time(each["not_before"]) > now:
                each["not_before"] = format_millis(now)
            each["not_after"] = format_millis(min(now, parse_time(each["not_after"])))
            return
    raise SettingsError(f"{keyid}: the directory has no such key (`exchange keys show {agency}`)")


def _keys(content: Content, agency: str) -> list[Content]:
    for name, subsystem in _subsystems(content):
        if name == agency:
            keys: list[Content] = subsystem["keys"]
            return keys
    raise SettingsError(f"{agency} is not in the directory")


def _subsystems(content: Content) -> Iterator[tuple[str, Content]]:
    for member in content["members"]:
        for subsystem in member["subsystems"]:
            yield f"{member['id']}/{subsystem['name']}", subsystem
