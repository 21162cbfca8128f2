"""A topic that the exchange published to, and a registry that others' clients ask: once for the run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from exchange.clock import SystemClock
from exchange.registry import KafkaSchemaStore
from tests.clients.registry_thread import registry_at
from tests.interop.published import Published, publish_all


@pytest.fixture(scope="session")
def published(kafka: str) -> Iterator[Published]:
    """Six events of every shape on one topic of a real Kafka, their schema in a registry over it."""
    topic = "schemas-of-interop"
    with registry_at(lambda: KafkaSchemaStore(kafka, SystemClock(), topic=topic, transactional_id=topic)) as url:
        yield asyncio.run(publish_all(kafka, url))
