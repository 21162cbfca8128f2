"""Steps 3 to 6 of opening (spec 3): what a statement must be for this record, this directory and its time."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.envelope.statement import Statement
from exchange.errors import KeyNotValid, OriginMismatch, PublisherNotAllowed, SealSignatureInvalid, SignatureInvalid
from exchange.merkle import note_key_id
from exchange.trust import Agency, Directory, PublicKey

MAX_DRIFT = 600_000
"""Milliseconds between a statement's time and the broker's timestamp."""

INTERNAL_PREFIX = "_exchange."
"""What our own topics start with: any active agency may write there."""


def verify_origin(statement: Statement, source: bytes) -> None:
    """Step 3: the origin's agency is the agency of `ce_source`; raises OriginMismatch."""
    if source != statement.source:
        raise OriginMismatch(
            f"ce_source is {source[:120]!r}, but the seal is by {statement.origin}: expected {statement.source!r}"
        )


def verify_may_publish(statement: Statement, topic: str, directory: Directory) -> Agency:
    """Step 4: the agency is in the directory, active, and may publish here; raises PublisherNotAllowed."""
    agency = directory.agency(statement.publisher.agency)
    if agency is None:
        raise PublisherNotAllowed(f"{statement.publisher.agency} is not in the directory")
    if not agency.active:
        raise PublisherNotAllowed(f"{agency.id} is suspended")
    if topic.startswith(INTERNAL_PREFIX) or topic in agency.id.own_topics:
        return agency
    entry = directory.topic(topic)
    if entry is None:
        raise PublisherNotAllowed(f"topic {topic[:255]} is not in the directory")
    if statement.origin not in entry.publishers:
        raise PublisherNotAllowed(f"{statement.origin} is not among the publishers of {topic}")
    return agency


def verify_recent(statement: Statement, timestamp: int) -> None:
    """Step 5, second half: the statement's time is within 10 minutes of the broker's; raises KeyNotValid."""
    drift = statement.millis - timestamp
    if not -MAX_DRIFT <= drift <= MAX_DRIFT:
        raise KeyNotValid(
            f"the statement of {statement.origin} is of {statement.time.isoformat()}, {drift} ms from the broker's "
            f"timestamp: at most {MAX_DRIFT}"
        )


def keys_for(statement: Statement, agency: Agency) -> Sequence[PublicKey]:
    """Step 5, first half: the agency's keys that were valid then and that the statement names; raises KeyNotValid."""
    keys = [
        key.public
        for key in agency.keys_at(statement.time)
        if note_key_id(statement.origin, key.public.raw) == statement.key_id
    ]
    if not keys:
        raise KeyNotValid(
            f"{agency.id} had no key {statement.key_id.hex()} at {statement.time.isoformat()}, the statement's time"
        )
    return keys


def verify_signature(statement: Statement, keys: Sequence[PublicKey]) -> None:
    """Step 6: one of the keys signed the statement; raises SealSignatureInvalid."""
    for key in keys:
        try:
            key.verify(statement.signature, statement.text)
        except SignatureInvalid:
            continue
        return
    raise SealSignatureInvalid(f"the signature of {statement.origin} on flush {statement.flush} does not verify")
