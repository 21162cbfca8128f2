"""Endpoints that only agencies may call, over real HTTP."""

from __future__ import annotations

from contextlib import asynccontextmanager

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.clock import SystemClock
from exchange.errors import AccessDenied, RequestRefused
from exchange.ids import uuid7
from exchange.transport.http import HttpClient, HttpRequest, TransactionWindow, sign_request, verify_response
from exchange.transport.web import SignedEndpoints, free_port, http_request, serve
from tests.fakes.instance import GATEWAY, PROCUREMENT, FakeInstance
from tests.fakes.moving_clock import MovingClock


class Endpoint:
    """An endpoint that answers who called, and its callers."""

    def __init__(self, http: HttpClient) -> None:
        self.clock = MovingClock(follows=True)
        self.instance = FakeInstance(SystemClock().now())
        self.listen = f"127.0.0.1:{free_port()}"
        self.http = http
        self.fails: Exception | None = None
        self.calls = 0

    @asynccontextmanager
    async def served(self):
        """While it answers."""
        signed = SignedEndpoints(
            "gateway",
            self.instance.directory,
            self.instance.credentials(GATEWAY),
            self.clock,
            TransactionWindow(self.clock.now()),
        )
        app = Starlette(routes=[Route("/who", signed(self._answer), methods=["POST"])])
        async with serve(app, self.listen):
            yield

    async def _answer(self, call):
        self.calls += 1
        if self.fails is not None:
            raise self.fails
        return Response(f"{call.sender.agency} {call.body.decode()}")

    def signed(self, body: bytes = b"hello", transaction_id: str | None = None) -> dict[str, str]:
        """Headers of a request that procurement signed."""
        request = HttpRequest("POST", self.listen, "/who", "", {}, body)
        credentials = self.instance.credentials(PROCUREMENT)
        return sign_request(request, transaction_id or uuid7(), credentials, self.clock.now())

    async def send(self, headers: dict[str, str], body: bytes = b"hello"):
        """Send exactly that."""
        return await self.http.send("POST", f"http://{self.listen}/who", body, headers)

    async def refused(self, headers: dict[str, str], body: bytes = b"hello") -> dict:
        """The problem of a refusal, 401 in every case."""
        answer = await self.send(headers, body)
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"
        return msgspec.json.decode(answer.body)

    def verify(self, answer, headers: dict[str, str]) -> None:
        """That the endpoint's agency signed this answer to that request."""
        directory, now = self.instance.directory(), self.clock.now()
        verify_response(answer.status, answer.headers, answer.body, headers, GATEWAY, directory, now)


@pytest.fixture
async def endpoint():
    """An endpoint, served."""
    async with HttpClient() as http:
        endpoint = Endpoint(http)
        async with endpoint.served():
            yield endpoint


async def test_a_handler_knows_who_calls(endpoint):
    """The sender comes from the signature; the answer is signed for that very request."""
    headers = endpoint.signed()
    answer = await endpoint.send(headers)
    assert (answer.status, answer.body) == (200, b"UZ/GOV/procurement/tenders hello")
    endpoint.verify(answer, headers)


async def test_a_replayed_request_is_refused(endpoint):
    """The same transaction id a second time is a 401 with its code, and the handler is not asked again."""
    headers = endpoint.signed()
    await endpoint.send(headers)
    problem = await endpoint.refused(headers)
    assert problem["code"] == "transaction_replayed"
    assert problem["transaction_id"] == headers["x-transaction-id"]
    assert endpoint.calls == 1


async def test_an_altered_body_is_refused(endpoint):
    """One byte more, and the handler never sees it."""
    assert (await endpoint.refused(endpoint.signed(), b"hello!"))["code"] == "digest_mismatch"
    assert endpoint.calls == 0


async def test_an_unsigned_request_is_refused(endpoint):
    """Nobody is nobody."""
    assert (await endpoint.refused({}))["code"] == "transaction_missing"


async def test_a_clock_five_minutes_off_is_refused_and_told(endpoint):
    """The refusal says how far the clocks are apart."""
    headers = endpoint.signed()
    endpoint.clock.move(minutes=5)
    problem = await endpoint.refused(headers)
    assert problem["code"] == "created_outside_window"
    assert "300 s" in problem["detail"] or "301 s" in problem["detail"]


async def test_refusals_are_signed_too(endpoint):
    """A refusal is the endpoint's own word, not somebody's in between."""
    headers = endpoint.signed()
    endpoint.fails = AccessDenied("no", code="consent_missing")
    answer = await endpoint.send(headers)
    assert answer.status == 403
    endpoint.verify(answer, headers)


async def test_a_failure_of_ours_tells_nothing(endpoint):
    """An unforeseen error is a signed 500 that has neither its text nor a stack."""
    headers = endpoint.signed()
    endpoint.fails = RuntimeError("the pepper is 1234")
    answer = await endpoint.send(headers)
    assert answer.status == 500
    assert b"1234" not in answer.body
    assert msgspec.json.decode(answer.body)["code"] == "internal"
    endpoint.verify(answer, headers)


async def test_a_body_too_large_is_refused(endpoint):
    """Past a mebibyte nothing is read any more."""
    body = b"x" * ((1 << 20) + 1)
    answer = await endpoint.send(endpoint.signed(body), body)
    assert answer.status == 413


def scope(*headers: tuple[bytes, bytes], path: str = "/a b", query: bytes = b"x=1") -> Request:
    """A request as the server hands it over."""
    raw = path.replace(" ", "%20").encode()
    return Request(
        {"type": "http", "method": "POST", "path": path, "raw_path": raw, "query_string": query, "headers": headers}
    )


def test_what_a_signature_covers_is_taken_raw():
    """Path and query are as they were sent, not as they were decoded."""
    request = http_request(scope((b"host", b"gateway.example")), b"body")
    assert (request.method, request.authority, request.path, request.query) == (
        "POST",
        "gateway.example",
        "/a%20b",
        "x=1",
    )


def test_a_header_sent_twice_is_not_read_twice_differently():
    """Two values are one combined value (RFC 9110): no reader can take the first where another takes the last."""
    request = http_request(scope((b"x-transaction-id", b"one"), (b"x-transaction-id", b"two")), b"")
    assert request.headers["x-transaction-id"] == "one, two"


async def test_a_second_transaction_id_is_refused(endpoint):
    """A request with two transaction ids is refused, whichever of them was signed."""
    transaction = uuid7()
    headers = {**endpoint.signed(transaction_id=transaction), "X-Transaction-Id": f"{transaction}, {transaction}"}
    headers.pop("x-transaction-id")
    assert (await endpoint.refused(headers))["code"] == "transaction_missing"


async def test_a_client_refuses_an_answer_from_elsewhere(endpoint):
    """Asked of the gateway, answered by it: another agency's name on the expectation is refused."""
    with pytest.raises(RequestRefused):
        await endpoint.http.send_signed(
            "POST",
            f"http://{endpoint.listen}/who",
            b"hello",
            endpoint.instance.credentials(PROCUREMENT),
            uuid7(),
            endpoint.clock,
            answering=(PROCUREMENT, endpoint.instance.directory()),
        )
