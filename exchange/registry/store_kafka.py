"""The topic `_schemas` as the registry's store: one partition, compacted, written in transactions by one process."""

from __future__ import annotations

import asyncio

from exchange.clock import Clock
from exchange.errors import PublisherFenced, TransportError
from exchange.registry.ports import Apply
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
    """A SchemaStore on Kafka. A second process with the same `transactional_id` fences the first, which ends."""

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
        self._fenced = asyncio.Event()

    async def start(self, apply: Apply) -> None:
        """Fence, then read: nothing that another writer still had under way can appear behind what was read."""
        await ensure_topics(self._bootstrap, [schemas_topic(self._replication, self._place.topic)])
        await self._producer.start()
        try:
            self._reader = TableReader(
                self._bootstrap, self._place.topic, lambda r: apply(r.key, r.value, r.offset), self._clock
            )
            await self._reader.start()
        except BaseException:
            await self._producer.close()
            raise

    async def prepare(self) -> None:
        """After a write that failed: settle whether it happened (a new producer ends it), and read it if it did."""
        if self._producer.is_open:
            return
        self._raise_if_fenced()
        await self._producer.start()
        end = (await high_watermarks(self._bootstrap, [self._place]))[self._place]
        if end > 0:
            await self._table().wait_until(self._place.number, end - 1)

    async def append(self, key: bytes, value: bytes | None) -> None:
        """One record, one transaction."""
        record = Outgoing(self._place.topic, self._place.number, key, value, [])
        try:
            async with self._producer.transaction() as transaction:
                [written] = await transaction.write([record])
        except PublisherFenced:
            self._fenced.set()
            self._raise_if_fenced()
        await self._table().wait_until(self._place.number, written.offset)

    async def wait_stopped(self) -> None:
        """Raises PublisherFenced, or what stopped the reader."""
        following = asyncio.ensure_future(self._table().wait_stopped())
        fenced = asyncio.ensure_future(self._fenced.wait())
        try:
            await asyncio.wait({following, fenced}, return_when=asyncio.FIRST_COMPLETED)
            self._raise_if_fenced()
            await following
        finally:
            following.cancel()
            fenced.cancel()

    async def close(self) -> None:
        """Stop following and writing."""
        await self._producer.close()
        if self._reader is not None:
            await self._reader.close()

    def _table(self) -> TableReader:
        if self._reader is None:
            raise TransportError("the registry's store was not started", code="registry_not_ready")
        return self._reader

    def _raise_if_fenced(self) -> None:
        if self._fenced.is_set():
            raise PublisherFenced(
                f"another registry took over writing {self._place.topic} on Kafka at {self._bootstrap}: this one ends; "
                "run one `exchange registry` for an instance"
            )
