"""A small instance with one gateway and one log: its keys, its directory, entries, receipts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from exchange.audit import AuditEntry, AuditRecord, EntryKind, Receipt, leaf_data, sign_entry
from exchange.audit.store import LogStore
from exchange.clock import format_micros
from exchange.ids import AgencyId
from exchange.merkle import TlogProof, Tree, leaf_hash
from exchange.transport.http import Credentials
from exchange.trust import Directory, SigningKey
from tests.fakes.moving_clock import NOON

ORIGIN = "log.exchange.example/uz"
TAX = AgencyId.parse("UZ/GOV/tax/registry")
TENDERS = AgencyId.parse("UZ/GOV/procurement/tenders")
LOG_KEY = SigningKey.from_seed(bytes(range(32)))
GATEWAY_KEY = SigningKey.from_seed(bytes(range(32, 64)))
OTHER_KEY = SigningKey.from_seed(bytes(range(64, 96)))
TOPIC = "_exchange.audit.egov"


class World:
    """One instance. Kafka tests give the gateway's member a name of their own, so that its topic is their own."""

    def __init__(self, member: str = "egov", url: str = "http://127.0.0.1:1", now: datetime = NOON) -> None:
        self.now = now
        self.gateway = AgencyId.parse(f"UZ/GOV/{member}/gateway")
        self.credentials = Credentials(self.gateway, GATEWAY_KEY)
        self.content = self._content(url)

    def directory(self) -> Directory:
        """The directory as `content` says it is now."""
        payload = msgspec.json.encode(self.content)
        return Directory.parse(payload, hashlib.sha256(payload).hexdigest())

    def entry(self, number: int = 0, **changes: Any) -> AuditEntry:
        """A lookup that was permitted; `number` makes it another one."""
        values: dict[str, Any] = {
            "id": f"01930000-0000-7000-8000-{number:012x}",
            "time": self.now,
            "kind": EntryKind.LOOKUP_DECIDED,
            "gateway": self.gateway,
            "directory_version": 1,
            "consumer": TENDERS,
            "provider": TAX,
            "service": f"{TAX}/tax-standing",
            "purpose": "tender-eligibility",
            "basis": "consent",
            "individual": "k5qabcdefghijklmnopqrstuvw"[:26],
            "fields": ("standing", "debt_uzs"),
            "decision": "permit",
            "request_digest": "0a" * 32,
            "response_digest": "0b" * 32,
            "consent_digest": "0c" * 32,
            "transaction_id": f"01930000-0000-7000-8000-{number:012x}",
        }
        return AuditEntry(**values | changes)

    def record(self, number: int = 0, **changes: Any) -> AuditRecord:
        """A signed entry with a salt of its own."""
        return sign_entry(self.entry(number, **changes), self.credentials, salt_of(number))

    def records(self, count: int) -> list[AuditRecord]:
        """Entries 0, 1, …"""
        return [self.record(number) for number in range(count)]

    def key(self, key: SigningKey) -> dict[str, str]:
        """A key's part of the directory, good for a month around now."""
        return {
            "public": key.public.text,
            "not_before": format_micros(self.now - timedelta(days=30)),
            "not_after": format_micros(self.now + timedelta(days=30)),
        }

    def _content(self, url: str) -> dict[str, Any]:
        return {
            "instance": "UZ",
            "version": 1,
            "issued": format_micros(self.now - timedelta(days=1)),
            "expires": format_micros(self.now + timedelta(days=7)),
            "registry_url": "http://127.0.0.1:1",
            "audit_log": {"origin": ORIGIN, "url": url, "key": self.key(LOG_KEY)},
            "gateways": [{"agency": str(self.gateway), "url": "http://127.0.0.1:1"}],
            "members": [self._member(self.gateway, GATEWAY_KEY), self._member(TAX, OTHER_KEY)],
        }

    def _member(self, agency: AgencyId, key: SigningKey) -> dict[str, Any]:
        subsystem = {"name": agency.subsystem, "keys": [self.key(key)]}
        return {"id": str(agency.member_id), "name": agency.member, "status": "active", "subsystems": [subsystem]}


def salt_of(number: int) -> bytes:
    """16 bytes that stand in for random ones."""
    return hashlib.sha256(f"salt {number}".encode()).digest()[:16]


def data_of(record: AuditRecord) -> bytes:
    """What the log has of a record."""
    return leaf_data(record.salt, record.payload)


def open_store(folder: Path) -> LogStore:
    """The log of this world in a folder."""
    return LogStore(folder, ORIGIN, LOG_KEY)


def tree_of(records: Iterable[AuditRecord]) -> Tree:
    """The tree over records in their order, by the reference implementation."""
    return Tree(leaf_hash(data_of(record)) for record in records)


def prove(store: LogStore, record: AuditRecord) -> Receipt:
    """The receipt of a record with the proof that a log gives for it now."""
    receipt = Receipt(record)
    index = store.find(receipt.leaf)
    assert index is not None
    published = store.published
    path = store.inclusion(index, published.size)
    return receipt.with_proof(TlogProof(index, tuple(path), published.note).encode())
