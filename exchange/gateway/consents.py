"""The consent API: agencies record what individuals decided (spec 7).

For now an agency calls, and says for whom: the consumer, or the gateway's own agency.
"""

from __future__ import annotations

from collections.abc import Callable

from exchange.consent import Change, Changed, ConsentKey, ConsentLedger, StoredConsent, Terms
from exchange.errors import AccessDenied, ConsentError
from exchange.gateway.messages import ConsentRequest, ConsentSelector, require_scheme
from exchange.gateway.metrics import CONSENT_CHANGES
from exchange.ids import AgencyId, Identifier, ServiceId
from exchange.transport.http import VerifiedRequest
from exchange.trust import Agreement, Directory, PurposeGrant


class Consents:
    """Gives, pauses, resumes, withdraws and shows consents for authenticated agencies."""

    def __init__(
        self, gateway: AgencyId, pepper: bytes, directory: Callable[[], Directory], ledger: ConsentLedger
    ) -> None:
        self._gateway = gateway
        self._pepper = pepper
        self._directory = directory
        self._ledger = ledger

    async def give(self, sender: VerifiedRequest, asked: ConsentRequest) -> Changed:
        """Record a consent; raises AccessDenied, ConsentError (also beyond the agreement), or what auditing raises."""
        key = self._key(sender, asked.selector)
        agreement = find_agreement(self._directory(), asked.selector)
        verify_agreed(agreement, asked)
        terms = Terms(key, agreement.provider, asked.fields, asked.language, asked.notice_digest, asked.valid_until)
        return _counted(await self._ledger.give(terms, _change(sender)))

    async def pause(self, sender: VerifiedRequest, asked: ConsentSelector) -> Changed:
        """Nothing is permitted until it is resumed."""
        return _counted(await self._ledger.pause(self._key(sender, asked), _change(sender)))

    async def resume(self, sender: VerifiedRequest, asked: ConsentSelector) -> Changed:
        """A paused consent is given again."""
        return _counted(await self._ledger.resume(self._key(sender, asked), _change(sender)))

    async def withdraw(self, sender: VerifiedRequest, asked: ConsentSelector) -> Changed:
        """It ends, for good; whatever became of the agreement, a consent can always be withdrawn."""
        return _counted(await self._ledger.withdraw(self._key(sender, asked), _change(sender)))

    def show(self, sender: VerifiedRequest, asked: ConsentSelector) -> StoredConsent:
        """The consent; raises ConsentError `consent_not_found`."""
        return self._ledger.show(self._key(sender, asked))

    def _key(self, sender: VerifiedRequest, asked: ConsentSelector) -> ConsentKey:
        if sender.agency not in (asked.consumer, self._gateway):
            raise AccessDenied(
                f"{sender.agency} may not see or change consents of {asked.consumer}", code="caller_not_allowed"
            )
        _verify_scheme(self._directory(), asked.target, asked.individual)
        return ConsentKey(asked.individual.pseudonym(self._pepper), asked.consumer, asked.target, asked.purpose)


def find_agreement(directory: Directory, asked: ConsentSelector) -> Agreement:
    """Raises ConsentError `agreement_missing`."""
    agreement = directory.agreement(asked.consumer, asked.target)
    if agreement is None:
        raise ConsentError(f"no provider agreed that {asked.consumer} uses {asked.target}", code="agreement_missing")
    return agreement


def verify_agreed(agreement: Agreement, asked: ConsentRequest) -> None:
    """Nobody is asked to consent to what was not agreed, or to what a statute gives anyway; raises ConsentError."""
    grant = _find_purpose(agreement, asked.selector.purpose)
    if grant.statute is not None:
        raise ConsentError(f"for {grant.purpose} the basis is a statute, not consent", code="consent_not_needed")
    if not asked.fields <= grant.fields:
        agreed = ", ".join(sorted(grant.fields))
        raise ConsentError(f"the agreement has for {grant.purpose} only: {agreed}", code="field_not_agreed")


def _find_purpose(agreement: Agreement, purpose: str) -> PurposeGrant:
    grant = agreement.purposes.get(purpose)
    if grant is None:
        agreed = ", ".join(sorted(agreement.purposes))
        raise ConsentError(f"the purpose is not in the agreement, which has: {agreed}", code="purpose_not_agreed")
    return grant


def _verify_scheme(directory: Directory, target: str, individual: Identifier) -> None:
    service = directory.service(ServiceId.parse(target)) if "/" in target else None
    if service is not None:
        require_scheme(individual, service.individual_scheme)


def _counted(changed: Changed) -> Changed:
    if changed.receipt is not None:
        CONSENT_CHANGES.labels(str(changed.consent.record.history[-1].state)).inc()
    return changed


def _change(sender: VerifiedRequest) -> Change:
    return Change(sender.agency, sender.transaction_id)
