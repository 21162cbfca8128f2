"""Endpoints that only agencies may call: the request's signature verified, every answer signed (spec 5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response

from exchange.clock import Clock
from exchange.errors import ExchangeError
from exchange.transport.http import (
    Credentials,
    HttpRequest,
    TransactionWindow,
    VerifiedRequest,
    sign_response,
    verify_request,
)
from exchange.transport.web.problem import problem_response, read_body
from exchange.trust import Directory

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known."""

    sender: VerifiedRequest
    request: Request
    body: bytes


class SignedEndpoints:
    """Wraps handlers `(Call) -> Response` into Starlette endpoints. `hop` names us in problems.

    Every answer to a request that carries a signature and a transaction id is signed, refusals included.
    """

    def __init__(
        self,
        hop: str,
        directory: Callable[[], Directory],
        credentials: Credentials,
        clock: Clock,
        window: TransactionWindow,
    ) -> None:
        self._hop = hop
        self._directory = directory
        self._credentials = credentials
        self._clock = clock
        self._window = window

    def __call__(self, handler: Callable[[Call], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of `handler`; an ExchangeError it raises becomes a problem, anything else a 500 problem."""

        async def endpoint(request: Request) -> Response:
            try:
                answer = await handler(await self.verify(request))
            except ExchangeError as error:
                answer = problem_response(error, self._hop, _transaction_id(request))
            except Exception:
                log.exception("request_failed", path=request.url.path)
                answer = problem_response(_internal(), self._hop, _transaction_id(request))
            return self._sign(request, answer)

        return endpoint

    async def verify(self, request: Request) -> Call:
        """Who calls; raises RequestRefused, DirectoryExpired, or an error of code `body_too_large`."""
        body = await read_body(request)
        now = self._clock.now()
        verified = verify_request(http_request(request, body), self._directory(), now)
        self._window.admit(verified, now)
        return Call(verified, request, body)

    def _sign(self, request: Request, answer: Response) -> Response:
        transaction_id, signature = _transaction_id(request), request.headers.get("signature", "")
        if transaction_id and signature.startswith("exchange="):
            signed = sign_response(
                answer.status_code,
                bytes(answer.body),
                transaction_id,
                signature.removeprefix("exchange="),
                self._credentials,
                self._clock.now(),
            )
            answer.headers.update(signed)
        return answer


def http_request(request: Request, body: bytes) -> HttpRequest:
    """What a signature covers of a Starlette request whose body was read."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():  # one sent twice is one value, joined (RFC 9110, 5.3)
        headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    return HttpRequest(
        method=request.method,
        authority=headers.get("host", ""),
        path=bytes(raw_path).partition(b"?")[0].decode("ascii", "replace"),
        query=bytes(request.scope["query_string"]).decode("ascii", "replace"),
        headers=headers,
        body=body,
    )


def _internal() -> ExchangeError:
    return ExchangeError("the request could not be answered; nothing was released", code="internal")


def _transaction_id(request: Request) -> str | None:
    return request.headers.get("x-transaction-id")
