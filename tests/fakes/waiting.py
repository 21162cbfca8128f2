"""Waiting in tests: for what another task brings about, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


async def until(holds: Callable[[], Any], working: asyncio.Future[None] | None = None, seconds: float = 60.0) -> None:
    """Until `holds()` (or what it awaits) is true; raises what `working` raises, and fails where that ends before."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            if working is not None and working.done():
                working.result()
                raise AssertionError("the work ended before it held")
            await asyncio.sleep(0.01)
