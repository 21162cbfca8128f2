"""Writes over HTTP: who is admitted, where the log holds what they changed, and what the house thinks of a schema."""

import json
from contextlib import asynccontextmanager
from functools import partial

import pytest

from exchange.errors import PublisherFenced
from exchange.ids import uuid7
from exchange.registry import Linting, OpenWrites, RegistryService, SignedWrites, build_app
from exchange.registry.entities import ConfigUpdate, SchemaRequest
from exchange.transport.http import HttpRequest, sign_request
from exchange.transport.web import free_port, serve
from tests.fakes.instance import INTERIOR, RESIDENCE_TOPIC, TAX, FakeInstance
from tests.fakes.moving_clock import NOON, MovingClock
from tests.fakes.schema_store import MemorySchemaStore
from tests.registry import raw_http
from tests.registry.conftest import BAD, V1, V2, schema

OWN = f"{RESIDENCE_TOPIC}-value"
LISTED = {"schema": schema("Code", ("payload", {"type": "map", "values": "string"}), name="uz.R")}


@asynccontextmanager
async def served(*parts):
    """Sends requests to a registry made of these parts."""
    listen = f"127.0.0.1:{free_port()}"
    async with serve(build_app(*parts), listen):
        yield partial(raw_http.ask, f"http://{listen}")


@pytest.fixture
def instance():
    """Agencies with keys; interior owns the residence topic."""
    return FakeInstance(NOON)


@pytest.fixture
def clock():
    """A clock that stands at noon."""
    return MovingClock()


@pytest.fixture
async def owned(service, instance, clock):
    """Asks a registry that wants to know who writes; `agency` signs."""
    async with served(service, SignedWrites(instance.directory, clock)) as ask:

        async def send(method, target, body=None, agency=None):
            headers = {"host": "registry.example"}
            if agency is not None:
                path, _, query = target.partition("?")
                content = b"" if body is None else json.dumps(body).encode()
                request = HttpRequest(method, headers["host"], path, query, {}, content)
                headers |= sign_request(request, uuid7(), instance.credentials(agency), clock.now())
            return await ask(method, target, body, **headers)

        yield send


WRITES = [
    ("POST", f"/subjects/{OWN}/versions", {"schema": V1}),
    ("DELETE", f"/subjects/{OWN}/versions/1", None),
    ("DELETE", f"/subjects/{OWN}", None),
    ("PUT", f"/config/{OWN}", {"compatibility": "NONE"}),
    ("DELETE", f"/config/{OWN}", None),
    ("PUT", f"/mode/{OWN}", {"mode": "READWRITE"}),
    ("DELETE", f"/mode/{OWN}", None),
]
FOR_ALL = [
    ("PUT", "/config", {"compatibility": "NONE"}),
    ("DELETE", "/config", None),
    ("PUT", "/mode", {"mode": "READONLY"}),
    ("DELETE", "/mode", None),
    ("DELETE", "/contexts/.a", None),
    ("PUT", "/config/:.:", {"compatibility": "NONE"}),
    ("PUT", "/contexts/./config", {"compatibility": "NONE"}),
]


class TestAdmission:
    """Who may write what."""

    @pytest.mark.parametrize(("method", "target", "body"), WRITES + FOR_ALL)
    async def test_nobody_writes_without_a_name(self, owned, method, target, body):
        """401, and nothing changes."""
        assert (await owned(method, target, body)).error == (401, 40101)

    @pytest.mark.parametrize(("method", "target", "body"), WRITES)
    async def test_the_owner_alone_writes(self, owned, method, target, body):
        """403 for anyone else, in any spelling of the subject."""
        refused = await owned(method, target.replace(OWN, f":.:{OWN}"), body, agency=TAX)
        assert refused.error == (403, 40301)
        assert str(INTERIOR) in refused.json["message"]
        assert (await owned(method, target, body, agency=INTERIOR)).status not in (401, 403)

    @pytest.mark.parametrize(("method", "target", "body"), FOR_ALL)
    async def test_what_concerns_all_is_no_agencys(self, owned, method, target, body):
        """Settings of the registry, and of whole contexts."""
        assert (await owned(method, target, body, agency=INTERIOR)).error == (403, 40301)

    async def test_another_name_gives_no_right(self, service, owned):
        """Whose subject it is counts for what the name stands for."""
        await service.register(OWN, SchemaRequest(schema=V1))
        await service.set_config("mine-value", ConfigUpdate(alias=OWN))
        target = "/subjects/mine-value/versions"
        assert (await owned("POST", target, {"schema": V2}, agency=TAX)).error == (403, 40301)
        assert (await owned("POST", target, {"schema": V2}, agency=INTERIOR)).json["version"] == 2

    async def test_a_subject_of_another_context_is_nobodys(self, owned):
        """Its topic is not in the directory."""
        target = f"/contexts/.a/subjects/{OWN}/versions"
        assert (await owned("POST", target, {"schema": V1}, agency=INTERIOR)).error == (403, 40301)

    async def test_a_write_that_is_tried_again_is_admitted_once(self, service, instance, clock):
        """What is tried anew after another replica took over is no replay."""
        path, fenced = f"/subjects/{OWN}/versions", [PublisherFenced("another writes now")]

        class Once(RegistryService):
            async def register(self, *arguments):
                if fenced:
                    raise fenced.pop()
                return await super().register(*arguments)

        class Again:
            async def write(self, request, execute):
                with pytest.raises(PublisherFenced):
                    await execute()
                return await execute()

        once = Once(MemorySchemaStore())
        await once.start()
        body = {"schema": V1}
        request = HttpRequest("POST", "registry.example", path, "", {}, json.dumps(body).encode())
        headers = sign_request(request, uuid7(), instance.credentials(INTERIOR), clock.now())
        async with served(once, SignedWrites(instance.directory, clock), Again()) as ask:
            assert (await ask("POST", path, body, host="registry.example", **headers)).status == 200
        await once.close()


class TestOffsets:
    """Every write says up to where the log holds it."""

    async def test_it_grows_with_what_is_written(self, ask, store):
        """The offset of the newest record there is; reads do not tell it."""
        for method, target, body in (
            ("POST", "/subjects/a/versions", {"schema": V1}),
            ("PUT", "/config/a", {"compatibility": "NONE"}),
            ("PUT", "/mode/a", {"mode": "READONLY"}),
            ("DELETE", "/mode/a", None),
            ("DELETE", "/config/a", None),
            ("DELETE", "/subjects/a/versions/1", None),
        ):
            reply = await ask(method, target, body)
            assert (reply.status, int(reply.headers["exchange-offset"])) == (200, len(store.log.records) - 1)
        assert "exchange-offset" not in (await ask("GET", "/subjects")).headers

    async def test_a_refusal_has_none(self, ask):
        """Nothing was written."""
        await ask("POST", "/subjects/a/versions", {"schema": V1})
        refused = await ask("POST", "/subjects/a/versions", {"schema": BAD})
        assert refused.status == 409
        assert "exchange-offset" not in refused.headers


class TestLint:
    """What the house would have otherwise, told to those who ask."""

    @pytest.fixture
    async def linted(self, store):
        """Asks a registry that warns."""
        service = RegistryService(store, linting=Linting(mode="warn"))
        await service.start()
        async with served(service, OpenWrites()) as ask:
            yield ask
        await service.close()

    async def test_warnings_come_with_the_answer(self, linted):
        """By a header or in the query; each names its place."""
        for query, headers in (("", {"exchange_lint": "warn"}), ("?lint=true", {})):
            reply = await linted("POST", f"/subjects/a/versions{query}", LISTED, **headers)
            assert (reply.status, reply.json["id"]) == (200, 1)
            assert any("Code" in each for each in reply.json["warnings"])

    async def test_nobody_else_gets_them(self, linted):
        """The answer to other clients is Confluent's alone."""
        reply = await linted("POST", "/subjects/a/versions", LISTED)
        assert reply.json.keys() == {"id", "version", "guid", "schemaType", "schema"}
