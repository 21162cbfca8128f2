"""Lookups and consents through a served gateway: real HTTP, a real Kafka, a real provider."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from exchange.audit import AuditRecord, EntryKind, Receipt, audit_topic, verify_entry
from exchange.clock import format_micros
from exchange.consent import DENIALS, State
from exchange.errors import (
    AccessDenied,
    AuditError,
    ConsentError,
    LookupFailed,
    PeerUnreachable,
    RequestRefused,
    TransportError,
)
from exchange.gateway import GatewayContext, GatewayService
from exchange.transport.kafka import PartitionConsumer
from exchange.transport.web import free_port
from tests.fakes.audit_trail import MemoryAuditTrail
from tests.fakes.instance import PROCUREMENT, SOCIAL, TAX
from tests.fakes.moving_clock import MovingClock

PROCESS = Path(__file__).with_name("gateway_process.py")


async def denied(lookup) -> str:
    """The code by which a lookup is denied; every denial has a receipt."""
    with pytest.raises(AccessDenied) as caught:
        await lookup
    assert caught.value.receipt["type"] == "exchange-receipt-v1"
    return caught.value.code


async def entries(world):
    """What the audit topic has, verified."""
    found = []
    async with PartitionConsumer(world.bootstrap) as consumer:
        places = await consumer.partitions(audit_topic(world.gateway))
        consumer.assign(places)
        (end,) = (await consumer.end_offsets(places)).values()
        while len(found) < end:
            for polled in await consumer.poll(seconds=1.0, limit=1000):
                found += [AuditRecord.parse(record.value) for record in polled.records]
    return [verify_entry(record, world.instance.directory()).entry for record in found]


async def current(service) -> None:
    """Wait until the consents are known to be up to date (after the clock was moved)."""
    async with asyncio.timeout(10):
        while service.not_ready() is not None:
            await asyncio.sleep(0.02)


async def test_the_story_of_a_bidder(world):
    """Denied without consent, permitted with it, denied a field more, denied from the withdrawal on."""
    async with world.running():
        assert await denied(world.look_up()) == "consent_missing"
        given = await world.give("standing")
        assert (given.record.history[-1].state, given.content["state"]) == (State.GIVEN, "given")
        found = await world.look_up()
        assert found.data == {"standing": "good"}
        assert await denied(world.look_up("standing", "debt_uzs")) == "consent_field_not_given"
        await world.client().withdraw_consent(world.about())
        assert await denied(world.look_up()) == "consent_withdrawn"
    kinds = [(entry.kind, entry.decision) for entry in await entries(world)]
    assert kinds == [
        (EntryKind.LOOKUP_DECIDED, "consent_missing"),
        (EntryKind.CONSENT_CHANGED, "given"),
        (EntryKind.LOOKUP_DECIDED, "permit"),
        (EntryKind.LOOKUP_COMPLETED, "released"),
        (EntryKind.LOOKUP_DECIDED, "consent_field_not_given"),
        (EntryKind.CONSENT_CHANGED, "withdrawn"),
        (EntryKind.LOOKUP_DECIDED, "consent_withdrawn"),
    ]


async def test_a_statute_permits_without_consent_and_is_recorded_all_the_same(world):
    """Social protection reads a residence under its law; the receipt names the law."""
    async with world.running():
        found = await world.look_up_resident("region_code", "district_code")
    assert found.data == {"region_code": "26", "district_code": "1703"}
    receipt = Receipt.parse(msgspec.json.encode(found.receipt))
    entry = verify_entry(receipt.record, world.instance.directory()).entry
    assert (entry.consumer, entry.basis) == (SOCIAL, "statute: Law on social protection, art. 9")
    assert entry.transaction_id == found.transaction_id
    assert world.providers[entry.provider].grants[0]["authorization_details"][0]["basis"] == entry.basis


async def test_every_denial_reaches_the_consumer_by_its_code(world):
    """Each rule of the decision, broken one at a time, is answered by its code over HTTP, with a receipt."""
    seen = {}
    instance = world.instance

    def suspend(status):
        instance.edit(lambda content: instance.member(content, TAX).update(status=status))

    def agree_until(moment):
        agreement = {"valid_until": format_micros(moment)}
        instance.edit(lambda content: instance.subsystem(content, TAX)["agreements"][0].update(agreement))

    async with world.running() as service:
        later = world.clock.now() + timedelta(days=300)
        seen["agency_unknown"] = await denied(world.look_up(service="UZ/GOV/nobody/there/service"))
        suspend("suspended")
        seen["agency_suspended"] = await denied(world.look_up())
        suspend("active")
        seen["agreement_missing"] = await denied(world.look_up(service="UZ/GOV/tax/registry/other"))
        agree_until(world.clock.now())
        seen["agreement_expired"] = await denied(world.look_up())
        agree_until(later)
        seen["purpose_not_agreed"] = await denied(world.look_up(purpose="curiosity"))
        seen["field_not_agreed"] = await denied(world.look_up("legal_name"))
        for _ in range(2):
            await world.look_up(purpose="capped")
        seen["cap_exceeded"] = await denied(world.look_up(purpose="capped"))
        seen["consent_missing"] = await denied(world.look_up())
        await world.give("standing", hours=0.1)
        seen["consent_field_not_given"] = await denied(world.look_up("debt_uzs"))
        await world.client().pause_consent(world.about())
        seen["consent_paused"] = await denied(world.look_up())
        await world.client().resume_consent(world.about())
        assert (await world.look_up()).data == {"standing": "good"}
        world.clock.move(minutes=8)
        seen["consent_view_stale"] = await denied(world.look_up())
        await current(service)
        seen["consent_expired"] = await denied(world.look_up())
        await world.give("standing")
        await world.client().withdraw_consent(world.about())
        seen["consent_withdrawn"] = await denied(world.look_up())
    assert seen == {code: code for code in DENIALS if code != "directory_expired"}


async def test_an_expired_directory_denies_everybody(world):
    """Past the expiry nobody is authenticated any more, and the answer says why."""
    async with world.running():
        world.instance.edit(lambda content: content.update(expires=format_micros(world.clock.now())))
        with pytest.raises(Exception, match="expired"):
            await world.look_up()


async def test_a_provider_is_never_asked_without_a_durable_entry(world):
    """With an audit trail that cannot be written, lookups are refused as such and no provider hears of them."""
    audit = MemoryAuditTrail()
    async with world.running(audit):
        await world.give("standing")
        audit.fail_from = 1
        with pytest.raises(AuditError) as caught:
            await world.look_up()
        assert (caught.value.code, caught.value.retriable) == ("audit_unavailable", True)
        with pytest.raises(AuditError):
            await world.client().withdraw_consent(world.about())
        assert world.provider.grants == []
        audit.fail_from = None
        assert (await world.look_up()).data == {"standing": "good"}


async def test_failures_of_the_provider_are_answered_and_recorded(world):
    """A provider that misbehaves or is silent: its code, its hop and a receipt reach the consumer."""
    codes = []
    async with world.running():
        await world.give("standing")
        never = asyncio.Event()
        for behave in (
            lambda data: {**data, "owner": "x"},
            lambda data: b"[]",
            lambda data: _forever(never, data),
            lambda data: LookupFailed("nobody", code="individual_not_found"),
        ):
            world.provider.behave = behave
            with pytest.raises(LookupFailed) as caught:
                await world.look_up()
            codes.append(caught.value.code)
            assert caught.value.hop == "provider"
            assert caught.value.receipt is not None
        never.set()
    recorded = [entry.decision for entry in await entries(world) if entry.kind is EntryKind.LOOKUP_COMPLETED]
    assert (
        codes
        == recorded
        == [
            "provider_fields_beyond_grant",
            "provider_answer_invalid",
            "provider_timeout",
            "individual_not_found",
        ]
    )


async def _forever(event, data):
    await event.wait()
    return data


async def test_a_restart_keeps_consents_and_caps(world):
    """A gateway started anew knows the consents, and how much of a cap is used."""
    async with world.running():
        await world.give("standing")
        await world.look_up(purpose="capped")
    async with world.running():
        assert (await world.look_up()).data == {"standing": "good"}
        await world.look_up(purpose="capped")
        assert await denied(world.look_up(purpose="capped")) == "cap_exceeded"
    async with world.running():
        assert await denied(world.look_up(purpose="capped")) == "cap_exceeded"
        assert (await world.client().show_consent(world.about())).content["state"] == "given"


async def test_killed_in_the_middle_nothing_is_released_and_nothing_forgotten(world):
    """SIGKILL while the provider answers: no data, the permit on the trail, consents and caps as before."""
    asked, release = asyncio.Event(), asyncio.Event()

    async def hang(data):
        asked.set()
        await release.wait()
        return data

    process = await _start_process(world)
    try:
        await world.give("standing")
        world.provider.behave = hang
        lookup = asyncio.create_task(world.look_up(purpose="capped"))
        await asyncio.wait_for(asked.wait(), 10)
    finally:
        process.kill()
        await process.wait()
    with pytest.raises(PeerUnreachable):
        await lookup
    release.set()
    world.provider.behave = None
    assert [entry.decision for entry in await entries(world)] == ["given", "permit"]
    async with world.running():
        assert (await world.look_up()).data == {"standing": "good"}
        await world.look_up(purpose="capped")
        assert await denied(world.look_up(purpose="capped")) == "cap_exceeded"


async def _start_process(world) -> asyncio.subprocess.Process:
    payload = msgspec.json.encode(world.instance.content)
    given = {
        "bootstrap": world.bootstrap,
        "directory": payload.decode(),
        "digest": hashlib.sha256(payload).hexdigest(),
        "agency": str(world.gateway),
        "seed": world.instance.seeds[world.gateway].hex(),
        "pepper": world.context().pepper.decode(),
        "consent_topic": world.consent_topic,
        "listen": world.url.removeprefix("http://"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROCESS), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    process.stdin.write(msgspec.json.encode(given))
    process.stdin.close()
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"serving\n"
    return process


async def test_consents_over_http(world):
    """Given, shown, paused, resumed, withdrawn; each answer is the record as it now stands, changes with receipts."""
    client = world.client()
    async with world.running():
        with pytest.raises(ConsentError) as caught:
            await client.show_consent(world.about())
        assert caught.value.code == "consent_not_found"
        given = await world.give("standing", "debt_uzs")
        shown = await client.show_consent(world.about())
        assert (shown.record, shown.digest, shown.receipt) == (given.record, given.digest, None)
        assert given.receipt is not None
        assert (await client.pause_consent(world.about())).content["state"] == "paused"
        assert (await client.resume_consent(world.about())).content["state"] == "given"
        withdrawn = await client.withdraw_consent(world.about())
        again = await client.withdraw_consent(world.about())
        assert (again.digest, again.receipt) == (withdrawn.digest, None)
        with pytest.raises(ConsentError) as caught:
            await client.resume_consent(world.about())
        assert caught.value.code == "consent_transition_illegal"
        with pytest.raises(ConsentError) as caught:
            await world.give("legal_name")
        assert caught.value.code == "field_not_agreed"
        with pytest.raises(AccessDenied) as caught_other:
            await world.client(SOCIAL).show_consent(world.about())
        assert caught_other.value.code == "caller_not_allowed"


async def test_a_clock_five_minutes_off_is_told_how_far(world):
    """A consumer whose clock is wrong is refused, and learns by how much."""
    slow = MovingClock(follows=True)
    slow.move(minutes=-5)
    async with world.running():
        with pytest.raises(RequestRefused, match=r"(299|300|301) s") as caught:
            await world.client(PROCUREMENT, slow).show_consent(world.about())
    assert caught.value.code == "created_outside_window"


async def test_readiness_and_metrics(world):
    """The gateway says when it is ready, and counts by service and outcome."""
    async with world.running() as service:
        assert service.not_ready() is None
        assert (await world.http.send("GET", world.url + "/readyz")).status == 200
        await denied(world.look_up())
        await denied(world.look_up(service="UZ/GOV/nobody/there/service"))
        await world.give("standing")
        await world.look_up()
        text = (await world.http.send("GET", world.url + "/metrics")).body.decode()
    assert 'exchange_lookups_total{outcome="consent_missing",service="UZ/GOV/tax/registry/tax-standing"}' in text
    assert 'exchange_lookups_total{outcome="permitted",service="UZ/GOV/tax/registry/tax-standing"}' in text
    assert 'exchange_lookups_total{outcome="agency_unknown",service="unknown"}' in text
    assert 'exchange_consent_changes_total{state="given"}' in text
    assert "exchange_consent_view_age_seconds" in text
    assert "exchange_lookup_seconds_bucket" in text
    assert "301234567" not in text


async def test_a_kafka_that_is_not_there_is_said_at_the_start(world):
    """A gateway without Kafka does not start, and the message names the address."""
    world.bootstrap = f"127.0.0.1:{free_port()}"
    service = GatewayService(world.context())
    with pytest.raises(TransportError, match=world.bootstrap):
        await service.__aenter__()
    assert service.not_ready() is not None
    with pytest.raises(RuntimeError):
        assert service.app


def test_the_context_keeps_the_pepper_out_of_its_text(world_context):
    """Printing what a gateway was given does not print the instance's pepper."""
    assert "pepper of the tests" not in repr(world_context)


@pytest.fixture
def world_context() -> GatewayContext:
    """A context whose parts do not matter."""
    return GatewayContext("b", None, None, b"pepper of the tests", None, None, None)
