"""A topic in memory behind the audit package's two ports; held to the contract that the real topic passes."""

from __future__ import annotations

from exchange.audit.source import Batch
from exchange.errors import AuditError, RecordTooLarge, TransportError
from exchange.transport.kafka import Written

MAX_BYTES = 1_000_000


class MemoryTopic:
    """One partition. `broken` makes it refuse everything, as an unreachable broker does."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []
        self.broken = False
        self.connections = 0

    def extend(self, values: list[bytes]) -> None:
        """Put values on it, as another process would."""
        self.values.extend(values)


class MemoryWriter:
    """A DurableTopic. One that failed stays failed, as a Kafka producer may."""

    def __init__(self, topic: MemoryTopic) -> None:
        self._topic = topic
        self._failed = False
        self.closed = False

    async def start(self) -> None:
        self._topic.connections += 1
        self._require_working()

    async def append(self, topic: str, value: bytes | None, *, partition: int | None = None) -> Written:
        self._require_working()
        if value is not None and len(value) > MAX_BYTES:
            raise RecordTooLarge("a record is larger than its topic takes")
        self._topic.values.append(value)
        return Written(topic, partition or 0, len(self._topic.values) - 1, None, len(self._topic.values) - 1)

    async def close(self) -> None:
        self.closed = True

    def _require_working(self) -> None:
        self._failed = self._failed or self._topic.broken
        if self._failed:
            raise TransportError("the broker does not answer")


class MemorySource:
    """An EntrySource from `next_offset` on."""

    def __init__(self, topic: MemoryTopic, next_offset: int = 0) -> None:
        self._topic = topic
        self._next = next_offset

    async def read(self, *, seconds: float, limit: int) -> Batch | None:
        if self._topic.broken:
            raise TransportError("the broker does not answer")
        if len(self._topic.values) < self._next:
            raise AuditError("the topic was made anew", code="topic_lost")
        values = list(enumerate(self._topic.values))[self._next : self._next + limit]
        if not values:
            return None
        self._next = values[-1][0] + 1
        return Batch(values, self._next)

    async def close(self) -> None:
        return
