"""The connection that entries are written through: one for all callers, and a new one after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from exchange.transport.kafka import Written


class DurableTopic(Protocol):
    """Appends that are on every in-sync replica when they return; concurrent ones share requests."""

    async def start(self) -> None:
        """Connect; raises BrokerUnreachable."""
        ...

    async def append(self, topic: str, value: bytes | None, *, partition: int | None = None) -> Written:
        """Raises RecordTooLarge or another TransportError."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class Connection:
    """Callers share one connection, and one attempt to make it. A producer that failed may never write again, so
    whoever sees it fail drops it, and the next caller makes a new one.
    """

    def __init__(self, connect: Callable[[], DurableTopic]) -> None:
        self._connect = connect
        self._attempt: asyncio.Task[DurableTopic] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def get(self) -> DurableTopic:
        """The open connection; raises what connecting raises, to all who wait for the same attempt."""
        if self._attempt is None or _failed(self._attempt):
            self._attempt = asyncio.create_task(self._open())
        return await asyncio.shield(self._attempt)

    def drop(self, durable: DurableTopic) -> None:
        """Forget a connection that failed; it is closed aside."""
        attempt = self._attempt
        if attempt is not None and attempt.done() and not _failed(attempt) and attempt.result() is durable:
            self._attempt = None
            closing = asyncio.create_task(durable.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End the connection, and wait for those that are being closed."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
            await asyncio.wait([attempt])
            if not _failed(attempt):
                await attempt.result().close()
        await asyncio.gather(*self._closing)

    async def _open(self) -> DurableTopic:
        durable = self._connect()
        await durable.start()
        return durable


def _failed(attempt: asyncio.Task[DurableTopic]) -> bool:
    return attempt.done() and (attempt.cancelled() or attempt.exception() is not None)
