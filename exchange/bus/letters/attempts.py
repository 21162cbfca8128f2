"""Attempts: calling a handler for an event, a few times where that may help."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from exchange.bus import metrics
from exchange.bus.letters.letter import reason_of
from exchange.bus.letters.policy import RetryPolicy
from exchange.bus.letters.set_aside import Failure
from exchange.envelope import Event

Handler = Callable[[Event], Any]
"""Processes one event, or raises: a coroutine function, or any other, which then runs in a thread."""

Pause = Callable[[float], Awaitable[None]]
"""Waits some seconds."""


class Attempts:
    """Calls one group's handler. `pause` waits some seconds between two attempts."""

    def __init__(self, handler: Handler, group: str, policy: RetryPolicy, pause: Pause) -> None:
        self._call = _awaitable(handler)
        self._group = group
        self._policy = policy
        self._pause = pause

    async def once(self, index: int, event: Event, attempts: int) -> Failure | None:
        """None when the handler took the event, else how it failed; `attempts` were made before this one."""
        try:
            await self._call(event)
        except Exception as error:  # the handler's own: whatever it is, it is told by its class
            metrics.HANDLED.labels(event.topic, self._group, "failed").inc()
            reason = reason_of(error)
            kind = f"{type(error).__module__}.{type(error).__qualname__} {reason.code}"
            return Failure(index, reason, self._policy.is_retriable(error), attempts + 1, kind)
        metrics.HANDLED.labels(event.topic, self._group, "ok").inc()
        return None

    async def several(self, index: int, event: Event, attempts: int) -> Failure | None:
        """As often as the policy says: None when the handler took the event, else how it failed last."""
        pauses = self._policy.pauses()
        failure = await self.once(index, event, attempts)
        for _ in range(self._policy.attempts - 1):
            if failure is None or not failure.retriable:
                break
            await self._pause(next(pauses))
            failure = await self.once(index, event, failure.attempts)
        return failure


def _awaitable(handler: Handler) -> Callable[[Event], Awaitable[Any]]:
    called = handler if inspect.isroutine(handler) else getattr(handler, "__call__", handler)  # noqa: B004
    if inspect.iscoroutinefunction(called):
        return handler

    async def in_a_thread(event: Event) -> None:
        """So that the loop goes on meanwhile: heartbeats are sent from it."""
        await asyncio.to_thread(handler, event)

    return in_a_thread
