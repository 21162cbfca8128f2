"""How a write is done: by the replica that writes, once the one who asks is admitted there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from exchange.registry.http.answers import Answer
from exchange.registry.http.request import ApiRequest
from exchange.registry.ports import Authenticator
from exchange.transport.http import HttpRequest

OFFSET = b"exchange-offset"
"""The header of a write's answer that says up to where the log holds what it changed."""
Execute = Callable[[], Awaitable[Answer]]


class Written(Protocol):
    """Knows how far the log is applied."""

    @property
    def written(self) -> int:
        """The offset of the newest record that was applied."""
        ...


class Forwarding(Protocol):
    """Has writes done by the one replica that writes."""

    async def write(self, request: HttpRequest, execute: Execute) -> Answer:
        """The answer of `execute` where this replica writes, else what the one that does answers to `request`."""
        ...


class Writes:
    """Runs writes. Without `replicas` this process is the only one."""

    def __init__(self, log: Written, authenticator: Authenticator, replicas: Forwarding | None) -> None:
        self._log = log
        self._authenticator = authenticator
        self._replicas = replicas

    async def run(self, request: ApiRequest, subject: str | None, execute: Execute) -> Answer:
        """The answer of a write that concerns a subject, or with None all of them."""
        signed = await request.signed()
        pending = [signed]

        async def admitted() -> Answer:
            if pending:  # once: what is tried anew after another replica took over is the same request, not a replay
                self._authenticator.admit(pending.pop(), subject)
            made = await execute()
            return made._replace(headers=(*made.headers, (OFFSET, b"%d" % self._log.written)))

        return await admitted() if self._replicas is None else await self._replicas.write(signed, admitted)
