"""A block whose events are published together, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exchange.bus.publishing.bundle import Bundle
from exchange.bus.publishing.delivery import Deliveries, Delivery
from exchange.bus.publishing.gathering import Gathering
from exchange.bus.publishing.new_event import Absent, Data, NewEvent, TypedEvent


class Transaction:
    """What a `transaction` block adds to. `position` is the application's own place, published with the events."""

    def __init__(self, gathering: Gathering, position: dict[str, Any] | None) -> None:
        self._gathering = gathering
        self._indices: list[int] = []
        self.position = position
        """May be set in the block; None keeps the last."""
        self.deliveries: Sequence[Delivery] = ()
        """Where its events went, in order; once the block has ended."""

    def add(
        self,
        topic: str | TypedEvent,
        data: Data = Absent.DATA,
        *,
        key: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
        traceparent: str | None = None,
    ) -> None:
        """Add an event, as `Publisher.add` does; what is refused may be left out, or ends the block with its error."""
        self._indices.append(self._gathering.put(NewEvent(topic, data, key, subject, time, traceparent)))

    async def settle(self, bundle: Bundle | None) -> None:
        """Wait until what was added is delivered; None where nothing was. Raises what kept it from it."""
        if bundle is not None:
            self.deliveries = Deliveries(await bundle.wait(), self._indices)
