"""Where a write runs: at the replica that leads. Whoever finds the leader silent takes its place (ADR 16).

    nobody is announced, or this replica ──> here, once this replica leads
    another is announced ──────────────────> forwarded, as it came; its answer goes back once it is applied here
    the other is silent ───────────────────> this replica takes its place, and the write runs here
    another takes over meanwhile ──────────> this replica waits until that one is announced, then as above

What is forwarded is never forwarded again: a replica that no longer leads says so, and the one that asked looks anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import msgspec
import structlog

from exchange.errors import PeerUnreachable, PublisherFenced, TransportError
from exchange.registry.http.answers import Answer, ErrorAnswer
from exchange.registry.http.writes import OFFSET, Execute
from exchange.transport.http import HttpClient, HttpRequest, HttpResponse

log = structlog.get_logger()
FORWARDED = "x-forward"
"""The header of a write that another replica sends here."""
_ATTEMPTS = 4
_LOOK_SECONDS = 0.01
_LEADER_UNKNOWN = 50004
_OFFSET = OFFSET.decode()
_NOT_PASSED_ON = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
    "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip


class Leadership(Protocol):
    """Knows who leads, and can take its place."""

    @property
    def leader(self) -> str | None:
        """The URL that the topic announces."""
        ...

    @property
    def leads(self) -> bool:
        """Whether it is this one, as far as it knows."""
        ...

    @property
    def fenced(self) -> bool:
        """Whether it led until another took over, whose announcement may be under way."""
        ...

    async def claim(self) -> None:
        """Lead, and announce it; raises PublisherFenced where another did at the same time, or TransportError."""
        ...

    async def applied(self, offset: int) -> None:
        """Return once the record at `offset` is applied here."""
        ...


class Replicas:
    """This replica, at `url`, among those of one topic.

    A leader that neither answers nor shows that it lives for `patience` seconds is silent. One that was fenced waits
    `succession` seconds for its successor to be announced.
    """

    def __init__(
        self, service: Leadership, http: HttpClient, url: str, *, patience: float = 2.0, succession: float = 3.0
    ) -> None:
        self._service = service
        self._http = http
        self._url = url
        self._patience = patience
        self._succession_seconds = succession
        self._succession = asyncio.Lock()

    async def write(self, request: HttpRequest, execute: Execute) -> Answer:
        """The answer of whoever leads; raises what `execute` raises.

        Also TransportError of code `leader_unknown` (nothing was written by this), or `forwarding_failed` (the leader
        may have done it).
        """
        if FORWARDED in request.headers:
            return await self._asked(execute)
        for _ in range(_ATTEMPTS):
            leader = await self._leader()
            answer = await (self._here(execute) if self._is_own(leader) else self._there(str(leader), request))
            if answer is not None:
                return answer
        raise _leader_unknown()

    async def _asked(self, execute: Execute) -> Answer:
        """A write that another replica sends: where a third is announced, that one is to be asked."""
        answer = await self._here(execute) if self._is_own(await self._leader()) else None
        if answer is None:
            raise _leader_unknown()
        return answer

    async def _here(self, execute: Execute) -> Answer | None:
        """None where another replica took over before it was written."""
        try:
            return await execute()
        except PublisherFenced:
            return None

    async def _there(self, leader: str, request: HttpRequest) -> Answer | None:
        """None where it is to be tried anew: the leader leads no more, is silent, or the connection broke."""
        try:
            found = await self._send(leader, request)
        except PeerUnreachable as error:
            await self._unanswered(leader, error)
            return None
        if _is_refused_as_follower(found):
            await self._until(lambda: self._service.leader != leader)
            return None
        offset = found.headers.get(_OFFSET, "")
        if found.status < 300 and offset.isdecimal():
            await self._service.applied(int(offset))  # so that its sender reads here what it wrote
        return Answer(found.body, found.status, ((OFFSET, offset.encode()),) if offset.isdecimal() else ())

    async def _leader(self) -> str | None:
        """Who is announced; where that is this replica or nobody, it leads.

        Once fenced it waits for its successor first. Where none is announced in time, that one has died before it
        could be.
        """
        async with self._succession:
            if self._service.fenced:
                await self._until(lambda: not self._is_own(self._service.leader))
            if self._is_own(self._service.leader) and not self._service.leads:
                await self._claim()
        return self._service.leader

    async def _unanswered(self, leader: str, error: PeerUnreachable) -> None:
        if not await self._is_alive(leader):
            async with self._succession:
                if self._service.leader == leader:  # no other write has found it silent meanwhile
                    log.warning("registry_leader_silent", leader=leader, reason=error.message)
                    await self._claim()
        elif error.code != PeerUnreachable.code:  # it lives: a slow answer is under way, a broken connection is not
            raise TransportError("Error while forwarding the request to the leader", code="forwarding_failed")

    async def _claim(self) -> None:
        leader = self._service.leader
        try:
            await self._service.claim()
        except PublisherFenced:  # another was a little later, and is the one
            await self._until(lambda: self._service.leader != leader)

    async def _send(self, leader: str, request: HttpRequest) -> HttpResponse:
        """The leader's answer, however long it takes while the leader lives; raises PeerUnreachable."""
        query = f"?{request.query}" if request.query else ""
        sending = asyncio.create_task(
            self._http.send(
                request.method, leader.rstrip("/") + request.path + query, request.body, _passed_on(request)
            )
        )
        try:
            while not (await asyncio.wait({sending}, timeout=self._patience))[0]:
                if not await self._is_alive(leader):
                    raise PeerUnreachable(f"{leader} does not answer")
            return sending.result()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _is_alive(self, leader: str) -> bool:
        with suppress(PeerUnreachable, TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._http.send("GET", f"{leader.rstrip('/')}/healthz")
            return True
        return False

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Return once it holds, or after some seconds all the same."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._succession_seconds):
                while not holds():  # noqa: ASYNC110  (it is the topic's reader that changes it)
                    await asyncio.sleep(_LOOK_SECONDS)

    def _is_own(self, leader: str | None) -> bool:
        return not leader or leader == self._url


def _passed_on(request: HttpRequest) -> dict[str, str]:
    """All that concerns whoever answers, and the Host as it came: a signature covers it."""
    named = {each.strip().lower() for each in request.headers.get("connection", "").split(",")}
    kept = {name: value for name, value in request.headers.items() if name not in _NOT_PASSED_ON | named}
    return {**kept, "host": request.authority, FORWARDED: "true"}


def _is_refused_as_follower(found: HttpResponse) -> bool:
    try:
        return found.status == 500 and msgspec.json.decode(found.body, type=ErrorAnswer).error_code == _LEADER_UNKNOWN
    except (msgspec.DecodeError, UnicodeError):
        return False


def _leader_unknown() -> TransportError:
    return TransportError("Leader not known.", code="leader_unknown")
