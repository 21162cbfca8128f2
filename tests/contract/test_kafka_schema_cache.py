"""The registry in memory behaves, for a publisher and a subscriber, as the registry's client over HTTP and Kafka."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from exchange.clock import SystemClock
from exchange.errors import PeerUnreachable, SchemaNotFound
from exchange.registry import KafkaSchemaStore, OpenWrites, RegistryClient, RegistryService, SchemaCache, build_app
from exchange.transport.http import HttpClient
from exchange.transport.kafka import free_port
from exchange.transport.web import serve
from tests.fakes.bus_world import OTHER_SCHEMA, SCHEMA
from tests.fakes.registry_fake import FakeRegistry

SUBJECT = "gov.interior.civil.moved.v1-value"


class Fake:
    """The registry in memory."""

    def __init__(self):
        self._registry = FakeRegistry()

    async def register(self, subject, text):
        self._registry.register(subject, text)

    def cache(self):
        return self._registry.cache()

    async def away(self):
        self._registry.away = 1_000


class Real:
    """The registry as a process serves it."""

    def __init__(self, client, stack):
        self._client = client
        self._serving = stack

    async def register(self, subject, text):
        await self._client.register(subject, text)

    def cache(self):
        return SchemaCache(self._client)

    async def away(self):
        await self._serving.aclose()


@pytest.fixture(params=["fake", "real"])
async def registry(request, kafka, unique):
    """Each of the two."""
    if request.param == "fake":
        yield Fake()
        return
    clock, listen = SystemClock(), f"127.0.0.1:{free_port()}"
    topic = unique("_schemas")
    async with AsyncExitStack() as stack, HttpClient() as http:
        service = RegistryService(KafkaSchemaStore(kafka, clock, topic=topic, transactional_id=topic))
        await service.start()
        stack.push_async_callback(service.close)
        await stack.enter_async_context(serve(build_app(service, OpenWrites()), listen))
        yield Real(RegistryClient(http, f"http://{listen}", clock), stack)


async def test_a_registered_schema_is_resolved_and_loaded_by_its_number(registry):
    """What one process resolves, another loads by number; before that its cache has nothing."""
    await registry.register(SUBJECT, SCHEMA)
    resolved = await registry.cache().resolve(SUBJECT, SCHEMA)
    other = registry.cache()
    assert other.get(resolved.id) is None
    await other.load([resolved.id])
    assert other.get(resolved.id) == resolved


async def test_a_schema_that_is_not_registered_is_not_resolved(registry):
    """Resolving what nobody registered under the subject raises SchemaNotFound."""
    await registry.register(SUBJECT, SCHEMA)
    with pytest.raises(SchemaNotFound):
        await registry.cache().resolve(SUBJECT, OTHER_SCHEMA)


async def test_a_number_nobody_has_stays_missing(registry):
    """Loading a number the registry never gave out is no error: the cache goes on without it."""
    cache = registry.cache()
    await cache.load([4_711])
    assert cache.get(4_711) is None


async def test_a_registry_that_is_away_says_so(registry):
    """A registry that does not answer raises PeerUnreachable, from loading and from resolving."""
    await registry.register(SUBJECT, SCHEMA)
    await registry.away()
    with pytest.raises(PeerUnreachable):
        await registry.cache().load([1])
    with pytest.raises(PeerUnreachable):
        await registry.cache().resolve(SUBJECT, SCHEMA)
