"""The consent topic in memory: kept to the contract test that the one on Kafka passes."""

from __future__ import annotations

from datetime import datetime

from exchange.clock import Clock
from exchange.consent import Apply, TopicDocument
from exchange.errors import BrokerUnreachable


class MemoryConsentTopic:
    """Records in order; while `is_down` nothing is written, and what was read grows old."""

    def __init__(self, apply: Apply, clock: Clock) -> None:
        self.documents: list[TopicDocument] = []
        self.is_down = False
        self._apply = apply
        self._clock = clock
        self._current_at: datetime | None = None

    async def write(self, key: str, envelope: bytes) -> None:
        """Append and apply."""
        if self.is_down:
            raise BrokerUnreachable("the topic is down")
        document = TopicDocument(key, envelope, self._clock.now())
        self.documents.append(document)
        self._apply(document)

    def current_at(self) -> datetime | None:
        """Now, unless it is down."""
        if not self.is_down:
            self._current_at = self._clock.now()
        return self._current_at
