"""Waiting for a schema: what the cache lacks is asked of the registry, and a registry that is away is waited for."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from exchange.bus import metrics
from exchange.bus.subscribing.ports import SchemaCache
from exchange.errors import PeerUnreachable, SchemaNotFound

_LOG = structlog.get_logger(__name__)
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0


class SchemaWait:
    """Fetches schemas for one subscriber, for as long as it is not stopped."""

    def __init__(self, group: str, schemas: SchemaCache, stopping: asyncio.Event) -> None:
        self._group = group
        self._schemas = schemas
        self._stopping = stopping

    async def fetch(self, number: int) -> bool:
        """Ask the registry until it answers; False when stopped meanwhile. The cache says whether it knew."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                await self._schemas.load([number])
            except SchemaNotFound:
                return True
            except PeerUnreachable as error:
                metrics.SCHEMA_WAITS.labels(self._group).inc()
                _LOG.warning("registry away, waiting", group=self._group, schema=number, error=error.message)
                await self._pause(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return True
        return False

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
