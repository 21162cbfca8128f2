"""A registry over a real Kafka for clients that were not made for it, and those clients."""

import uuid

import pytest

from exchange.clock import SystemClock
from exchange.registry import KafkaSchemaStore
from tests.clients.node import Node
from tests.clients.registry_thread import registry_at
from tests.clients.rest import Rest
from tests.fakes.schema_store import MemorySchemaStore


@pytest.fixture
def registry():
    """Requests to a registry of its own, over the store in memory."""
    with registry_at(MemorySchemaStore) as url:
        rest = Rest(url)
        yield rest
        rest.close()


@pytest.fixture(scope="session")
def shared_url(kafka):
    """Where one registry over Kafka is served for the run: for tests that keep to a subject of their own."""
    with _over(kafka) as url:
        yield url


@pytest.fixture
def own_url(kafka):
    """Where a registry over Kafka is served for one test: for what concerns all subjects."""
    with _over(kafka) as url:
        yield url


@pytest.fixture
def subject(unique):
    """A subject that no other test uses."""
    return f"{unique('gov.customs.tariff')}-value"


@pytest.fixture(scope="session")
def node(shared_url):
    """The clients of Node.js, in one process for the run."""
    with Node() as node:
        yield node


def _over(kafka):
    topic = f"schemas-{uuid.uuid4().hex[:8]}"
    return registry_at(lambda: KafkaSchemaStore(kafka, SystemClock(), topic=topic, transactional_id=topic))
