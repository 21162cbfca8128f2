"""Killed at any moment and started again: every row is on its topic once, every event in its table once."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exchange.bus import Publisher
from exchange.ids import PublisherId
from tests.connect.kafka_world import FOLLOW, KafkaWorld
from tests.connect.world import SCHEMA, Legacy

ROOT = Path(__file__).parents[2]
CAPTURE = """\
publishers:
  - name: hourly
    topic: TOPIC
    schema: weather.avsc
    table: OBS
    cursor: IZM
    key: [ORIGIN]
    batch: 40
    fields: {station: ORIGIN, temperature: TEMP, kind: {column: KIND, codes: {1: urban}}}
"""


@pytest.fixture
async def world(kafka, tmp_path):
    """An instance on a real Kafka, and a legacy database."""
    Legacy(tmp_path)
    world = KafkaWorld(kafka, tmp_path)
    await world.create_topics()
    return world


@asynccontextmanager
async def process(file):
    """The adapter as a process; killed at the end if it has not ended."""
    command = (sys.executable, "-m", "tests.connect.adapter_process", str(file))
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def until(condition, child):
    """Wait for something that the child brings about."""
    while not condition():
        assert child.returncode is None, "the adapter ended by itself"
        await asyncio.sleep(0.005)


async def test_every_row_is_published_once_however_often_the_adapter_is_killed(world):
    """SIGKILL while it publishes, three times; then the topic has each row once, in order."""
    legacy = LegacyOf(world.folder)
    file = world.adapter("capture", CAPTURE)
    legacy.observe(*((f"S{number:04}", number, "1", number) for number in range(1000)))
    reader = asyncio.create_task(world.read(1000))
    for _ in range(3):
        async with process(file) as child:
            moment = asyncio.create_task(world.read(1, group=f"watch-{child.pid}"))
            await moment
            await asyncio.sleep(0)
            child.send_signal(signal.SIGKILL)
            await child.wait()
    async with process(file) as child:
        events = await reader
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
    assert [event.data["station"] for event in events] == [f"S{number:04}" for number in range(1000)]
    assert [event.sequence for event in events] == list(range(1000))


async def test_every_event_is_written_once_though_the_adapter_is_killed_half_way(world):
    """SIGKILL while it writes, then a second life; the table was changed once by each event, in order."""
    legacy = LegacyOf(world.folder)
    legacy.run("CREATE TABLE WEATHER (STATION TEXT PRIMARY KEY, TEMP REAL)")
    legacy.run("CREATE TABLE WRITTEN (NO INTEGER PRIMARY KEY, STATION TEXT, TEMP REAL)")
    for event in ("INSERT", "UPDATE"):
        legacy.run(
            f"CREATE TRIGGER T_{event} AFTER {event} ON WEATHER BEGIN "
            "INSERT INTO WRITTEN (STATION, TEMP) VALUES (NEW.STATION, NEW.TEMP); END"
        )
    file = world.adapter("follow", FOLLOW)

    def written():
        return legacy.run("SELECT count(*) FROM WRITTEN")[0][0]

    expected = [(f"S{number % 7}", float(number)) for number in range(1200)]
    await publish(world, expected[:200])
    async with process(file) as child:
        await until(lambda: written() > 0, child)
        publishing = asyncio.create_task(publish(world, expected[200:800]))
        await until(lambda: written() > 200, child)
        child.send_signal(signal.SIGKILL)
        await child.wait()
    await publishing
    await publish(world, expected[800:])
    async with process(file) as child:
        await until(lambda: written() >= len(expected), child)
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
    assert legacy.run("SELECT STATION, TEMP FROM WRITTEN ORDER BY NO") == expected
    assert dict(legacy.run("SELECT STATION, TEMP FROM WEATHER")) == dict(expected)


async def publish(world, events):
    """All events, a few a transaction, while the adapter writes."""
    context = world.context()
    arguments = (context.bootstrap, context.signer, context.directory, context.schemas, context.clock)
    async with Publisher(PublisherId(world.agency, "hourly"), *arguments) as publisher:
        await publisher.open(world.topic, json.dumps(SCHEMA))
        for number, (station, temperature) in enumerate(events):
            publisher.add(world.topic, {"station": station, "temperature": temperature}, key=station)
            if number % 10 == 0:
                await publisher.commit()
        await publisher.commit()


class LegacyOf(Legacy):
    """The database of a folder that has one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "legacy.db"
