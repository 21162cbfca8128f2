"""A registry over the store in memory, and schemas to register."""

import json
from functools import partial

import pytest

from exchange.clock import SystemClock
from exchange.registry import OpenWrites, RegistryClient, RegistryService, build_app
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port, serve
from tests.fakes.schema_store import MemorySchemaStore
from tests.registry import raw_http

SUBJECT = "gov.customs.tariff.code-listed.v1-value"


def schema(*fields, name="uz.R", **more):
    """The text of a record schema; a field is a name (a string field), a (name, type) pair, or an object."""
    made = []
    for field in fields:
        if isinstance(field, str):
            field = (field, "string")
        made.append(field if isinstance(field, dict) else {"name": field[0], "type": field[1]})
    return json.dumps({"type": "record", "name": name, "fields": made, **more})


V1 = schema("code")
V2 = schema("code", {"name": "unit", "type": ["null", "string"], "default": None})
BAD = schema("code", ("region_code", "int"))


@pytest.fixture
def store():
    """The store in memory."""
    return MemorySchemaStore()


@pytest.fixture
async def service(store):
    """A registry that is ready."""
    service = RegistryService(store)
    await service.start()
    yield service
    await service.close()


@pytest.fixture
async def url(service):
    """Where that registry is served, open to every writer."""
    listen = f"127.0.0.1:{free_port()}"
    async with serve(build_app(service, OpenWrites()), listen):
        yield f"http://{listen}"


@pytest.fixture
def ask(url):
    """Sends that registry a request: method, target, body, headers."""
    return partial(raw_http.ask, url)


@pytest.fixture
async def http():
    """Connections to other processes."""
    async with HttpClient(timeout=20.0) as http:
        yield http


@pytest.fixture
def client(http, url):
    """Our own client of the served registry, without credentials."""
    return RegistryClient(http, url, SystemClock())
