"""Our own client and cache, against a registry that is really served."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from exchange.avro import Schema
from exchange.clock import SystemClock
from exchange.errors import (
    PeerUnreachable,
    RequestRefused,
    SchemaIncompatible,
    SchemaInvalid,
    SchemaNotFound,
    SchemaNotOwned,
)
from exchange.registry import Registration, RegistryClient, SchemaCache, SignedWrites, build_app
from exchange.transport.web import free_port, serve
from tests.fakes.instance import INTERIOR, RESIDENCE_TOPIC, TAX, FakeInstance
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema


async def test_a_registered_schema_can_be_asked_for_in_every_way(client):
    """By id, by content, by version, by name."""
    assert (await client.register(SUBJECT, V1)).id == 1
    assert (await client.register(SUBJECT, V2)).id == 2
    assert (await client.schema(2)).schema == Schema.parse(V2)
    assert await client.lookup(SUBJECT, V1 + " ") == Registration(SUBJECT, 1, 1, V1)
    assert await client.version(SUBJECT) == Registration(SUBJECT, 2, 2, V2)
    assert await client.version(SUBJECT, 1) == Registration(SUBJECT, 1, 1, V1)
    assert await client.versions(SUBJECT) == [1, 2]
    assert await client.subjects() == [SUBJECT]


async def test_a_check_gives_the_reasons(client):
    """Empty when the schema may follow."""
    await client.register(SUBJECT, V1)
    assert await client.check(SUBJECT, V2) == []
    assert any("field 'region_code' was added" in line for line in await client.check(SUBJECT, BAD))


async def test_a_level_is_set_and_told(client):
    """The one that holds, set or not."""
    assert await client.level(SUBJECT) == "BACKWARD"
    await client.set_level(SUBJECT, "NONE")
    assert await client.level(SUBJECT) == "NONE"


@pytest.mark.parametrize(
    ("ask", "kind", "words"),
    [
        (lambda c: c.schema(9), SchemaNotFound, "Schema 9 not found"),
        (lambda c: c.lookup("none", V1), SchemaNotFound, "Subject 'none' not found"),
        (lambda c: c.version("none"), SchemaNotFound, "Subject 'none' not found"),
        (lambda c: c.versions("none"), SchemaNotFound, "Subject 'none' not found"),
        (lambda c: c.register(SUBJECT, "{"), SchemaInvalid, "Invalid schema"),
        (lambda c: c.register(SUBJECT, BAD), SchemaIncompatible, "region_code"),
        (lambda c: c.check(SUBJECT, "{"), SchemaInvalid, "the schema is not JSON"),
        (lambda c: c.set_level(SUBJECT, "UP"), SchemaInvalid, "Invalid compatibility level"),
    ],
)
async def test_a_refusal_is_an_error_of_its_kind(client, ask, kind, words):
    """With the registry's own words."""
    await client.register(SUBJECT, V1)
    with pytest.raises(kind) as refused:
        await ask(client)
    assert words in refused.value.message


@pytest.fixture
async def guarded(service, http):
    """A registry that asks who writes, the instance, and a maker of its agencies' clients."""
    clock = SystemClock()
    instance, listen = FakeInstance(clock.now()), f"127.0.0.1:{free_port()}"
    async with serve(build_app(service, SignedWrites(instance.directory, clock)), listen):
        yield lambda agency: RegistryClient(
            http, f"http://{listen}", clock, instance.credentials(agency) if agency else None
        )


async def test_the_owner_registers_and_configures_with_its_signature(guarded):
    """Over a real connection: the signature covers host, path and body."""
    subject = f"{RESIDENCE_TOPIC}-value"
    client = guarded(INTERIOR)
    assert (await client.register(subject, V1)).id == 1
    await client.set_level(subject, "FULL")
    assert await guarded(None).level(subject) == "FULL"


async def test_others_are_told_whose_it_is(guarded):
    """Another agency, and nobody."""
    subject = f"{RESIDENCE_TOPIC}-value"
    with pytest.raises(SchemaNotOwned, match=f"belongs to {INTERIOR}; {TAX} asked"):
        await guarded(TAX).register(subject, V1)
    with pytest.raises(RequestRefused, match="not signed"):
        await guarded(None).register(subject, V1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.subjects(),
        lambda c: c.register(SUBJECT, V1),
        lambda c: SchemaCache(c).load([1]),
        lambda c: SchemaCache(c).resolve(SUBJECT, V1),
    ],
)
async def test_a_registry_that_is_down_can_be_asked_again(http, ask):
    """The message gives its address and what to do, and says that trying again may help."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(PeerUnreachable) as down:
        await ask(RegistryClient(http, url, SystemClock(), FakeInstance(SystemClock().now()).credentials(TAX)))
    assert url in down.value.message
    assert "exchange registry" in down.value.message
    assert down.value.retriable


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (200, b"{}"), (200, b"\xff"), (404, b"<html>"), (502, b""), (503, b'{"message": "not ready"}')],
)
async def test_what_is_no_registry_is_said_not_to_be_usable(http, status, body):
    """A proxy's page, or something else at that address."""

    async def answer(_):
        return Response(body, status)

    listen = f"127.0.0.1:{free_port()}"
    async with serve(Starlette(routes=[Route("/subjects", answer)]), listen):
        with pytest.raises(PeerUnreachable, match="does not serve"):
            await RegistryClient(http, f"http://{listen}/", SystemClock()).subjects()


class Counting:
    """A client that counts what it is asked."""

    def __init__(self, client):
        self._client = client
        self.asked = []

    async def schema(self, schema_id):
        self.asked.append(schema_id)
        return await self._client.schema(schema_id)

    async def lookup(self, subject, text):
        self.asked.append(subject)
        return await self._client.lookup(subject, text)


async def test_the_cache_gives_what_was_loaded(client):
    """At once and without asking again."""
    await client.register(SUBJECT, V1)
    counting = Counting(client)
    cache = SchemaCache(counting)
    assert cache.get(1) is None
    await cache.load([1])
    await cache.load([1, 1])
    assert (cache.get(1).id, cache.get(1).schema) == (1, Schema.parse(V1))
    assert counting.asked == [1]


async def test_many_who_need_one_schema_ask_once(client):
    """Loads of one id at one time are one request."""
    await client.register(SUBJECT, V1)
    counting = Counting(client)
    cache = SchemaCache(counting)
    await asyncio.gather(*(cache.load([1]) for _ in range(20)))
    assert counting.asked == [1]


async def test_an_id_the_registry_does_not_know_stays_missing(client):
    """It does not keep the others from being loaded, and is asked for again: it may be registered yet."""
    await client.register(SUBJECT, V1)
    cache = SchemaCache(client)
    await cache.load([1, 2, 99])
    assert cache.get(1) is not None
    assert cache.get(2) is None
    await client.register(SUBJECT, V2)
    await cache.load([2])
    assert cache.get(2) is not None


async def test_one_who_stops_waiting_does_not_stop_the_others(client):
    """A load that is cancelled goes on for whoever else waits."""
    await client.register(SUBJECT, V1)
    cache = SchemaCache(client)
    first, second = asyncio.create_task(cache.load([1])), asyncio.create_task(cache.load([1]))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert cache.get(1) is not None


async def test_the_cache_is_bounded(client):
    """The schema used least recently goes first."""
    for number in range(4):
        await client.register(f"s{number}-value", schema("a", name=f"uz.R{number}"))
    cache = SchemaCache(client, limit=2)
    for ids in ([1], [2]):
        await cache.load(ids)
    cache.get(1)
    await cache.load([3])
    assert [cache.get(number) is not None for number in (1, 2, 3)] == [True, False, True]


async def test_a_schema_is_resolved_by_its_content(client):
    """However it is written; asked for once; and then known by its id, too."""
    await client.register(SUBJECT, V1)
    counting = Counting(client)
    cache = SchemaCache(counting)
    found = await cache.resolve(SUBJECT, V1)
    assert (found.id, found.schema) == (1, Schema.parse(V1))
    assert await cache.resolve(SUBJECT, f" {V1}\n") == found
    assert cache.get(1) == found
    assert counting.asked == [SUBJECT]


@pytest.mark.parametrize(("subject", "text"), [("none-value", V1), (SUBJECT, BAD)])
async def test_a_schema_that_is_not_registered_cannot_be_published(client, subject, text):
    """The message names the subject and where to register it."""
    await client.register(SUBJECT, V1)
    with pytest.raises(SchemaNotFound, match=f"not registered under {subject}.*exchange schema register"):
        await SchemaCache(client).resolve(subject, text)


async def test_what_is_no_schema_is_not_asked_for(client):
    """The text is read before anything is sent."""
    counting = Counting(client)
    with pytest.raises(SchemaInvalid):
        await SchemaCache(counting).resolve(SUBJECT, "{")
    assert counting.asked == []
