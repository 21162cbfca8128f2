"""Threads of the exchange's own: what runs in them never waits for what a program does in its event loop's threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class OwnThreads:
    """At most `most` threads, started when they are first needed; after a fork the child starts its own."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._pool: ThreadPoolExecutor | None = None
        os.register_at_fork(after_in_child=self._forget)

    async def run(self, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """What `work` returns or raises; the loop goes on meanwhile. A call that is cancelled still runs to its end."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._most, thread_name_prefix=self._name)
        return await asyncio.wrap_future(self._pool.submit(work, *arguments, **named))

    def _forget(self) -> None:
        self._pool = None
