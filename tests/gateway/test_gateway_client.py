"""The client believes only what its gateway signed for it: everything in between is tried here."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.clock import SystemClock
from exchange.errors import (
    AccessDenied,
    AuditUnavailable,
    ConsentError,
    DocumentInvalid,
    ExchangeError,
    PeerUnreachable,
    RequestRefused,
    SettingsError,
)
from exchange.gateway import ConsentSubject, GatewayClient
from exchange.ids import Identifier
from exchange.transport.http import Credentials, HttpClient, TransactionWindow, content_digest
from exchange.transport.web import SignedEndpoints, free_port, serve
from exchange.trust import SigningKey
from tests.fakes.asked_provider import AskedProvider
from tests.fakes.gateway_in_memory import TIN, MemoryGateway
from tests.fakes.instance import CONSENT_PURPOSE, GATEWAY, PROCUREMENT, TAX, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import MovingClock

BIDDER = Identifier("uz-tin", TIN)
ABOUT = ConsentSubject(BIDDER, PROCUREMENT, TAX_STANDING, CONSENT_PURPOSE)


class Between:
    """A proxy that may change what passes; unchanged, everything holds through it."""

    def __init__(self, http: HttpClient, target: str) -> None:
        self.request = lambda headers, body: (headers, body)
        self.answer = lambda answer: (answer.status, dict(answer.headers), answer.body)
        self.app = Starlette(routes=[Route("/{path:path}", self._pass, methods=["POST"])])
        self._http = http
        self._target = target

    async def _pass(self, request: Request) -> Response:
        body = await request.body()
        keep = ("host", "content-type", "content-digest", "x-transaction-id", "signature", "signature-input")
        headers, body = self.request({name: request.headers[name] for name in keep}, body)
        answer = await self._http.send("POST", self._target + request.url.path, body, headers)
        status, headers, body = self.answer(answer)
        headers.pop("content-length", None)
        headers.pop("date", None)
        return Response(body, status, headers)


class Scene:
    """A consumer, somebody in between, and a gateway."""

    def __init__(self, http: HttpClient) -> None:
        self.http = http
        self.clock = MovingClock(follows=True)
        self.instance = FakeInstance(SystemClock().now())
        self.url = f"http://127.0.0.1:{free_port()}"
        self.behind = f"http://127.0.0.1:{free_port()}"
        self.instance.at_urls(provider="http://127.0.0.1:1", gateway=self.url)
        self.between = Between(http, self.behind)
        self.gateway = MemoryGateway(self.instance, self.clock, AskedProvider(standing="good", debt_uzs=0))

    def client(self, credentials: Credentials | None = None, url: str | None = None) -> GatewayClient:
        """Procurement's client."""
        own = credentials or self.instance.credentials(PROCUREMENT)
        return GatewayClient(self.http, own, self.instance.directory, self.clock, url or self.url)

    async def look_up(self, purpose: str = "capped"):
        """A lookup that is permitted."""
        return await self.client().lookup(TAX_STANDING, BIDDER, purpose, ["standing"], "tender 17")

    async def refused(self) -> str:
        """The code by which the lookup, or its answer, is refused."""
        with pytest.raises(RequestRefused) as caught:
            await self.look_up()
        return caught.value.code


@asynccontextmanager
async def served(app: Starlette, url: str):
    """At that URL."""
    async with serve(app, url.removeprefix("http://")):
        yield


@pytest.fixture
async def scene():
    """All three, served."""
    async with HttpClient() as http:
        scene = Scene(http)
        async with served(scene.gateway.app, scene.behind), served(scene.between.app, scene.url):
            yield scene


async def test_what_passes_unchanged_is_believed(scene):
    """The data, the receipt and the transaction come through a proxy that only forwards."""
    found = await scene.look_up()
    assert found.data == {"standing": "good"}
    assert found.receipt["document"]["transaction_id"] == found.transaction_id


async def test_data_changed_on_the_way_are_not_believed(scene):
    """A taxpayer does not become better on the way back."""
    scene.between.answer = lambda answer: (
        answer.status,
        dict(answer.headers),
        answer.body.replace(b"good", b"best"),
    )
    assert await scene.refused() == "digest_mismatch"


async def test_data_and_digest_changed_on_the_way_are_not_believed(scene):
    """A digest made to fit is not the one that was signed."""

    def change(answer):
        body = answer.body.replace(b"good", b"best")
        return answer.status, {**answer.headers, "content-digest": content_digest(body)}, body

    scene.between.answer = change
    assert await scene.refused() == "signature_invalid"


async def test_a_denial_turned_into_a_permit_is_not_believed(scene):
    """The status is signed, too."""
    scene.between.answer = lambda answer: (200, dict(answer.headers), answer.body)
    with pytest.raises(RequestRefused) as caught:
        await scene.look_up(purpose="curiosity")
    assert caught.value.code == "signature_invalid"


async def test_an_answer_without_signature_is_not_believed(scene):
    """Whoever strips the signature is not heard."""
    scene.between.answer = lambda answer: (answer.status, {}, answer.body)
    assert await scene.refused() == "transaction_missing"


async def test_an_old_answer_is_not_believed(scene):
    """Yesterday's permit does not answer today's question."""
    kept = []

    def replay(answer):
        kept.append((answer.status, dict(answer.headers), answer.body))
        return kept[0]

    scene.between.answer = replay
    await scene.look_up()
    assert await scene.refused() == "transaction_mismatch"


async def test_a_question_changed_on_the_way_is_refused(scene):
    """The gateway answers only what the consumer asked."""
    scene.between.request = lambda headers, body: (headers, body.replace(TIN.encode(), b"300000000"))
    assert await scene.refused() == "digest_mismatch"
    assert scene.gateway.audit.entries == []


async def test_a_question_sent_twice_is_refused(scene):
    """A recorded request cannot be played again."""
    kept = []

    def replay(headers, body):
        kept.append((headers, body))
        return kept[0]

    scene.between.request = replay
    await scene.look_up()
    with pytest.raises(RequestRefused):
        await scene.look_up()
    assert len(scene.gateway.audit.entries) == 2


async def test_another_agencys_answer_is_not_believed(scene):
    """Who runs a server at the gateway's address is not the gateway."""
    instance = scene.instance

    async def answer(call):
        return Response(b'{"data": {"standing": "best"}, "receipt": {}}')

    now = scene.clock.now()
    signed = SignedEndpoints(
        "gateway", instance.directory, instance.credentials(TAX), scene.clock, TransactionWindow(now)
    )
    url = f"http://127.0.0.1:{free_port()}"
    instance.at_urls(provider="http://127.0.0.1:1", gateway=url)
    async with served(Starlette(routes=[Route("/v1/lookups", signed(answer), methods=["POST"])]), url):
        with pytest.raises(RequestRefused) as caught:
            await scene.client(url=url).lookup(TAX_STANDING, BIDDER, "capped", ["standing"], "17")
    assert caught.value.code == "signature_wrong_agency"


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (200, b"[]", DocumentInvalid, "document_invalid"),
        (200, b"\xff", DocumentInvalid, "document_invalid"),
        (403, b"<html>", DocumentInvalid, "document_invalid"),
        (403, b'{"code": "consent_missing"}', AccessDenied, "consent_missing"),
        (503, b'{"code": "consent_view_stale", "retriable": true}', AccessDenied, "consent_view_stale"),
        (503, b'{"code": "audit_unavailable"}', AuditUnavailable, "audit_unavailable"),
        (503, b'{"code": "directory_expired"}', AccessDenied, "directory_expired"),
        (404, b'{"code": "consent_not_found"}', ConsentError, "consent_not_found"),
        (409, b'{"code": "field_not_agreed"}', ConsentError, "field_not_agreed"),
        (400, b'{"code": "request_malformed"}', ExchangeError, "request_malformed"),
        (500, b'{"code": "internal"}', ExchangeError, "internal"),
    ],
)
async def test_every_answer_is_an_error_of_its_kind(scene, status, body, error, code):
    """A problem becomes the error that its code and status belong to; what is no problem is invalid."""
    instance = scene.instance

    async def answer(call):
        return Response(body, status)

    signed = SignedEndpoints(
        "gateway",
        instance.directory,
        instance.credentials(GATEWAY),
        scene.clock,
        TransactionWindow(scene.clock.now()),
    )
    url = f"http://127.0.0.1:{free_port()}"
    instance.at_urls(provider="http://127.0.0.1:1", gateway=url)
    async with served(Starlette(routes=[Route("/v1/consents/show", signed(answer), methods=["POST"])]), url):
        with pytest.raises(ExchangeError) as caught:
            await scene.client(url=url).show_consent(ABOUT)
    assert (type(caught.value), caught.value.code) == (error, code)


async def test_a_consent_comes_back_as_the_record_that_was_signed(scene):
    """What giving answered is what showing answers: one typed record, and its content as it was signed."""
    given = await scene.client().give_consent(
        ABOUT,
        ["standing"],
        language="uz",
        notice_digest="0" * 64,
        valid_until=scene.clock.now() + timedelta(days=365),
    )
    shown = await scene.client().show_consent(ABOUT)
    assert (given.record.key.purpose, given.content["purpose"]) == (CONSENT_PURPOSE, CONSENT_PURPOSE)
    assert (shown.record, shown.content, shown.digest) == (given.record, given.content, given.digest)


async def test_a_gateway_that_the_directory_does_not_have_is_not_called(scene):
    """The message says which gateways there are."""
    with pytest.raises(SettingsError, match=scene.url):
        await scene.client(url="http://elsewhere.example").show_consent(ABOUT)


async def test_a_stranger_is_refused(scene):
    """A key that the directory does not have signs for nobody."""
    stranger = Credentials(PROCUREMENT, SigningKey.generate())
    with pytest.raises(RequestRefused) as caught:
        await scene.client(stranger).show_consent(ABOUT)
    assert caught.value.code == "key_not_valid"


async def test_a_gateway_that_is_down_is_said():
    """Nobody there, with the address."""
    async with HttpClient() as http:
        scene = Scene(http)
        with pytest.raises(PeerUnreachable, match=scene.url):
            await scene.look_up()


async def test_an_error_of_the_gateway_names_no_one(scene):
    """No answer, whatever it says, has the individual's number in it."""
    answers = []

    def keep(answer):
        answers.append(answer.body)
        return answer.status, dict(answer.headers), answer.body

    scene.between.answer = keep
    for purpose in ("curiosity", CONSENT_PURPOSE, "capped"):
        try:
            await scene.look_up(purpose)
        except AccessDenied:
            continue
    assert len(answers) == 3
    assert all(TIN.encode() not in answer for answer in answers)
