"""Connections to other processes: httpx over aiohttp (ADR 9). Imported when the first request goes out."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp
import httpx
import httpx_aiohttp
import yarl

from exchange.errors import PeerUnreachable
from exchange.transport.http.response import HttpResponse
from exchange.transport.http.signatures import authority_of


class Pool:
    """Connections that are kept for the next request. An answer has at most `limit` bytes."""

    def __init__(self, timeout: float, trust: ssl.SSLContext | None, limit: int) -> None:
        self._limit = limit
        transport = _Transport(verify=trust or True, retries=0)
        self._client = httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False)

    async def close(self) -> None:
        """End every connection."""
        await self._client.aclose()

    async def send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """The answer; raises PeerUnreachable as `HttpClient.send` says."""
        try:
            async with self._client.stream(method, url, content=body, headers=dict(headers)) as answer:
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
