"""Audit entries (spec 9): what happened, who did it, on which basis. Payloads never, people only by pseudonym.

An entry is RFC 8785 JSON; a name without a value is left out, so that an entry has exactly one encoding:

    {"basis":"consent","consumer":"UZ/GOV/procurement/tenders","decision":"permit","directory_version":7,
     "fields":["standing"],"gateway":"UZ/GOV/egov/gateway","id":"0190…","individual":"k5q…",
     "kind":"lookup-decided","provider":"UZ/GOV/tax/registry","purpose":"tender-eligibility",
     "service":"UZ/GOV/tax/registry/tax-standing","time":"2026-11-22T10:00:00.123456Z",
     "transaction_id":"0190…","version":1}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from exchange.clock import format_micros, parse_time
from exchange.errors import AuditError, DocumentInvalid, IdentifierError
from exchange.ids import AgencyId

VERSION = 1
MAX_ENTRY_BYTES = 65_536
"""The most an entry takes: it names fields and carries digests, never data."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PSEUDONYM = re.compile(r"[a-z2-7]{26}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_INTEGER = 2**53 - 1  # RFC 8785 has no larger one


class EntryKind(StrEnum):
    """What happened."""

    LOOKUP_DECIDED = "lookup-decided"
    LOOKUP_COMPLETED = "lookup-completed"
    CONSENT_CHANGED = "consent-changed"
    FLUSH_PUBLISHED = "flush-published"
    DISCLOSURE = "disclosure"
    DIRECTORY_CHANGED = "directory-changed"
    ACCESS_TO_AUDIT = "access-to-audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that happened. Digests are SHA-256 in hexadecimal; `service` is a service's id or a topic's name.

    `decision` is `permit`, the code of the rule that denied (spec 8), or how a lookup ended. Raises AuditError of
    code `entry_invalid` where a value is not what its name says: above all an individual that is no pseudonym.
    """

    id: str
    time: datetime
    kind: EntryKind
    gateway: AgencyId
    directory_version: int
    consumer: AgencyId | None = None
    provider: AgencyId | None = None
    service: str | None = None
    purpose: str | None = None
    basis: str | None = None
    individual: str | None = None
    fields: tuple[str, ...] = ()
    decision: str | None = None
    request_digest: str | None = None
    response_digest: str | None = None
    consent_digest: str | None = None
    transaction_id: str | None = None

    def __post_init__(self) -> None:
        _require(_UUID, "id", self.id, "a UUID")
        _require(_UUID, "transaction_id", self.transaction_id, "a UUID")
        _require(_PSEUDONYM, "individual", self.individual, "a pseudonym (26 characters of base32)")
        for name in ("request_digest", "response_digest", "consent_digest"):
            _require(_DIGEST, name, getattr(self, name), "a SHA-256 in hexadecimal")
        if not 0 <= self.directory_version <= _MAX_INTEGER:
            raise AuditError("an audit entry's directory_version is not a version", code="entry_invalid")
        if self.time.tzinfo is None:
            raise AuditError("an audit entry's time has no time zone: expected UTC", code="entry_invalid")

    def content(self) -> dict[str, Any]:
        """Plain JSON data, without the names that have no value."""
        values = {name: getattr(self, name) for name in _NAMES}
        plain = {name: _plain(value) for name, value in values.items() if value is not None and value != ()}
        return {"version": VERSION, **plain}

    def encode(self) -> bytes:
        """The entry's bytes: what is signed, and what the leaf commits to.

        Flat data under ASCII names: sorted compact JSON is RFC 8785 then, at a tenth of the cost (the tests compare).
        """
        return msgspec.json.encode(self.content(), order="sorted")

    @classmethod
    def parse(cls, data: bytes) -> AuditEntry:
        """Read what `encode` writes, and nothing else; raises DocumentInvalid."""
        require_size(data)
        try:
            raw = msgspec.json.decode(data, type=_Entry)
            entry = _from_raw(raw)
        except (
            msgspec.DecodeError,
            UnicodeDecodeError,
            RecursionError,
            ValueError,
            IdentifierError,
            AuditError,
        ) as error:
            raise DocumentInvalid(f"not an audit entry: {error}") from None
        if raw.version != VERSION or entry.encode() != data:
            raise DocumentInvalid(f"not an audit entry of version {VERSION} in its canonical form")
        return entry


_NAMES = tuple(field.name for field in fields(AuditEntry))


def require_size(data: bytes) -> None:
    """Raises DocumentInvalid for an entry that is too large."""
    if len(data) > MAX_ENTRY_BYTES:
        raise DocumentInvalid(f"an audit entry of {len(data)} bytes is too large (more than {MAX_ENTRY_BYTES})")


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    id: str
    time: str
    kind: EntryKind
    gateway: str
    directory_version: int
    consumer: str | None = None
    provider: str | None = None
    service: str | None = None
    purpose: str | None = None
    basis: str | None = None
    individual: str | None = None
    fields: tuple[str, ...] = ()
    decision: str | None = None
    request_digest: str | None = None
    response_digest: str | None = None
    consent_digest: str | None = None
    transaction_id: str | None = None


_PARSERS: dict[str, Callable[[str], Any]] = {
    "time": parse_time,
    "gateway": AgencyId.parse,
    "consumer": AgencyId.parse,
    "provider": AgencyId.parse,
}


def _from_raw(raw: _Entry) -> AuditEntry:
    values = {name: getattr(raw, name) for name in _NAMES}
    for name, parse in _PARSERS.items():
        if values[name] is not None:
            values[name] = parse(values[name])
    return AuditEntry(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_micros(value)
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, int) else str(value)


def _require(pattern: re.Pattern[str], name: str, value: str | None, what: str) -> None:
    if value is not None and pattern.fullmatch(value) is None:
        raise AuditError(f"an audit entry's {name} is not {what}", code="entry_invalid")
