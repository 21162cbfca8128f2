"""The topic `_schemas` as the registry's store: one partition, compacted, followed by all and written by one.

Who writes is Kafka's to say: every store has the same transactional id, and starting a producer of that id fences
the others' and ends what they had begun (ADR 16).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from exchange.clock import Clock
from exchange.errors import PublisherFenced, TransportError
from exchange.registry.ports import Apply, KeyValue
from exchange.transport.kafka import (
    Outgoing,
    Partition,
    TableReader,
    TopicSpec,
    TransactionalProducer,
    ensure_topics,
    high_watermarks,
)

TOPIC = "_schemas"
TRANSACTIONAL_ID = "_exchange.registry"
_COMMIT_SECONDS = 15.0


def schemas_topic(replication: int = 1, name: str = TOPIC) -> TopicSpec:
    """How the registry's topic must be."""
    return TopicSpec(name, compacted=True, replication=replication)


class KafkaSchemaStore:
    """A SchemaStore on Kafka. Stores of one `transactional_id` are replicas; the last to call `lead` writes."""

    def __init__(
        self,
        bootstrap: str,
        clock: Clock,
        *,
        topic: str = TOPIC,
        transactional_id: str = TRANSACTIONAL_ID,
        replication: int = 1,
    ) -> None:
        self._bootstrap = bootstrap
        self._clock = clock
        self._place = Partition(topic, 0)
        self._replication = replication
        self._producer = TransactionalProducer(bootstrap, transactional_id, commit_seconds=_COMMIT_SECONDS)
        self._reader: TableReader | None = None
        self._turn = asyncio.Lock()

    async def start(self, apply: Apply) -> None:
        """Make the topic where it is missing, read what is committed and go on following.

        A transaction that is open was left by a leader that died, and `lead` ends it, or commits any moment.
        """
        topic = self._place.topic
        await ensure_topics(self._bootstrap, [schemas_topic(self._replication, topic)])
        reader = TableReader(
            self._bootstrap, topic, lambda r: apply(r.key, r.value, r.offset), self._clock, past_open=False
        )
        await reader.start()
        self._reader = reader

    async def lead(self) -> None:
        """Fence, then read to the end: nothing another had under way can appear behind what was read."""
        table = self._table()
        async with self._turn:
            await self._producer.close()
            await self._producer.largest_record(self._place.topic)
            await self._producer.start()
            try:
                await self._read_to_end(table)
            except BaseException:
                await self._producer.close()
                raise

    async def append(self, records: Sequence[KeyValue]) -> int:
        """All in one transaction."""
        table = self._table()
        outgoing = [Outgoing(*self._place, key, value, []) for key, value in records]
        async with self._turn:
            self._require_leading()
            self._producer.require_fits(outgoing)  # before it is sent: the broker's refusal would end the producer
            last = await self._write(outgoing)
        await table.wait_until(self._place.number, last)
        return last

    async def applied(self, offset: int) -> None:
        """Wait until the reader is past it."""
        await self._table().wait_until(self._place.number, offset)

    async def wait_stopped(self) -> None:
        """Raises what stopped the reader."""
        await self._table().wait_stopped()

    async def close(self) -> None:
        """Stop following and writing."""
        await self._producer.close()
        if self._reader is not None:
            await self._reader.close()

    async def _write(self, outgoing: Sequence[Outgoing]) -> int:
        try:
            async with self._producer.transaction() as transaction:
                written = await transaction.write(outgoing)
        except PublisherFenced:
            raise PublisherFenced(
                f"another registry took over writing {self._place.topic} on Kafka at {self._bootstrap}"
            ) from None
        return written[-1].last

    async def _read_to_end(self, table: TableReader) -> None:
        """The end is the high watermark, and the last offset before it may be a transaction's marker."""
        end = (await high_watermarks(self._bootstrap, [self._place]))[self._place]
        if end > 0:
            await table.wait_until(self._place.number, end - 1)

    def _table(self) -> TableReader:
        if self._reader is None:
            raise TransportError("the registry's store was not started", code="registry_not_ready")
        return self._reader

    def _require_leading(self) -> None:
        if not self._producer.is_open:
            raise TransportError(f"this registry does not lead the writing of {self._place.topic}", code="not_leading")
