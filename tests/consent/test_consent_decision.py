"""The decision (spec 8): every code, the order of the steps, and what no permit can ever hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.clock import format_micros
from exchange.consent import (
    DENIALS,
    AccessRequest,
    ConsentKey,
    State,
    StoredConsent,
    Terms,
    change_state,
    decide,
    give_consent,
)
from exchange.errors import AccessDenied
from exchange.ids import AgencyId
from tests.fakes.consents import SetConsents, SetCounters
from tests.fakes.instance import (
    CONSENT_PURPOSE,
    INTERIOR,
    PROCUREMENT,
    RESIDENCE,
    RESIDENCE_TOPIC,
    SOCIAL,
    STATUTE_PURPOSE,
    TAX,
    TAX_STANDING,
    FakeInstance,
)
from tests.fakes.moving_clock import NOON

INDIVIDUAL = "a" * 26
REQUEST = AccessRequest(PROCUREMENT, TAX_STANDING, CONSENT_PURPOSE, frozenset({"standing"}), INDIVIDUAL)
CAPPED = replace(REQUEST, purpose="capped")


@dataclass
class Situation:
    """All that a decision depends on; at first everything holds."""

    instance: FakeInstance = field(default_factory=lambda: FakeInstance(NOON))
    request: AccessRequest = REQUEST
    consents: SetConsents = field(default_factory=SetConsents)
    counters: SetCounters = field(default_factory=SetCounters)
    now: datetime = NOON

    def give(self, fields: frozenset[str] = frozenset({"standing"}), state: State = State.GIVEN) -> None:
        """The individual's consent, in `state`, for the request."""
        valid_until = NOON + timedelta(days=1)
        terms = Terms(self.request.key, TAX, fields, "uz", "0" * 64, valid_until)
        record = give_consent(terms, PROCUREMENT, NOON - timedelta(hours=1), "id", None)
        if state is not State.GIVEN:
            record = change_state(record, state, PROCUREMENT, NOON)
        self.consents.consents[self.request.key] = StoredConsent(record, "d" * 64)

    def suspend(self, agency: AgencyId) -> None:
        """Suspend an agency's member."""
        self.instance.edit(lambda content: self.instance.member(content, agency).update(status="suspended"))

    def end_agreement(self) -> None:
        """Let the agreement end now."""

        def change(content):
            self.instance.subsystem(content, TAX)["agreements"][0]["valid_until"] = format_micros(NOON)

        self.instance.edit(change)

    def decide(self):
        """The decision."""
        return decide(self.instance.directory(), self.consents, self.request, self.counters, self.now)


def directory_expired(it: Situation) -> None:
    it.instance.edit(lambda content: content.update(expires=format_micros(NOON)))


def agency_unknown(it: Situation) -> None:
    it.request = replace(it.request, consumer=AgencyId.parse("UZ/GOV/nobody/there"))


def provider_unknown(it: Situation) -> None:
    it.request = replace(it.request, target="UZ/GOV/nobody/there/service")


def target_without_meaning(it: Situation) -> None:
    it.request = replace(it.request, target="neither a service nor a topic")


def agency_suspended(it: Situation) -> None:
    it.suspend(PROCUREMENT)


def provider_suspended(it: Situation) -> None:
    it.suspend(TAX)


def agreement_missing(it: Situation) -> None:
    it.request = replace(it.request, consumer=SOCIAL)


def agreement_expired(it: Situation) -> None:
    it.end_agreement()


def purpose_not_agreed(it: Situation) -> None:
    it.request = replace(it.request, purpose="curiosity")


def field_not_agreed(it: Situation) -> None:
    it.request = replace(it.request, fields=it.request.fields | {"legal_name"})


def no_field_at_all(it: Situation) -> None:
    it.request = replace(it.request, fields=frozenset())


def cap_of_individual(it: Situation) -> None:
    it.request, it.counters.individual = replace(it.request, purpose="capped"), 2


def cap_of_consumer(it: Situation) -> None:
    it.request, it.counters.consumer = replace(it.request, purpose="capped"), 3


def consent_view_stale(it: Situation) -> None:
    it.consents.stale = True


def consent_missing(it: Situation) -> None:
    it.consents.consents.clear()


def consent_paused(it: Situation) -> None:
    it.give(state=State.PAUSED)


def consent_withdrawn(it: Situation) -> None:
    it.give(state=State.WITHDRAWN)


def consent_expired(it: Situation) -> None:
    it.now = NOON + timedelta(days=1)


def consent_field_not_given(it: Situation) -> None:
    it.request = replace(it.request, fields=frozenset({"standing", "debt_uzs"}))


CASES = [
    ("directory_expired", directory_expired),
    ("agency_unknown", agency_unknown),
    ("agency_unknown", provider_unknown),
    ("agency_unknown", target_without_meaning),
    ("agency_suspended", agency_suspended),
    ("agency_suspended", provider_suspended),
    ("agreement_missing", agreement_missing),
    ("agreement_expired", agreement_expired),
    ("purpose_not_agreed", purpose_not_agreed),
    ("field_not_agreed", field_not_agreed),
    ("field_not_agreed", no_field_at_all),
    ("cap_exceeded", cap_of_individual),
    ("cap_exceeded", cap_of_consumer),
    ("consent_view_stale", consent_view_stale),
    ("consent_missing", consent_missing),
    ("consent_paused", consent_paused),
    ("consent_withdrawn", consent_withdrawn),
    ("consent_expired", consent_expired),
    ("consent_field_not_given", consent_field_not_given),
]


def situation() -> Situation:
    """One in which everything holds."""
    it = Situation()
    it.give()
    return it


def denied(it: Situation) -> str:
    """The code of the denial."""
    with pytest.raises(AccessDenied) as caught:
        it.decide()
    return caught.value.code


@pytest.mark.parametrize(("code", "spoil"), CASES, ids=[spoil.__name__ for _, spoil in CASES])
def test_each_step_denies_with_its_own_code(code, spoil):
    """With everything else as it must be, one thing amiss is named by its code."""
    it = situation()
    spoil(it)
    assert denied(it) == code


def test_every_code_has_its_case():
    """The cases above leave out no denial that the specification has."""
    assert {code for code, _ in CASES} == set(DENIALS)


@pytest.mark.parametrize("step", range(len(DENIALS) - 1))
def test_the_first_step_that_does_not_hold_is_the_answer(step):
    """With two things amiss, the earlier step of the specification names the denial."""
    by_code = {
        "directory_expired": directory_expired,
        "agency_unknown": agency_unknown,
        "agency_suspended": provider_suspended,
        "agreement_missing": agreement_missing,
        "agreement_expired": agreement_expired,
        "purpose_not_agreed": purpose_not_agreed,
        "field_not_agreed": field_not_agreed,
        "cap_exceeded": cap_of_individual,
        "consent_view_stale": consent_view_stale,
        "consent_missing": consent_missing,
        "consent_paused": consent_paused,
        "consent_withdrawn": consent_withdrawn,
        "consent_expired": consent_expired,
    }
    earlier, later = DENIALS[step], DENIALS[step + 1]
    if later not in by_code or {earlier, later} <= {"consent_missing", "consent_paused", "consent_withdrawn"}:
        later = "consent_field_not_given"
    it = situation()
    by_code.get(later, consent_field_not_given)(it)
    by_code[earlier](it)
    assert denied(it) == earlier


def test_a_permit_names_its_fields_basis_and_consent():
    """What is permitted is what was asked for, on the individual's consent, which is named by its digest."""
    permit = situation().decide()
    assert permit.fields == {"standing"}
    assert (permit.basis, permit.consent_digest, permit.provider) == ("consent", "d" * 64, TAX)
    assert permit.directory_version == 1


def test_a_statute_needs_no_consent():
    """Where the agreement names a law, no consent is asked for, not even a fresh view of consents."""
    it = Situation(
        request=AccessRequest(SOCIAL, RESIDENCE, STATUTE_PURPOSE, frozenset({"region_code"}), INDIVIDUAL),
        consents=SetConsents(stale=True),
    )
    permit = it.decide()
    assert permit.basis == "statute: Law on social protection, art. 9"
    assert (permit.consent_digest, permit.provider) == (None, INTERIOR)


def test_a_topic_is_decided_as_a_service_is():
    """Disclosure asks the same function: a topic's owner is its provider."""
    it = Situation(request=AccessRequest(SOCIAL, RESIDENCE_TOPIC, "notify", frozenset({"region_code"}), INDIVIDUAL))
    assert denied(it) == "consent_missing"
    it.give(frozenset({"region_code"}))
    assert it.decide().provider == INTERIOR


@pytest.mark.parametrize(("individual", "consumer"), [(1, 2), (0, 0)])
def test_below_the_caps_is_permitted(individual, consumer):
    """The last place within a cap can be taken."""
    it = Situation(request=CAPPED, counters=SetCounters(individual, consumer))
    assert it.decide().fields == {"standing"}


def test_only_what_may_pass_later_is_retriable():
    """A program may ask again unchanged after a cap or a stale view, and after nothing else."""
    retriable = set()
    for code, spoil in CASES:
        it = situation()
        spoil(it)
        with pytest.raises(AccessDenied) as caught:
            it.decide()
        if caught.value.retriable:
            retriable.add(code)
    assert retriable == {"cap_exceeded", "consent_view_stale"}


FIELDS = st.frozensets(st.sampled_from(["standing", "debt_uzs", "legal_name", "owner_pinfl"]))
AGENCIES = st.sampled_from([PROCUREMENT, SOCIAL, TAX, AgencyId.parse("UZ/GOV/nobody/there")])
TARGETS = st.sampled_from([TAX_STANDING, RESIDENCE, RESIDENCE_TOPIC, "UZ/GOV/tax/registry/none", "…"])
PURPOSES = st.sampled_from([CONSENT_PURPOSE, STATUTE_PURPOSE, "capped", "notify", "none"])


@st.composite
def situations(draw) -> Situation:
    """Anything at all: any request, agreement, consent, counters and time."""
    instance = FakeInstance(NOON)
    agreed, given = draw(FIELDS), draw(FIELDS)
    instance.edit(
        lambda content: instance.subsystem(content, TAX)["agreements"][0]["purposes"][0].update(fields=sorted(agreed))
    )
    request = AccessRequest(draw(AGENCIES), draw(TARGETS), draw(PURPOSES), draw(FIELDS), INDIVIDUAL)
    it = Situation(instance, request, SetConsents(stale=draw(st.booleans())), SetCounters(draw(st.integers(0, 3))))
    if given:
        it.give(given, draw(st.sampled_from([State.GIVEN, State.PAUSED, State.WITHDRAWN])))
    it.now = NOON + draw(st.timedeltas(timedelta(0), timedelta(days=400)))
    return it


@settings(max_examples=300, deadline=None)
@given(situations())
def test_no_permit_holds_a_field_that_was_not_agreed_and_given(it):
    """In any situation: a permit's fields are in the agreement and, without a statute, in a consent that holds."""
    try:
        permit = it.decide()
    except AccessDenied:
        return
    agreement = it.instance.directory().agreement(it.request.consumer, it.request.target)
    grant = agreement.purposes[it.request.purpose]
    assert permit.fields == it.request.fields
    assert permit.fields <= grant.fields
    assert it.now < it.instance.directory().expires
    if grant.statute is None:
        consent = it.consents.find(it.request.key)
        assert not it.consents.stale
        assert consent.record.state_at(it.now) is State.GIVEN
        assert permit.fields <= consent.record.terms.fields


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["consumer", "individual", "target", "purpose"]), FIELDS.filter(len))
def test_a_consent_speaks_only_for_its_own_key(part, fields):
    """A consent of another individual, or for another consumer, service or purpose, gives nothing."""
    it = Situation()
    other = {"consumer": SOCIAL, "individual": "b" * 26, "target": RESIDENCE, "purpose": "capped"}[part]
    names = {"consumer": "consumer", "individual": "individual", "target": "target", "purpose": "purpose"}
    it.give()
    consent = it.consents.consents.pop(REQUEST.key)
    key = replace(REQUEST.key, **{names[part]: other})
    it.consents.consents[key] = consent
    assert isinstance(key, ConsentKey)
    assert denied(it) == "consent_missing"
