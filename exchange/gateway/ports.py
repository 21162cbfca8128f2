"""What the gateway needs of the world outside: an audit trail, and a provider that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from exchange.audit import AuditEntry
from exchange.ids import Identifier
from exchange.trust import ServiceEntry

Receipt = Mapping[str, Any]
"""A receipt as JSON data (spec 9)."""


class AuditTrail(Protocol):
    """Where entries become durable."""

    async def append(self, entry: AuditEntry) -> Receipt:
        """The entry's receipt, once the entry is durable; raises AuditError, and then nothing may be released."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a provider is asked, under which grant and transaction."""

    service: ServiceEntry
    grant: str
    individual: Identifier
    fields: frozenset[str]
    transaction_id: str


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """Verified data, and the digest that the audit entry names them by."""

    data: Mapping[str, Any]
    digest: str


class Provider(Protocol):
    """Whoever answers lookups of a service."""

    async def ask(self, question: Question) -> ProviderAnswer:
        """The answer, its signature verified, no field beyond the grant; raises LookupFailed."""
        ...
