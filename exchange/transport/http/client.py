"""The one door to other processes over HTTP: plain requests, and requests signed and answered by agencies."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import httpx
import httpx_aiohttp
import yarl

from exchange.clock import Clock
from exchange.errors import PeerUnreachable
from exchange.ids import AgencyId
from exchange.transport.http.signatures import Credentials, HttpRequest, authority_of, sign_request, verify_response
from exchange.trust import Directory


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer: status, headers (names in lower case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """A pool of connections; an async context manager.

    `trust` is the TLS context to verify peers with; None for the system's. Redirects are never followed. An answer
    has at most `limit` bytes.
    """

    def __init__(self, timeout: float = 10.0, trust: ssl.SSLContext | None = None, limit: int = 16 << 20) -> None:
        self._limit = limit
        transport = _Transport(verify=trust or True, retries=0)
        self._client = httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """The answer. A header `host` goes out in place of the address's own.

        Raises PeerUnreachable, naming the address, where no whole answer came.
        Its code is `peer_timeout` where it did not come in time, `answer_too_large` where it has too many bytes.
        """
        try:
            async with self._client.stream(method, url, content=body, headers=dict(headers or {})) as answer:
                content = await self._read(answer)
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError) as error:
            raise _unreachable(url, error) from None
        return HttpResponse(
            answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, content
        )

    async def _read(self, answer: httpx.Response) -> bytes:
        content = bytearray()
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > self._limit:
                raise PeerUnreachable(f"the answer has more than {self._limit} bytes", code="answer_too_large")
        return bytes(content)

    async def send_signed(
        self,
        method: str,
        url: str,
        body: bytes,
        credentials: Credentials,
        transaction_id: str,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        answering: tuple[AgencyId, Directory] | None = None,
    ) -> HttpResponse:
        """Sign, send, and verify that `answering` signed the answer to this request (spec 5).

        Raises PeerUnreachable, or RequestRefused where the answer does not verify.
        """
        parts = urlsplit(url)
        request = HttpRequest(method, authority_of(url), parts.path or "/", parts.query, {}, body)
        signed = sign_request(request, transaction_id, credentials, clock.now())
        answer = await self.send(method, url, body, {**(headers or {}), **signed})
        if answering is not None:
            agency, directory = answering
            verify_response(answer.status, answer.headers, answer.body, signed, agency, directory, clock.now())
        return answer


class _Transport(httpx_aiohttp.AiohttpTransport):
    """Sends a path and query as they are: another spelling of them (%3A as :) would not be what was signed."""

    def get_client(self) -> aiohttp.ClientSession:
        session = super().get_client()
        request = session.request
        session.request = lambda method, url, **settings: request(  # type: ignore[method-assign]
            method, yarl.URL(str(url), encoded=True), **settings
        )
        return session


def _unreachable(url: str, error: Exception) -> PeerUnreachable:
    """The transport calls every failed connection a timeout; what caused it knows better."""
    if isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError):
        return PeerUnreachable(f"{_origin(url)} did not answer in time", code="peer_timeout")
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno is not None:
        return PeerUnreachable(f"{_origin(url)} cannot be reached: {os.strerror(abs(cause.errno)).lower()}")
    return PeerUnreachable(f"{_origin(url)} does not speak HTTP: {error or type(error).__name__}")


def _origin(url: str) -> str:
    """Scheme and authority: a path or query may hold what is nobody's business."""
    try:
        return f"{urlsplit(url).scheme}://{authority_of(url)}"
    except ValueError:
        return "the peer"
