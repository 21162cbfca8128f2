"""The decision (spec 8): may this consumer have these fields of this individual, now?

A pure function. It reads as the section of the specification: step by step, in its order, and the first step
that does not hold is the answer. What is unknown is denied. Lookups and disclosure share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Protocol

from exchange.consent.document import StoredConsent
from exchange.consent.record import ConsentKey, State
from exchange.errors import AccessDenied, DirectoryExpired, IdentifierError
from exchange.ids import AgencyId, ServiceId
from exchange.trust import Agreement, Caps, Directory, PurposeGrant

DENIALS = (
    "directory_expired",
    "agency_unknown",
    "agency_suspended",
    "agreement_missing",
    "agreement_expired",
    "purpose_not_agreed",
    "field_not_agreed",
    "cap_exceeded",
    "consent_view_stale",
    "consent_missing",
    "consent_paused",
    "consent_withdrawn",
    "consent_expired",
    "consent_field_not_given",
)
"""Every code an AccessDenied can carry, in the order in which the steps are taken."""


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Who wants what of whom, and for what. `individual` is a pseudonym, `target` a service or a topic."""

    consumer: AgencyId
    target: str
    purpose: str
    fields: frozenset[str]
    individual: str

    @property
    def key(self) -> ConsentKey:
        """The consent that would cover it."""
        return ConsentKey(self.individual, self.consumer, self.target, self.purpose)


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be released: these fields, on this basis (`consent`, or `statute: <reference>`)."""

    provider: AgencyId
    fields: frozenset[str]
    basis: str
    consent_digest: str | None
    directory_version: int


class ConsentView(Protocol):
    """The consents there are, as far as they were read."""

    def find(self, key: ConsentKey) -> StoredConsent | None:
        """The consent under `key`, or None."""
        ...

    def is_stale(self, now: datetime) -> bool:
        """Whether the view may be behind the topic by more than is allowed."""
        ...


class Counters(Protocol):
    """How often data were permitted so far."""

    def of_individual(self, request: AccessRequest, now: datetime) -> int:
        """Permits to this consumer for this target, purpose and individual, in the UTC day of `now`."""
        ...

    def of_consumer(self, request: AccessRequest, now: datetime) -> int:
        """Permits to this consumer for this target and purpose, in the UTC hour of `now`."""
        ...


def decide(
    directory: Directory, consents: ConsentView, request: AccessRequest, counters: Counters, now: datetime
) -> Permit:
    """The permit; raises AccessDenied with the code of the first step that does not hold (spec 8)."""
    verify_current(directory, now)
    provider = find_provider(directory, request.target)
    verify_known(directory, provider, request.consumer)
    verify_active(directory, provider, request.consumer)
    agreement = find_agreement(directory, request)
    verify_agreement_valid(agreement, now)
    grant = find_purpose(agreement, request)
    verify_fields(grant, request)
    verify_caps(grant.caps, counters, request, now)
    if grant.statute is not None:
        return Permit(agreement.provider, request.fields, grant.basis, None, directory.version)
    verify_view_fresh(consents, now)
    consent = find_consent(consents, request)
    verify_state(consent, now)
    verify_fields_given(consent, request)
    return Permit(agreement.provider, request.fields, grant.basis, consent.digest, directory.version)


def verify_current(directory: Directory, now: datetime) -> None:
    """Past the directory's expiry everything is denied (spec 4)."""
    try:
        directory.require_current(now)
    except DirectoryExpired as error:
        raise AccessDenied(error.message, code=error.code) from None


def find_provider(directory: Directory, target: str) -> AgencyId | None:
    """Whose service or topic it is: by the directory for a topic, by its own name for a service."""
    topic = directory.topic(target)
    if topic is not None:
        return topic.owner
    try:
        return ServiceId.parse(target).agency
    except IdentifierError:
        return None


def verify_known(directory: Directory, provider: AgencyId | None, consumer: AgencyId) -> None:
    """`agency_unknown`: consumer and provider are in the directory."""
    for agency in (consumer, provider):
        if agency is None or directory.agency(agency) is None:
            _deny("agency_unknown", f"{agency or 'the provider'} is not in the directory")


def verify_active(directory: Directory, provider: AgencyId | None, consumer: AgencyId) -> None:
    """`agency_suspended`: neither is suspended."""
    for agency in (consumer, provider):
        entry = directory.agency(agency) if agency is not None else None
        if entry is None or not entry.active:
            _deny("agency_suspended", f"{agency} is suspended")


def find_agreement(directory: Directory, request: AccessRequest) -> Agreement:
    """`agreement_missing`: the provider agreed with this consumer on this service or topic."""
    agreement = directory.agreement(request.consumer, request.target)
    if agreement is None or agreement.provider != find_provider(directory, request.target):
        _deny("agreement_missing", f"no provider agreed that {request.consumer} uses {request.target}")
    return agreement


def verify_agreement_valid(agreement: Agreement, now: datetime) -> None:
    """`agreement_expired`."""
    if now >= agreement.valid_until:
        _deny("agreement_expired", f"the agreement ended at {agreement.valid_until.isoformat()}")


def find_purpose(agreement: Agreement, request: AccessRequest) -> PurposeGrant:
    """`purpose_not_agreed`."""
    grant = agreement.purposes.get(request.purpose)
    if grant is None:
        agreed = ", ".join(sorted(agreement.purposes))
        _deny("purpose_not_agreed", f"the purpose is not in the agreement, which has: {agreed}")
    return grant


def verify_fields(grant: PurposeGrant, request: AccessRequest) -> None:
    """`field_not_agreed`: something is asked for, and the agreement has all of it for this purpose."""
    if not request.fields or not request.fields <= grant.fields:
        agreed = ", ".join(sorted(grant.fields))
        _deny("field_not_agreed", f"the agreement has for {grant.purpose} only: {agreed}")


def verify_caps(caps: Caps, counters: Counters, request: AccessRequest, now: datetime) -> None:
    """`cap_exceeded`: one more permit stays within the agreement's caps."""
    daily, hourly = caps.per_individual_per_day, caps.per_consumer_per_hour
    if daily is not None and counters.of_individual(request, now) >= daily:
        _deny("cap_exceeded", f"the agreement allows {daily} a day for one individual", retriable=True)
    if hourly is not None and counters.of_consumer(request, now) >= hourly:
        _deny("cap_exceeded", f"the agreement allows {hourly} an hour for {request.consumer}", retriable=True)


def verify_view_fresh(consents: ConsentView, now: datetime) -> None:
    """`consent_view_stale`: a withdrawal could have been missed."""
    if consents.is_stale(now):
        _deny("consent_view_stale", "the consents are not known to be up to date: nothing is given", retriable=True)


def find_consent(consents: ConsentView, request: AccessRequest) -> StoredConsent:
    """`consent_missing`."""
    consent = consents.find(request.key)
    if consent is None:
        _deny("consent_missing", f"the individual gave {request.consumer} no consent for {request.purpose}")
    return consent


def verify_state(consent: StoredConsent, now: datetime) -> None:
    """`consent_paused`, `consent_withdrawn`, `consent_expired`."""
    state = consent.record.state_at(now)
    if state is not State.GIVEN:
        _deny(f"consent_{state}", f"the individual's consent is {state}")


def verify_fields_given(consent: StoredConsent, request: AccessRequest) -> None:
    """`consent_field_not_given`: the consent has every field asked for."""
    if not request.fields <= consent.record.terms.fields:
        given = ", ".join(sorted(consent.record.terms.fields))
        _deny("consent_field_not_given", f"the individual gave only: {given}")


def _deny(code: str, message: str, *, retriable: bool = False) -> NoReturn:
    raise AccessDenied(message, code=code, retriable=retriable)
