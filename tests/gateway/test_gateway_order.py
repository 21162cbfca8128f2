"""The order of spec 6: what has to be durable before what goes on, and what is never released."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from exchange.audit import EntryKind
from exchange.errors import AccessDenied, AuditError, ExchangeError, LookupFailed
from exchange.gateway.messages import parse_consent_request
from exchange.ids import Identifier
from tests.fakes.asked_provider import AskedProvider
from tests.fakes.gateway_in_memory import PEPPER, TIN, MemoryGateway, consent_body, lookup_body
from tests.fakes.instance import PROCUREMENT, RESIDENCE, TAX, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import NOON, MovingClock


@pytest.fixture
def clock() -> MovingClock:
    """Noon."""
    return MovingClock(NOON)


@pytest.fixture
def instance() -> FakeInstance:
    """The instance at noon."""
    return FakeInstance(NOON)


@pytest.fixture
def provider() -> AskedProvider:
    """A provider that knows the bidder."""
    return AskedProvider(standing="good", debt_uzs=0)


@pytest.fixture
async def gateway(instance, clock, provider) -> MemoryGateway:
    """A gateway to which the bidder's consent was given; its trail is empty again."""
    gateway = MemoryGateway(instance, clock, provider)
    await gateway.consents.give(gateway.sender(), parse_consent_request(consent_body()))
    gateway.audit.entries.clear()
    return gateway


async def test_each_step_comes_after_the_one_before(gateway, provider):
    """The provider is asked once the decision is on the trail; data are answered once the outcome is."""
    trail_when_asked = []

    async def look():
        trail_when_asked.extend(entry.kind for entry in gateway.audit.entries)

    provider.before = look
    released = await gateway.lookups.answer(gateway.sender(), lookup_body())
    assert trail_when_asked == [EntryKind.LOOKUP_DECIDED]
    assert [entry.kind for entry in gateway.audit.entries] == [EntryKind.LOOKUP_DECIDED, EntryKind.LOOKUP_COMPLETED]
    assert released.data == {"standing": "good"}
    assert released.receipt["document"] == gateway.audit.entries[-1].content()


async def test_the_entries_say_what_was_used(gateway, provider):
    """Consumer, provider, purpose, basis, fields, digests and transaction are on the trail."""
    sender = gateway.sender()
    await gateway.lookups.answer(sender, lookup_body())
    decided, completed = gateway.audit.entries
    assert (decided.decision, completed.decision) == ("permit", "released")
    for entry in (decided, completed):
        assert (entry.consumer, entry.provider, entry.service) == (PROCUREMENT, TAX, TAX_STANDING)
        assert (entry.purpose, entry.basis, entry.fields) == ("tender-eligibility", "consent", ("standing",))
        assert entry.individual == Identifier("uz-tin", TIN).pseudonym(PEPPER)
        assert entry.transaction_id == sender.transaction_id
        assert len(entry.request_digest) == len(entry.consent_digest) == 64
    assert (decided.response_digest, completed.response_digest) == (None, "e" * 64)


async def test_no_entry_holds_an_identifier_or_a_value(gateway):
    """Neither the individual's number nor what was answered is anywhere on the trail."""
    await gateway.lookups.answer(gateway.sender(), lookup_body())
    for entry in gateway.audit.entries:
        assert TIN.encode() not in entry.encode()
        assert b"good" not in entry.encode()
        assert b"tender 17" not in entry.encode()


async def test_nobody_is_asked_unless_the_decision_is_durable(gateway, provider):
    """With a trail that cannot be written, a permitted lookup is refused and the provider hears nothing."""
    gateway.audit.fail_from = 0
    with pytest.raises(AuditError) as caught:
        await gateway.lookups.answer(gateway.sender(), lookup_body())
    assert (caught.value.code, caught.value.retriable) == ("audit_unavailable", True)
    assert provider.questions == []


async def test_nothing_is_released_unless_the_outcome_is_durable(gateway, provider):
    """When the trail fails after the provider answered, the data stay in the gateway."""
    gateway.audit.fail_from = 1
    with pytest.raises(AuditError):
        await gateway.lookups.answer(gateway.sender(), lookup_body())
    assert len(provider.questions) == 1


async def test_a_denial_leaves_its_entry_and_answers_its_receipt(gateway, provider):
    """Denied lookups are on the trail before they are answered."""
    with pytest.raises(AccessDenied) as caught:
        await gateway.lookups.answer(gateway.sender(), lookup_body(fields=["standing", "debt_uzs"]))
    (entry,) = gateway.audit.entries
    assert (entry.kind, entry.decision, entry.basis) == (EntryKind.LOOKUP_DECIDED, "consent_field_not_given", None)
    assert caught.value.receipt["document"] == entry.content()
    assert provider.questions == []


async def test_a_denial_that_cannot_be_recorded_is_refused_as_such(gateway):
    """Without a trail not even the denial's reason is answered."""
    gateway.audit.fail_from = 0
    with pytest.raises(AuditError):
        await gateway.lookups.answer(gateway.sender(), lookup_body(purpose="curiosity"))


async def test_a_failure_at_the_provider_is_an_outcome(gateway, provider):
    """What failed is on the trail, and its receipt goes with the error."""
    provider.failure = LookupFailed("no answer", code="provider_timeout")
    with pytest.raises(LookupFailed) as caught:
        await gateway.lookups.answer(gateway.sender(), lookup_body())
    completed = gateway.audit.entries[-1]
    assert (completed.kind, completed.decision) == (EntryKind.LOOKUP_COMPLETED, "provider_timeout")
    assert completed.response_digest is None
    assert caught.value.receipt["document"] == completed.content()


async def test_a_lookup_that_is_broken_off_releases_nothing(gateway, provider):
    """Cancelled while the provider answers: the trail has the permit and no outcome, and there is no answer."""
    asked = asyncio.Event()

    async def hang():
        asked.set()
        await asyncio.Event().wait()

    provider.before = hang
    lookup = asyncio.create_task(gateway.lookups.answer(gateway.sender(), lookup_body()))
    await asked.wait()
    lookup.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lookup
    assert [entry.kind for entry in gateway.audit.entries] == [EntryKind.LOOKUP_DECIDED]


async def test_many_at_once_cannot_pass_a_cap(gateway, provider):
    """Of ten lookups at the same moment, a cap of two lets two through."""
    body = lookup_body(purpose="capped")
    results = await asyncio.gather(
        *(gateway.lookups.answer(gateway.sender(), body) for _ in range(10)), return_exceptions=True
    )
    codes = [result.code for result in results if isinstance(result, AccessDenied)]
    assert codes == ["cap_exceeded"] * 8
    assert len(provider.questions) == 2


async def test_a_permit_that_left_no_trace_uses_up_no_cap(gateway):
    """While the trail is away, retries do not eat the individual's day."""
    gateway.audit.fail_from = 0
    for _ in range(5):
        with pytest.raises(AuditError):
            await gateway.lookups.answer(gateway.sender(), lookup_body(purpose="capped"))
    gateway.audit.fail_from = None
    assert (await gateway.lookups.answer(gateway.sender(), lookup_body(purpose="capped"))).data


async def test_a_withdrawal_holds_for_the_next_lookup(gateway):
    """From the moment a withdrawal is answered, lookups are denied."""
    asked = parse_consent_request(consent_body()).selector
    await gateway.consents.withdraw(gateway.sender(), asked)
    with pytest.raises(AccessDenied) as caught:
        await gateway.lookups.answer(gateway.sender(), lookup_body())
    assert caught.value.code == "consent_withdrawn"


async def test_a_stale_view_denies(gateway, clock):
    """When the consents cannot be followed any more, nothing that rests on them is given."""
    gateway.topic.is_down = True
    gateway.topic.current_at()
    clock.move(seconds=6)
    with pytest.raises(AccessDenied) as caught:
        await gateway.lookups.answer(gateway.sender(), lookup_body())
    assert caught.value.code == "consent_view_stale"


async def test_an_expired_directory_denies_everything(gateway, instance, clock):
    """Past the directory's expiry, the decision is no, and it is recorded."""
    instance.edit(lambda content: content.update(expires="2026-11-22T12:00:00Z"))
    with pytest.raises(AccessDenied) as caught:
        await gateway.lookups.answer(gateway.sender(), lookup_body())
    assert caught.value.code == "directory_expired"
    assert gateway.audit.entries[-1].decision == "directory_expired"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\xff\xff",
        b"null",
        lookup_body(service="not a service"),
        lookup_body(individual={"scheme": "uz-pinfl", "value": TIN}),
        lookup_body(individual={"scheme": TIN, "value": TIN}),
        lookup_body(individual={"scheme": "uz-tin", "value": ""}),
        lookup_body(individual=TIN),
        lookup_body(fields=[]),
        lookup_body(fields=["standing; drop table"]),
        lookup_body(purpose="A Purpose"),
        lookup_body(case_reference=""),
        lookup_body(surprise=1),
    ],
)
async def test_a_malformed_request_asks_nobody_and_says_where(gateway, provider, body):
    """What does not parse is refused with the place, leaves no entry, and its values are not repeated."""
    with pytest.raises(ExchangeError) as caught:
        await gateway.lookups.answer(gateway.sender(), body)
    assert caught.value.code == "request_malformed"
    assert TIN not in caught.value.message
    assert gateway.audit.entries == []
    assert provider.questions == []


async def test_a_service_without_an_address_is_unreachable(gateway, instance, provider):
    """An agreement on a service that the directory no longer has ends as an outcome, not as a crash."""
    instance.edit(lambda content: instance.subsystem(content, TAX).update(services=[]))
    with pytest.raises(LookupFailed) as caught:
        await gateway.lookups.answer(gateway.sender(), lookup_body())
    assert (caught.value.code, caught.value.hop) == ("provider_unreachable", "provider")
    assert gateway.audit.entries[-1].decision == "provider_unreachable"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"fields": ["legal_name"]}, "field_not_agreed"),
        ({"purpose": "curiosity"}, "purpose_not_agreed"),
        ({"purpose": "capped"}, "consent_not_needed"),
        ({"service": RESIDENCE, "individual": {"scheme": "uz-pinfl", "value": "3"}}, "agreement_missing"),
        ({"language": "?"}, "consent_invalid"),
        ({"valid_until": "2026-11-22T12:00:00Z"}, "consent_invalid"),
    ],
)
async def test_nobody_consents_beyond_the_agreement(gateway, change, code):
    """A consent to what was not agreed, or that says nothing, is refused and leaves nothing."""
    before = len(gateway.topic.documents)
    with pytest.raises(ExchangeError) as caught:
        await gateway.consents.give(gateway.sender(), parse_consent_request(consent_body(**change)))
    assert caught.value.code == code
    assert len(gateway.topic.documents) == before
    assert gateway.audit.entries == []


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        consent_body(valid_until="tomorrow"),
        consent_body(consumer="nobody"),
        consent_body(service="no.topic"),
        consent_body(individual={"scheme": "uz-pinfl", "value": TIN}),
        msgspec.json.encode({"individual": {"scheme": "uz-tin", "value": TIN}}),
    ],
)
async def test_a_malformed_consent_says_where(gateway, body):
    """What is not a consent request is refused, and its values are not repeated."""
    with pytest.raises(ExchangeError) as caught:
        await gateway.consents.give(gateway.sender(), parse_consent_request(body))
    assert caught.value.code == "request_malformed"
    assert TIN not in caught.value.message


@pytest.mark.parametrize("act", ["give", "withdraw", "pause", "resume"])
async def test_only_the_consumer_and_the_gateways_agency_change_a_consent(gateway, act):
    """Another agency changes no consents that are not its own."""
    asked = parse_consent_request(consent_body())
    with pytest.raises(AccessDenied) as caught:
        await getattr(gateway.consents, act)(gateway.sender(TAX), asked if act == "give" else asked.selector)
    assert caught.value.code == "caller_not_allowed"


async def test_only_the_consumer_and_the_gateways_agency_see_a_consent(gateway):
    """Another agency does not learn whether there is a consent."""
    with pytest.raises(AccessDenied) as caught:
        gateway.consents.show(gateway.sender(TAX), parse_consent_request(consent_body()).selector)
    assert caught.value.code == "caller_not_allowed"


async def test_the_gateways_own_agency_records_consents(gateway, instance):
    """The e-government centre may record what an individual told it, and is named as the way it came."""
    changed = await gateway.consents.give(gateway.sender(instance.gateway), parse_consent_request(consent_body()))
    assert changed.consent.record.given_through == instance.gateway


async def test_a_change_of_consent_is_on_the_trail_before_it_holds(gateway):
    """Where the trail cannot be written the consent stays as it is."""
    asked = parse_consent_request(consent_body()).selector
    gateway.audit.fail_from = 0
    with pytest.raises(AuditError):
        await gateway.consents.withdraw(gateway.sender(), asked)
    gateway.audit.fail_from = None
    assert (await gateway.lookups.answer(gateway.sender(), lookup_body())).data == {"standing": "good"}


async def test_a_consents_entry_names_its_document(gateway):
    """The entry has the state, the fields, the pseudonym and the digest of the signed record; never the number."""
    asked = parse_consent_request(consent_body())
    changed = await gateway.consents.give(gateway.sender(), asked)
    entry = gateway.audit.entries[-1]
    assert (entry.kind, entry.decision, entry.fields) == (EntryKind.CONSENT_CHANGED, "given", ("standing",))
    assert entry.consent_digest == changed.consent.digest
    assert TIN.encode() not in entry.encode()
    released = await gateway.lookups.answer(gateway.sender(), lookup_body())
    assert released.receipt["document"]["consent_digest"] == changed.consent.digest
