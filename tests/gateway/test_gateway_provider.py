"""Asking a provider: a real one over HTTP, well behaved and not."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from exchange.clock import SystemClock
from exchange.errors import ExchangeError, LookupFailed
from exchange.gateway import FAILURES, Grant, Question, sign_grant
from exchange.gateway.provider import HttpProvider
from exchange.ids import Identifier, ServiceId, uuid7
from exchange.transport.http import Credentials, HttpClient
from exchange.transport.web import free_port, serve
from exchange.trust import SigningKey
from tests.fakes.instance import GATEWAY, INTERIOR, PROCUREMENT, TAX, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import MovingClock
from tests.fakes.provider_app import FakeProvider

BIDDER = Identifier("uz-tin", "301234567")
SEEN: set[str] = set()


class Asking:
    """A gateway's side, and a tax registry that can be made to behave otherwise."""

    def __init__(self, http: HttpClient, timeout: float = 5.0) -> None:
        self.clock = MovingClock(follows=True)
        self.instance = FakeInstance(SystemClock().now())
        self.url = f"http://127.0.0.1:{free_port()}"
        self.instance.at_urls(provider=self.url, gateway="http://127.0.0.1:1")
        self.gateway = self.instance.credentials(GATEWAY)
        self.provider = HttpProvider(http, self.gateway, self.instance.directory, self.clock, timeout)

    @asynccontextmanager
    async def served(self, credentials: Credentials | None = None):
        """The tax registry, signing with its own key or with others'."""
        app = FakeProvider(credentials or self.instance.credentials(TAX), self.instance.directory, self.clock)
        async with serve(app.app, self.url.removeprefix("http://")):
            yield app

    async def ask(self, *fields: str, individual: Identifier = BIDDER):
        """Ask for fields of the bidder."""
        service = self.instance.directory().service(ServiceId.parse(TAX_STANDING))
        transaction_id, granted = uuid7(), frozenset(fields or ("standing",))
        grant = Grant(service.id, PROCUREMENT, transaction_id, "tender-eligibility", granted, "consent")
        token = sign_grant(grant, self.gateway, self.clock.now())
        return await self.provider.ask(Question(service, token, individual, granted, transaction_id))

    async def failure(self, *fields: str, individual: Identifier = BIDDER) -> LookupFailed:
        """What asking raises."""
        with pytest.raises(LookupFailed) as caught:
            await self.ask(*fields, individual=individual)
        assert caught.value.hop == "provider"
        assert BIDDER.value not in caught.value.message
        SEEN.add(caught.value.code)
        return caught.value


@pytest.fixture
async def asking():
    """Asks the tax registry."""
    async with AsyncExitStack() as stack:
        yield Asking(await stack.enter_async_context(HttpClient(timeout=10.0)))


async def test_an_answer_is_verified_and_named(asking):
    """The granted fields come back, and the answer has a digest that the trail can keep."""
    async with asking.served() as provider:
        answer = await asking.ask("standing", "debt_uzs")
        assert answer.data == {"standing": "good", "debt_uzs": 0}
        assert len(answer.digest) == 64
        assert provider.grants[0]["sub"] == "UZ/GOV/procurement/tenders"


async def test_fewer_fields_than_granted_are_an_answer(asking):
    """A provider may have nothing to say about a field."""
    async with asking.served() as provider:
        provider.behave = lambda data: {}
        assert (await asking.ask("standing")).data == {}


async def test_a_field_beyond_the_grant_spoils_the_answer(asking):
    """Nothing of an answer is used that has more than was granted; what it had is not repeated."""
    async with asking.served() as provider:
        provider.behave = lambda data: {**data, "owner_pinfl": "31507850010019"}
        failure = await asking.failure()
        assert failure.code == "provider_fields_beyond_grant"
        assert "owner_pinfl" not in failure.message


async def test_nobody_there_is_said(asking):
    """A provider that is down is unreachable, and asking again may help."""
    failure = await asking.failure()
    assert (failure.code, failure.retriable) == ("provider_unreachable", True)


async def test_a_provider_that_hangs_is_given_up():
    """Past its time a provider's answer is not waited for."""
    async with HttpClient(timeout=10.0) as http:
        asking = Asking(http, timeout=0.2)
        released = asyncio.Event()
        async with asking.served() as provider:
            provider.behave = lambda data: _after(released, data)
            failure = await asking.failure()
            released.set()
        assert (failure.code, failure.retriable) == ("provider_timeout", True)


async def test_the_connections_own_time_is_a_timeout_too():
    """Where the client gives up first, the code is the same."""
    async with HttpClient(timeout=0.2) as http:
        asking = Asking(http, timeout=30.0)
        released = asyncio.Event()
        async with asking.served() as provider:
            provider.behave = lambda data: _after(released, data)
            failure = await asking.failure()
            released.set()
        assert failure.code == "provider_timeout"


async def _after(released: asyncio.Event, data):
    await released.wait()
    return data


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"data": []}', b'{"data": {}, "more": 1}', b'{"data": {"standing": ', b"\xff"]
)
async def test_an_answer_of_another_shape_is_invalid(asking, body):
    """Signed or not, what is not `{"data": {…}}` is not used."""
    async with asking.served() as provider:
        provider.behave = lambda data: body
        assert (await asking.failure()).code == "provider_answer_invalid"


@pytest.mark.parametrize("signer", ["another agency", "an unknown key"])
async def test_an_answer_signed_by_another_is_invalid(asking, signer):
    """Only the service's own agency answers for it."""
    other = asking.instance.credentials(INTERIOR)
    wrong = other if signer == "another agency" else Credentials(TAX, SigningKey.generate())
    async with asking.served(wrong):
        assert (await asking.failure()).code == "provider_answer_invalid"


async def test_an_unsigned_answer_is_invalid(asking):
    """A server that is no provider at that address is not believed."""
    async with asking.served():
        directory = asking.instance.directory()
        asking.instance.at_urls(provider=asking.url + "/nowhere", gateway="http://127.0.0.1:1")
        assert asking.instance.directory().version > directory.version
        assert (await asking.failure()).code == "provider_answer_invalid"


async def test_an_unknown_individual_is_not_found(asking):
    """The provider's signed word that it has no such individual is its own code."""
    async with asking.served():
        failure = await asking.failure(individual=Identifier("uz-tin", "999999999"))
        assert (failure.code, failure.retriable) == ("individual_not_found", False)


@pytest.mark.parametrize(
    ("refusal", "code", "tells"),
    [
        (ExchangeError("the table is gone: SELECT 1", code="adapter"), "provider_answer_invalid", "500 (adapter)"),
        (LookupFailed("busy", code="directory_expired"), "provider_unreachable", "(directory_expired)"),
        (ExchangeError("x", code="Not A Code 301234567"), "provider_answer_invalid", "(no code)"),
    ],
)
async def test_a_providers_refusal_is_told_by_its_code_alone(asking, refusal, code, tells):
    """Its text is not passed on: nobody knows what a provider puts there."""
    async with asking.served() as provider:
        provider.behave = lambda data: refusal
        failure = await asking.failure()
        assert failure.code == code
        assert tells in failure.message
        assert "SELECT" not in failure.message


async def test_a_gateway_whose_clock_is_off_learns_so(asking):
    """A grant and request from five minutes ahead are refused, and the failure says it is the clocks."""
    async with asking.served(), HttpClient(timeout=5.0) as http:
        ahead = MovingClock(follows=True)
        ahead.move(minutes=5)
        asking.provider = HttpProvider(http, asking.gateway, asking.instance.directory, ahead, 5.0)
        failure = await asking.failure()
        assert failure.code == "provider_answer_invalid"
        assert "clock" in failure.message


def test_every_failure_has_its_case():
    """The tests above leave out no code that a failed lookup can carry."""
    assert set(FAILURES) == SEEN
