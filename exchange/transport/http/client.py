"""The one door to other processes over HTTP: plain requests, and requests signed and answered by agencies."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from exchange.clock import Clock
from exchange.ids import AgencyId
from exchange.transport.http.response import HttpResponse
from exchange.transport.http.signatures import Credentials, HttpRequest, authority_of, sign_request, verify_response
from exchange.trust import Directory

if TYPE_CHECKING:  # imported where it is first needed
    from exchange.transport.http.pool import Pool


class HttpClient:
    """A pool of connections; an async context manager.

    `trust` is the TLS context to verify peers with; None for the system's. Redirects are never followed. An answer
    has at most `limit` bytes.
    """

    def __init__(self, timeout: float = 10.0, trust: ssl.SSLContext | None = None, limit: int = 16 << 20) -> None:
        self._settings = timeout, trust, limit
        self._opened: Pool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.close()

    async def send(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """The answer. A header `host` goes out in place of the address's own.

        Raises PeerUnreachable, naming the address, where no whole answer came.
        Its code is `peer_timeout` where it did not come in time, `answer_too_large` where it has too many bytes.
        """
        return await self._pool().send(method, url, body, headers or {})

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

    def _pool(self) -> Pool:
        if self._opened is None:
            # Nine megabytes that a process does without until it has something to ask.
            from exchange.transport.http.pool import Pool

            self._opened = Pool(*self._settings)
        return self._opened
