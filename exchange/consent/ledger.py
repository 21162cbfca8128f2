"""Changes of consents: each witnessed first, then signed onto the topic, then read back, then answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from exchange.clock import Clock
from exchange.consent.document import StoredConsent, sign_consent
from exchange.consent.ports import ConsentChange, ConsentTopic, Witness
from exchange.consent.record import ConsentKey, ConsentRecord, State, Terms, change_state, give_consent
from exchange.errors import ConsentError
from exchange.ids import AgencyId
from exchange.trust import Signer

_LOCKS = 64


class Known(Protocol):
    """The view that the ledger writes through."""

    def find(self, key: ConsentKey) -> StoredConsent | None:
        """The consent under `key`, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes a consent, and in which transaction."""

    by: AgencyId
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The consent as it now stands, and the receipt of the change; None where it stood so already."""

    consent: StoredConsent
    receipt: Mapping[str, Any] | None


class ConsentLedger:
    """Gives, pauses, resumes and withdraws consents, one change of a key at a time.

    Crash: killed after the witness and before the write, the trace names a document that never came to be, and
    the caller, who got no answer, asks again. Killed after the write, the change holds, and asking again for the
    state a consent already has changes nothing.
    """

    def __init__(
        self,
        agency: AgencyId,
        signer: Signer,
        known: Known,
        topic: ConsentTopic,
        witness: Witness,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._agency = agency
        self._signer = signer
        self._known = known
        self._topic = topic
        self._witness = witness
        self._clock = clock
        self._new_id = new_id
        self._locks = tuple(asyncio.Lock() for _ in range(_LOCKS))

    async def give(self, terms: Terms, change: Change) -> Changed:
        """A new consent, in place of any that there is; raises ConsentError, AuditError or TransportError."""
        async with self._lock(terms.key):
            known = self._known.find(terms.key)
            previous = known.record if known else None
            record = give_consent(terms, change.by, self._clock.now(), self._new_id(), previous)
            return await self._write(record, change)

    async def pause(self, key: ConsentKey, change: Change) -> Changed:
        """Nothing is permitted until it is resumed."""
        return await self._change(key, State.PAUSED, change)

    async def resume(self, key: ConsentKey, change: Change) -> Changed:
        """A paused consent is given again."""
        return await self._change(key, State.GIVEN, change)

    async def withdraw(self, key: ConsentKey, change: Change) -> Changed:
        """It ends, for good."""
        return await self._change(key, State.WITHDRAWN, change)

    def show(self, key: ConsentKey) -> StoredConsent:
        """The consent under `key`; raises ConsentError with code `consent_not_found`."""
        found = self._known.find(key)
        if found is None:
            raise ConsentError(
                "there is no consent for this individual, consumer and purpose", code="consent_not_found"
            )
        return found

    async def _change(self, key: ConsentKey, state: State, change: Change) -> Changed:
        async with self._lock(key):
            known, now = self.show(key), self._clock.now()
            if known.record.state_at(now) is state:
                return Changed(known, None)
            return await self._write(change_state(known.record, state, change.by, now), change)

    async def _write(self, record: ConsentRecord, change: Change) -> Changed:
        envelope, consent = sign_consent(record, self._agency, self._signer)
        receipt = await self._witness.witness(ConsentChange(consent, change.by, change.transaction_id))
        await self._topic.write(record.key.text, envelope)
        if self._known.find(record.key) != consent:
            raise ConsentError("another change of this consent came first: ask again", code="consent_conflict")
        return Changed(consent, receipt)

    def _lock(self, key: ConsentKey) -> asyncio.Lock:
        return self._locks[int(key.text[:8], 16) % _LOCKS]
