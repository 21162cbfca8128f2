"""The gateway's entries in the audit trail (spec 9), each durable before what it tells of goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from exchange.audit import AuditEntry, EntryKind
from exchange.clock import Clock
from exchange.consent import AccessRequest, ConsentChange, Permit, find_provider, sorted_fields
from exchange.gateway.ports import AuditTrail, Receipt
from exchange.ids import AgencyId
from exchange.trust import Directory

RELEASED = "released"
"""How a lookup's outcome entry says that its data went out."""


@dataclass(frozen=True, slots=True)
class Case:
    """One lookup as the audit trail sees it: the individual only as a pseudonym, the request only as a digest."""

    request: AccessRequest
    transaction_id: str
    request_digest: str
    directory: Directory
    decided_at: datetime


class GatewayTrail:
    """Writes entries and answers their receipts; an entry that does not become durable is an error, so a refusal."""

    def __init__(self, gateway: AgencyId, audit: AuditTrail, clock: Clock, new_id: Callable[[], str]) -> None:
        self._gateway = gateway
        self._audit = audit
        self._clock = clock
        self._new_id = new_id

    async def decided(self, case: Case, decision: str, permit: Permit | None = None) -> Receipt:
        """`decision` is `permit` or the code of the rule that denied; raises AuditError."""
        return await self._audit.append(self._entry(EntryKind.LOOKUP_DECIDED, case, decision, permit, case.decided_at))

    async def completed(self, case: Case, permit: Permit, outcome: str, response_digest: str | None) -> Receipt:
        """`outcome` is `released` or the code of what failed; raises AuditError."""
        now = self._clock.now()
        entry = self._entry(EntryKind.LOOKUP_COMPLETED, case, outcome, permit, now, response_digest)
        return await self._audit.append(entry)

    def _entry(
        self,
        kind: EntryKind,
        case: Case,
        decision: str,
        permit: Permit | None,
        now: datetime,
        response_digest: str | None = None,
    ) -> AuditEntry:
        request = case.request
        return AuditEntry(
            id=self._new_id(),
            time=now,
            kind=kind,
            gateway=self._gateway,
            directory_version=case.directory.version,
            consumer=request.consumer,
            provider=find_provider(case.directory, request.target),
            service=request.target,
            purpose=request.purpose,
            basis=permit.basis if permit else None,
            individual=request.individual,
            fields=tuple(sorted_fields(request.fields)),
            decision=decision,
            request_digest=case.request_digest,
            response_digest=response_digest,
            consent_digest=permit.consent_digest if permit else None,
            transaction_id=case.transaction_id,
        )


class ConsentWitness:
    """A Witness that leaves a `consent-changed` entry before the change is written."""

    def __init__(
        self,
        gateway: AgencyId,
        audit: AuditTrail,
        directory: Callable[[], Directory],
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._gateway = gateway
        self._audit = audit
        self._directory = directory
        self._clock = clock
        self._new_id = new_id

    async def witness(self, change: ConsentChange) -> Receipt:
        """The entry's receipt; raises AuditError, and then nothing is changed."""
        return await self._audit.append(self._entry(change))

    def _entry(self, change: ConsentChange) -> AuditEntry:
        record = change.consent.record
        return AuditEntry(
            id=self._new_id(),
            time=self._clock.now(),
            kind=EntryKind.CONSENT_CHANGED,
            gateway=self._gateway,
            directory_version=self._directory().version,
            consumer=record.key.consumer,
            provider=record.terms.provider,
            service=record.key.target,
            purpose=record.key.purpose,
            individual=record.key.individual,
            fields=tuple(sorted_fields(record.terms.fields)),
            decision=str(record.history[-1].state),
            consent_digest=change.consent.digest,
            transaction_id=change.transaction_id,
        )
