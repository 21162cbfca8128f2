"""Records on their way into one transaction, and how it ended for those who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import Enum
from typing import Any

from exchange.bus.publishing.delivery import Committed, Places
from exchange.bus.publishing.prepared import Prepared


class Cause(Enum):
    """Why records go out together."""

    AUTOMATIC = "automatic"
    """Each was published by itself; they share a flush."""
    COMMIT = "commit"
    """They were added one by one until `commit`."""
    TRANSACTION = "transaction"
    """They were added in one `transaction` block."""


class Bundle:
    """Records in order. `sequences`, `events` and `position` are known once it is closed."""

    def __init__(self, cause: Cause) -> None:
        self.cause = cause
        self.records: list[Prepared] = []
        self.size = 0
        """Bytes of its records."""
        self.sequences: Mapping[str, Mapping[int, int]] = {}
        self.events: Mapping[str, int] = {}
        """topic -> how many events."""
        self.position: dict[str, Any] | None = None
        """The application's own place; None keeps the last."""
        self._done = asyncio.Event()
        self._places: Places | None = None
        self._error: BaseException | None = None

    def append(self, record: Prepared) -> int:
        """Add a record; its index."""
        self.records.append(record)
        self.size += record.size
        return len(self.records) - 1

    @property
    def is_done(self) -> bool:
        """Whether its outcome is known."""
        return self._done.is_set()

    def settle(self, committed: Committed) -> None:
        """It holds."""
        self._places = Places(self.records, committed)
        self._done.set()

    def fail(self, error: BaseException) -> None:
        """It does not, or nobody knows: `wait` raises `error`."""
        self._error = error
        self._done.set()

    async def wait(self) -> Places:
        """Where its records lie, once it holds; raises what kept it from holding."""
        await self._done.wait()
        if self._places is None:
            assert self._error is not None  # noqa: S101
            raise self._error.with_traceback(None)  # many wait: each would make the trace longer
        return self._places
