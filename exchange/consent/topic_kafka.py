"""The consent topic on Kafka: `_exchange.consent`, compacted, one partition."""

from __future__ import annotations

import asyncio
from datetime import datetime

from exchange.clock import Clock, from_unix_millis
from exchange.consent.ports import Apply, TopicDocument
from exchange.errors import BrokerUnreachable
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

    def __init__(self, bootstrap: str, apply: Apply, clock: Clock, topic: str = CONSENT_TOPIC) -> None:
        self._topic = topic
        self._apply = apply
        self._producer = IdempotentProducer(bootstrap)
        self._reader = TableReader(bootstrap, topic, self._take, clock)

    async def __aenter__(self) -> KafkaConsentTopic:
        await self._producer.start()
        try:
            await self._reader.start()
            await self._wait_current()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._reader.close()
        await self._producer.close()

    async def write(self, key: str, envelope: bytes) -> None:
        """Returns once the document is durable and has been applied; raises TransportError."""
        written = await self._producer.append(self._topic, envelope, key=key.encode(), partition=0)
        # SIGKILL here: the change is durable and holds; its caller has no answer and may ask again.
        await self._reader.wait_until(written.partition, written.offset)

    def current_at(self) -> datetime | None:
        """The latest time at which everything on the topic had been applied."""
        return self._reader.last_current_at

    async def wait_stopped(self) -> None:
        """Returns only by raising what stopped the reader."""
        await self._reader.wait_stopped()

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
