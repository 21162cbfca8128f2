"""The topic `_schemas` as Confluent Schema Registry leaves it: its record format, one record a batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from confluent_kafka import Producer

from bench.registry.corpus import Version
from exchange.registry import schemas_topic
from exchange.transport.kafka import ensure_topics

_FLUSH_SECONDS = 300.0
_OUTSTANDING = 20_000


async def fill(bootstrap: str, topic: str, versions: Iterable[Version]) -> None:
    """Create the topic and write every version to it."""
    await ensure_topics(bootstrap, [schemas_topic(name=topic)])
    # A registry produces each registration alone: a topic of batches of thousands would start up faster than real ones.
    settings = {"batch.num.messages": 1, "linger.ms": 0, "acks": "all", "message.max.bytes": 8_000_000}
    producer = Producer({"bootstrap.servers": bootstrap, "queue.buffering.max.kbytes": 1_000_000, **settings})
    for key, value in _records(versions):
        producer.produce(topic, value, key)
        while len(producer) > _OUTSTANDING:
            producer.poll(0.05)
    left = producer.flush(_FLUSH_SECONDS)
    assert left == 0, f"{left} records did not reach Kafka"


def _records(versions: Iterable[Version]) -> Iterator[tuple[bytes, bytes]]:
    for each in versions:
        key = {"keytype": "SCHEMA", "subject": each.subject, "version": each.number, "magic": 1}
        value = {"subject": each.subject, "version": each.number, "id": each.id, "schema": each.text, "deleted": False}
        yield _json(key), _json(value)


def _json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
