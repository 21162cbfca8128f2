"""The consent topic on Kafka: `_exchange.consent`, compacted, one partition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from exchange.clock import Clock, from_unix_millis
from exchange.consent.ports import Apply, TopicDocument
from exchange.errors import BrokerUnreachable, TransportError
from exchange.transport.kafka import IdempotentProducer, Received, TableReader, TopicSpec

CONSENT_TOPIC = "_exchange.consent"

_CURRENT_SECONDS = 10.0
_CHECK_SECONDS = 0.02


def consent_topic_spec(name: str = CONSENT_TOPIC) -> TopicSpec:
    """The topic as it must be."""
    return TopicSpec(name, partitions=1, compacted=True)


class KafkaConsentTopic:
    """A ConsentTopic on Kafka, as an async context manager; `apply` is given every record, oldest first.

    Entering returns once all that was committed has been applied, and the broker confirmed that nothing is missing.
    """

    def __init__(
        self,
        bootstrap: str,
        apply: Apply,
        clock: Clock,
        topic: str = CONSENT_TOPIC,
        connect: Callable[[str], IdempotentProducer] = IdempotentProducer,
    ) -> None:
        self._topic = topic
        self._apply = apply
        self._bootstrap = bootstrap
        self._connect = connect
        self._producer: IdempotentProducer | None = None
        self._connecting = asyncio.Lock()
        self._reader = TableReader(bootstrap, topic, self._take, clock)

    async def __aenter__(self) -> KafkaConsentTopic:
        try:
            await self._open_producer()
            await self._reader.start()
            await self._wait_current()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._reader.close()
        finally:
            await self._drop(self._producer)

    async def write(self, key: str, envelope: bytes) -> None:
        """Returns once the document is durable and has been applied; raises TransportError."""
        producer = await self._open_producer()
        try:
            written = await producer.append(self._topic, envelope, key=key.encode(), partition=0)
        except TransportError:
            await self._drop(producer)
            raise
        # SIGKILL here: the change is durable and holds; its caller has no answer and may ask again.
        await self._reader.wait_until(written.partition, written.offset)

    def current_at(self) -> datetime | None:
        """The latest time at which everything on the topic had been applied."""
        return self._reader.last_current_at

    async def wait_stopped(self) -> None:
        """Returns only by raising what stopped the reader."""
        await self._reader.wait_stopped()

    async def _open_producer(self) -> IdempotentProducer:
        """The open producer; after a failure a new one, for a producer that failed may never write again."""
        async with self._connecting:
            if self._producer is None:
                producer = self._connect(self._bootstrap)
                await producer.start()
                self._producer = producer
            return self._producer

    async def _drop(self, producer: IdempotentProducer | None) -> None:
        if producer is not None and producer is self._producer:
            self._producer = None
            await producer.close()

    async def _wait_current(self) -> None:
        """The broker has to confirm once that nothing is missing: until then every decision would be `stale`."""
        try:
            async with asyncio.timeout(_CURRENT_SECONDS):
                while self._reader.last_current_at is None:  # noqa: ASYNC110  (the reader has no event for it)
                    await asyncio.sleep(_CHECK_SECONDS)
        except TimeoutError:
            raise BrokerUnreachable(
                f"Kafka did not confirm within {_CURRENT_SECONDS:g} s that all of {self._topic} was read: is it up?"
            ) from None

    def _take(self, record: Received) -> None:
        key = (record.key or b"").decode("utf-8", "replace")
        self._apply(TopicDocument(key, record.value, from_unix_millis(record.timestamp)))
