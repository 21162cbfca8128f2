"""Something has moved: whoever waits looks again."""

from __future__ import annotations

import asyncio


class Pulse:
    """Wakes all who wait now; none who come later."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        """Wake those who wait."""
        event, self._next = self._next, asyncio.Event()
        event.set()

    async def wait(self) -> None:
        """Until the next beat."""
        await self._next.wait()
