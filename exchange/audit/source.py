"""The audit topic as it is read: every offset in its order, from where the tree ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from exchange.audit.topic import PARTITION
from exchange.errors import AuditError, TransportError
from exchange.transport.kafka import Partition, PartitionConsumer


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read: (offset, value) in order, a value None where the record has none or cannot be decoded."""

    values: Sequence[tuple[int, bytes | None]]
    next_offset: int


class EntrySource(Protocol):
    """A topic that is read in order and never twice."""

    async def read(self, *, seconds: float, limit: int) -> Batch | None:
        """What arrived within `seconds`, or None; raises TransportError (ask again later)."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class EntryTopic:
    """The one partition of an audit topic, from `next_offset` on; connects by itself, again where need be."""

    def __init__(self, bootstrap: str, topic: str, next_offset: int) -> None:
        self._bootstrap = bootstrap
        self._place = Partition(topic, PARTITION)
        self._next = next_offset
        self._consumer: PartitionConsumer | None = None

    async def open(self) -> None:
        """Connect; raises BrokerUnreachable, SettingsError (no such topic), or AuditError of code `topic_lost`."""
        consumer = PartitionConsumer(self._bootstrap)
        await consumer.start()
        try:
            end = (await consumer.end_offsets([self._place]))[self._place]
            self._require_kept(end)
            consumer.assign([self._place])
            consumer.seek(self._place, self._next)
        except BaseException:
            await consumer.close()
            raise
        self._consumer = consumer

    async def read(self, *, seconds: float, limit: int) -> Batch | None:
        """What arrived within `seconds`, or None; raises TransportError, and AuditError of code `topic_lost`."""
        try:
            if self._consumer is None:
                await self.open()
            return await self._poll(seconds, limit)
        except TransportError:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnect; the next read connects again, where this one ended."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.close()

    async def _poll(self, seconds: float, limit: int) -> Batch | None:
        assert self._consumer is not None  # noqa: S101  (read opens it)
        for polled in await self._consumer.poll(seconds=seconds, limit=limit):
            values: list[tuple[int, bytes | None]] = [(each.offset, each.value) for each in polled.records]
            values += [(offset, None) for offset in polled.unreadable]
            # Kafka answers an offset that is gone with the oldest there is: taking those again would fork the log.
            self._require_kept(values[0][0])
            self._next = polled.next_offset
            return Batch(values, polled.next_offset)
        return None

    def _require_kept(self, offset: int) -> None:
        if offset < self._next:
            raise AuditError(
                f"topic {self._place.topic} is at offset {offset}, before {self._next} where the log goes on: "
                "it was lost or made anew; restore it before this log runs again",
                code="topic_lost",
            )
