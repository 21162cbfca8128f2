"""Waiting between two attempts: a little longer each time, and over at once when the adapter stops."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog

from exchange.connect import metrics
from exchange.errors import ExchangeError, TransportError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an adapter waits, in seconds: before a second attempt, and at most between two; for a lock that another
    process holds on an SQLite file; for what is under way to be committed once it is told to stop.
    """

    first: float = 0.2
    longest: float = 15.0
    busy: float = 5.0
    grace: float = 6.0


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, or return at once when `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def require_first_start(error: ExchangeError, has_started: bool) -> None:
    """Raises `error` where Kafka or the registry is not there at the very start: that is said at once, not waited out.

    Later the same failure is an outage, and passes.
    """
    if isinstance(error, TransportError) and not has_started:
        raise error


class Backoff:
    """The pauses of one task; `reset` after an attempt that held."""

    def __init__(self, policy: Patience, stop: asyncio.Event) -> None:
        self._policy = policy
        self._stop = stop
        self._next = policy.first

    def reset(self) -> None:
        """The next pause is the first again."""
        self._next = self._policy.first

    async def after(self, error: ExchangeError, task: str) -> None:
        """Count and report a failure that may pass, and wait; raises `error` where it will not."""
        metrics.ERRORS.labels(error.code).inc()
        if not error.retriable:
            raise error
        log.warning("adapter_waits", task=task, code=error.code, reason=error.message, seconds=self._next)
        await pause(self._stop, self._next)
        self._next = min(self._next * 2, self._policy.longest)
