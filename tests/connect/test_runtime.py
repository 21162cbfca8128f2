"""One file's parts run together, are ready together, and end together with what is under way committed."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
from prometheus_client import REGISTRY

from exchange.connect import AdapterRuntime, load_adapter
from exchange.errors import AdapterError, ProcessError, SchemaNotFound, SettingsError
from exchange.ids import ServiceId
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port
from tests.connect.test_capture import stations, until
from tests.connect.test_provider import GATEWAY, Grant, sign_grant
from tests.connect.world import ADAPTER, FOLLOWER, SCHEMA, TOPIC, context, runtime
from tests.fakes.adapter_bus import MemoryBus
from tests.fakes.instance import PROCUREMENT, TAX, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import NOON, MovingClock

BOTH = ADAPTER + FOLLOWER[FOLLOWER.index("subscriptions:") :]
SERVICE = """\
version: 1
agency: UZ/GOV/tax/registry
database:
  url: sqlite:///${DATA}/legacy.db
services:
  - name: tax-standing
    listen: 127.0.0.1:${PORT}
    table: TAXPAYERS
    individual: {scheme: uz-tin, column: STIR}
    fields: {standing: {column: HOLAT, codes: {1: good}}}
"""


async def test_every_part_of_a_file_runs(legacy, bus):
    """Publishers and subscriptions side by side, on one database."""
    legacy.observe(("A", 1, "1", 1))
    bus.append("gov.interior.civil.residence-changed.v1", {"pinfl": "1", "region": "26", "changed": None})
    stop, adapter = asyncio.Event(), runtime(legacy, bus, BOTH)
    assert adapter.not_ready() == "starting"
    task = asyncio.create_task(adapter.run(stop))
    await until(lambda: adapter.not_ready() is None)
    await until(lambda: stations(bus) == ["A"] and legacy.copies() == [("1", "26", None)])
    stop.set()
    await task


async def test_a_part_that_fails_ends_the_others(legacy, bus):
    """They finish what they have under way, and the failure is told."""
    legacy.observe(("A", 1, "1", 1))
    twice = ADAPTER[ADAPTER.index("  - name") :].replace("hourly", "second").replace("table: OBS", "table: TWICE")
    legacy.run("CREATE TABLE TWICE (ORIGIN TEXT, TEMP, KIND TEXT, IZM INTEGER)")
    adapter = runtime(legacy, bus, ADAPTER + twice)
    task = asyncio.create_task(adapter.run(asyncio.Event()))
    await until(lambda: stations(bus) == ["A"])
    legacy.run("INSERT INTO TWICE VALUES ('A', 1, '1', 1), ('B', 1, '1', 1)")
    with pytest.raises(AdapterError, match="has one value in two rows"):
        await task


def slow_bus():
    """A bus whose commits wait until its gate is opened."""
    bus = MemoryBus()
    bus.gate = asyncio.Event()
    return bus


@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_a_commit_under_way_is_waited_for(legacy, how):
    """When the adapter is told to stop, and when it is cancelled."""
    bus = slow_bus()
    legacy.observe(("A", 1, "1", 1))
    stop = asyncio.Event()
    task = asyncio.create_task(runtime(legacy, bus).run(stop))
    await until(lambda: bus.is_waiting)
    if how == "stop":
        stop.set()
    else:
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    bus.gate.set()
    await asyncio.wait({task})
    assert stations(bus) == ["A"]
    assert task.cancelled() is (how == "cancel")


async def test_a_commit_that_does_not_end_is_broken_off(legacy):
    """After the grace; it is then not committed, and the next run publishes the rows."""
    bus = slow_bus()
    legacy.observe(("A", 1, "1", 1))
    stop = asyncio.Event()
    task = asyncio.create_task(runtime(legacy, bus, grace=0.01).run(stop))
    await until(lambda: bus.is_waiting)
    stop.set()
    with pytest.raises(ProcessError, match="is not committed"):
        await task
    assert bus.data(TOPIC) == []
    bus.gate.set()
    await runtime(legacy, bus).run_once()
    assert stations(bus) == ["A"]


WRONG = [
    ("table: OBS", "table: OBZ", "10:5", "there is no table OBZ; did you mean OBS"),
    ("cursor: IZM", "cursor: SEQ", "11:5", "has no column SEQ"),
    ("key: [ORIGIN]", "key: [ORIGINE]", "12:5", "has no column ORIGINE; did you mean ORIGIN"),
    ("station: ORIGIN", "station: STATION", "15:7", "has no column STATION"),
    ("station: ORIGIN", "statoin: ORIGIN", "15:7", "field 'statoin' is not in the schema"),
    ("{1: urban", "{1: urbane", "17:7", "'urbane' is not a symbol of field 'kind'"),
    ("schema: weather.avsc", "schema: none.avsc", "9:5", "no such file"),
    ("schema: weather.avsc", "schema: adapter.yaml", "9:5", "adapter.yaml"),
]


@pytest.mark.parametrize(("right", "wrong", "place", "words"), WRONG)
async def test_a_file_that_does_not_fit_its_database_ends_at_once(legacy, bus, right, wrong, place, words):
    """With the place in the file, and before anything is published."""
    with pytest.raises(AdapterError) as refusal:
        await runtime(legacy, bus, ADAPTER.replace(right, wrong)).run_once()
    assert str(refusal.value).startswith(f"{legacy.folder / 'adapter.yaml'}:{place}: ")
    assert words in str(refusal.value)
    assert bus.epochs == {}


async def test_a_schema_that_is_not_registered_ends_the_adapter(legacy, bus):
    """Nothing is published without a contract."""
    adapter = legacy.adapter()
    bus.register(TOPIC, json.dumps({**SCHEMA, "name": "Other"}))
    with pytest.raises(SchemaNotFound):
        await AdapterRuntime(adapter, root=legacy.folder, context=context(), bus=bus).run_once()


async def test_a_database_that_is_not_there_ends_the_adapter(legacy, bus):
    """At the start; no empty file is made in its place."""
    adapter = runtime(legacy, bus)
    legacy.path.unlink()
    with pytest.raises(AdapterError, match="no such file"):
        await adapter.run_once()
    assert not legacy.path.exists()


@pytest.fixture
def taxpayers(legacy):
    """The adapter of a lookup service, its instance and address."""
    legacy.run("CREATE TABLE TAXPAYERS (STIR TEXT PRIMARY KEY, HOLAT TEXT)")
    legacy.run("INSERT INTO TAXPAYERS VALUES ('301234567', '1')")
    path, port = legacy.folder / "tax.yaml", free_port()
    path.write_text(SERVICE)
    instance, clock = FakeInstance(NOON), MovingClock()
    given = context(instance.directory, instance.keys[TAX], clock)
    file = load_adapter(path, {"DATA": str(legacy.folder), "PORT": str(port)})
    adapter = AdapterRuntime(file, root=legacy.folder, context=given, bus=MemoryBus())
    return adapter, instance, clock, f"http://127.0.0.1:{port}"


async def ask(instance, clock, url, transaction="019aab00-0000-7000-8000-000000000001"):
    """The gateway's question over HTTP; status and body of an answer that verified."""
    gateway = instance.credentials(GATEWAY)
    made = Grant(ServiceId.parse(TAX_STANDING), PROCUREMENT, transaction, "p", frozenset({"standing"}), "consent")
    question = {
        "grant": sign_grant(made, gateway, clock.now()),
        "individual": {"scheme": "uz-tin", "value": "301234567"},
        "fields": ["standing"],
    }
    body, answering = json.dumps(question).encode(), (TAX, instance.directory())
    async with HttpClient() as http:
        answer = await http.send_signed(
            "POST", f"{url}/v1/lookups", body, gateway, transaction, clock, answering=answering
        )
    return answer.status, json.loads(answer.body)


async def test_a_service_answers_a_gateway(taxpayers):
    """Over HTTP, with its readiness beside it, until it is stopped."""
    adapter, instance, clock, url = taxpayers
    stop = asyncio.Event()
    task = asyncio.create_task(adapter.run(stop))
    await until(lambda: adapter.not_ready() is None)
    assert await ask(instance, clock, url) == (200, {"data": {"standing": "good"}})
    async with HttpClient() as http:
        assert (await http.send("GET", f"{url}/readyz")).status == 200
    stop.set()
    await task


async def test_an_address_that_is_taken_ends_the_adapter(taxpayers):
    """The message says where it cannot listen."""
    adapter, _, _, url = taxpayers
    port = int(url.rpartition(":")[2])
    other = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port)
    with pytest.raises(SettingsError, match=f"cannot listen at 127.0.0.1:{port}"):
        await adapter.run(asyncio.Event())
    other.close()


async def test_a_service_waits_for_a_database_that_is_locked(legacy, taxpayers):
    """It listens once it has seen its table."""
    adapter, _, _, _ = taxpayers
    name, code = "exchange_adapter_errors_total", {"code": "database_unavailable"}
    before = REGISTRY.get_sample_value(name, code) or 0
    stop = asyncio.Event()
    with closing(sqlite3.connect(legacy.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        task = asyncio.create_task(adapter.run(stop))
        await until(lambda: (REGISTRY.get_sample_value(name, code) or 0) > before + 1)
        assert adapter.not_ready() == "not ready: tax-standing"
        other.execute("ROLLBACK")
    await until(lambda: adapter.not_ready() is None)
    stop.set()
    await task
