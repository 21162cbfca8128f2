"""The records of the published topic, as confluent-kafka reads them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer

from tests.interop.published import Published


def consume(published: Published) -> list[Any]:
    """Every record, in order, by a new group."""
    consumer = Consumer(
        {
            "bootstrap.servers": published.kafka,
            "group.id": f"interop-{uuid4().hex[:8]}",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([published.topic])
    found: list[Any] = []
    try:
        while len(found) < len(published.events):
            message = consumer.poll(60.0)
            assert message is not None
            assert message.error() is None
            found.append(message)
    finally:
        consumer.close()
    return found
