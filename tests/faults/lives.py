"""Processes that are there to be killed: forked from one that has imported everything, so that a life costs little.

life = Life(publish, bootstrap, name)      # runs publish(report, bootstrap, name) in a process of its own
await life.hear()                          # what it reported; None once it has ended
life.kill()                                # SIGKILL
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

_POLL_SECONDS = 0.01
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.work"])


class Life:
    """One process, from its birth."""

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        self._reports, theirs = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=work, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    async def hear(self) -> Any:
        """The next report, or None once the process has ended."""
        # Without a thread: many lives would take all of those that a publisher in this process signs in.
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._reports.fileno(), readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._reports.fileno())
        return self._receive()

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end (SIGTERM)."""
        self._signal(signal.SIGTERM)

    async def end(self) -> int:
        """Wait until it has ended: its exit code, or minus the signal that ended it."""
        while await self.hear() is not None:
            pass
        self._reports.close()
        # Asked in this thread alone: two threads that ask for exit codes take each other's answers.
        while self._process.exitcode is None:
            await asyncio.sleep(_POLL_SECONDS)
        return self._process.exitcode

    def _receive(self) -> Any:
        try:
            return self._reports.recv()
        except (EOFError, OSError):
            return None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        try:
            os.kill(self._process.pid, number)
        except ProcessLookupError:
            return


Report = Connection
"""What a process reports to: `report.send(anything)`."""
