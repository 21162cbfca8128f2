"""What of the topic becomes a leaf: entries that a gateway of the directory signed, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.audit.entry import AuditEntry, EntryKind
from exchange.audit.record import AuditRecord, verify_entry
from exchange.errors import DocumentInvalid
from exchange.trust import Directory


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry that is to be in the tree: what happened (for the metrics alone), and the leaf's data."""

    kind: EntryKind
    data: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that is no entry of a gateway, and why; `reason` is one of a few words."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of the first values, one outcome each; `waits` where the next one needs a newer directory."""

    outcomes: Sequence[Leaf | Refusal]
    waits: bool = False


def take(values: Sequence[bytes | None], directory: Directory, *, patient: bool) -> Taken:
    """Decide on values in their order.

    An entry is made under some version of the directory, and ours may be older: it may not know the gateway or its
    new key yet. With `patient` such an entry, and all after it, wait; a refusal would be for ever.
    """
    outcomes: list[Leaf | Refusal] = []
    for value in values:
        outcome = _decide(value, directory)
        if patient and isinstance(outcome, Refusal) and _is_ahead(value, directory):
            return Taken(outcomes, waits=True)
        outcomes.append(outcome)
    return Taken(outcomes)


def _decide(value: bytes | None, directory: Directory) -> Leaf | Refusal:
    if value is None:
        return Refusal("unreadable", "the record has no value, or cannot be decoded")
    try:
        record = AuditRecord.parse(value)
    except DocumentInvalid as error:
        return Refusal("malformed", error.message)
    try:
        verified = verify_entry(record, directory)
    except DocumentInvalid as error:
        return Refusal("not_signed", error.message)
    return Leaf(verified.entry.kind, verified.leaf_data)


def _is_ahead(value: bytes | None, directory: Directory) -> bool:
    """Whether an entry claims a newer directory than this one; nothing about it is verified."""
    try:
        return value is not None and _claimed_version(AuditRecord.parse(value)) > directory.version
    except DocumentInvalid:
        return False


def _claimed_version(record: AuditRecord) -> int:
    return AuditEntry.parse(record.payload).directory_version
