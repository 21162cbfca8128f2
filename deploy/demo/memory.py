"""How much memory the demo's processes use together, looked at twice a second."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_PAGE = os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """Adds up the resident memory of this process and of every process that was started for `home`."""

    def __init__(self, home: Path) -> None:
        self._marker = str(home).encode()
        self._watching: asyncio.Task[None] | None = None
        self.peak_mib = 0.0

    async def __aenter__(self) -> MemoryWatch:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        while True:
            self.peak_mib = max(self.peak_mib, sum(map(self._resident, _processes())) / 2**20)
            await asyncio.sleep(0.5)

    def _resident(self, process: Path) -> int:
        """Bytes, 0 for processes of others. Shared pages count in each process: the sum is an upper bound."""
        try:
            ours = process.name == str(os.getpid()) or self._marker in (process / "cmdline").read_bytes()
            return int((process / "statm").read_text().split()[1]) * _PAGE if ours else 0
        except (OSError, IndexError):
            return 0


def _processes() -> list[Path]:
    return [path for path in Path("/proc").iterdir() if path.name.isdigit()]
