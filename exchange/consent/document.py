"""The consent record as a signed document: RFC 8785 JSON in a DSSE envelope of kind `consent` (spec 4, 7)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from exchange.clock import format_micros, parse_time
from exchange.consent.record import (
    SCHEMA_VERSION,
    ConsentKey,
    ConsentRecord,
    State,
    StateChange,
    Terms,
    sorted_fields,
)
from exchange.errors import DocumentInvalid, IdentifierError
from exchange.ids import AgencyId
from exchange.trust import Directory, PublicKey, Signer, document_keyids, key_id, open_document, sign_document

KIND = "consent"
ALLOWED_DELAY = timedelta(minutes=10)
"""How far a change's own time may be from the broker's: an old document cannot be written again later."""


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """A verified record, and the SHA-256 of its signed payload (the audit entries name it)."""

    record: ConsentRecord
    digest: str


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    state: State
    at: str
    through: str


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    schema_version: str
    record_id: str
    revision: int
    individual: str
    controller: str
    provider: str
    target: str
    purpose: str
    fields: list[str]
    given_through: str
    language: str
    notice_digest: str
    given_at: str
    valid_until: str
    state: State
    state_history: list[_Change]


def consent_content(record: ConsentRecord) -> dict[str, Any]:
    """The record as plain JSON data: what is signed, and what the consent API answers."""
    return {
        "schema_version": SCHEMA_VERSION,
        "record_id": record.record_id,
        "revision": record.revision,
        "individual": record.key.individual,
        "controller": str(record.key.consumer),
        "provider": str(record.terms.provider),
        "target": record.key.target,
        "purpose": record.key.purpose,
        "fields": sorted_fields(record.terms.fields),
        "given_through": str(record.given_through),
        "language": record.terms.language,
        "notice_digest": record.terms.notice_digest,
        "given_at": format_micros(record.given_at),
        "valid_until": format_micros(record.terms.valid_until),
        "state": str(record.history[-1].state),
        "state_history": [
            {"state": str(change.state), "at": format_micros(change.at), "through": str(change.through)}
            for change in record.history
        ],
    }


def parse_consent(payload: bytes) -> ConsentRecord:
    """The record of a document's payload; raises DocumentInvalid."""
    try:
        record = _build(msgspec.json.decode(payload, type=_Document))
    except (msgspec.DecodeError, IdentifierError, ValueError) as error:
        raise DocumentInvalid(f"not a consent record: {error}") from None
    return record


def sign_consent(record: ConsentRecord, agency: AgencyId, signer: Signer) -> tuple[bytes, StoredConsent]:
    """The signed document, and the record with the digest it will be known by."""
    signer = signer.current()
    envelope = sign_document(KIND, consent_content(record), [(key_id(agency, signer.public), signer)])
    payload = open_document(KIND, envelope, {key_id(agency, signer.public): signer.public})
    return envelope, StoredConsent(record, hashlib.sha256(payload).hexdigest())


def open_consent(key: str, envelope: bytes, written: datetime, directory: Directory) -> StoredConsent:
    """A verified record from the topic: signed by a gateway, fresh when it was written, under its own key.

    `written` is the broker's time of the record. Raises DocumentInvalid.
    """
    payload = open_document(KIND, envelope, _gateway_keys(envelope, written, directory))
    record = parse_consent(payload)
    if record.key.text != key:
        raise DocumentInvalid("the consent record is about another key than the one it was written under")
    if abs(written - record.changed_at) > ALLOWED_DELAY:
        raise DocumentInvalid(f"the consent record was written {written - record.changed_at} after its change")
    return StoredConsent(record, hashlib.sha256(payload).hexdigest())


def _gateway_keys(envelope: bytes, written: datetime, directory: Directory) -> dict[str, PublicKey]:
    found = {}
    for keyid in document_keyids(KIND, envelope):
        key = _gateway_key(keyid, written, directory)
        if key is not None:
            found[keyid] = key
    return found


def _gateway_key(keyid: str, written: datetime, directory: Directory) -> PublicKey | None:
    try:
        agency = directory.agency(AgencyId.parse(keyid.partition("#")[0]))
    except IdentifierError:
        return None
    if agency is None or not agency.active or not directory.is_gateway(agency.id):
        return None
    key = agency.key_by_id(keyid)
    return key.public if key is not None and key.is_valid_at(written) else None


def _build(raw: _Document) -> ConsentRecord:
    if raw.schema_version != SCHEMA_VERSION:
        raise ValueError(f"schema_version is {raw.schema_version[:40]!r}; this version reads {SCHEMA_VERSION}")
    key = ConsentKey(raw.individual, AgencyId.parse(raw.controller), raw.target, raw.purpose)
    terms = Terms(
        key=key,
        provider=AgencyId.parse(raw.provider),
        fields=frozenset(raw.fields),
        language=raw.language,
        notice_digest=raw.notice_digest,
        valid_until=parse_time(raw.valid_until),
    )
    history = tuple(
        StateChange(change.state, parse_time(change.at), AgencyId.parse(change.through)) for change in raw.state_history
    )
    record = ConsentRecord(raw.record_id, raw.revision, terms, history)
    _verify_consistent(record, raw)
    return record


def _verify_consistent(record: ConsentRecord, raw: _Document) -> None:
    """What the document says twice, it says alike: its writer's form is the only one accepted."""
    if not record.history or record.history[0].state is not State.GIVEN:
        raise ValueError("state_history does not begin with the state given")
    if msgspec.to_builtins(raw) != consent_content(record):
        raise ValueError("state, given_at, given_through, fields or a time is not written as the record implies")
