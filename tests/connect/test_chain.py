"""From one agency's table to another's, over a real Kafka: sealed, verified, in the pseudonym's name."""

from __future__ import annotations

import asyncio
import json

import pytest

from exchange.bus import DeadLetterDesk, Post, Selection, read_ledger
from exchange.connect import AdapterRuntime, check_adapter, load_adapter
from exchange.envelope import Opener
from exchange.errors import BrokerUnreachable
from exchange.transport.kafka import IdempotentProducer, Outgoing
from exchange.transport.web import free_port
from tests.connect.kafka_world import FOLLOW, KafkaWorld, load_directory
from tests.connect.test_capture import until
from tests.connect.world import PEPPER, Legacy

CAPTURE = """\
publishers:
  - name: hourly
    topic: TOPIC
    schema: weather.avsc
    table: OBS
    cursor: IZM
    key: {pseudonym: {scheme: uz-pinfl, column: ORIGIN}}
    time: {column: KIND, format: "%d.%m.%Y", zone: Asia/Tashkent}
    fields:
      station: {column: ORIGIN, charset: cp1251}
      temperature: TEMP
"""


@pytest.fixture
async def world(kafka, tmp_path):
    """An instance, its topics made, its two tables."""
    legacy = Legacy(tmp_path)
    legacy.run("CREATE TABLE WEATHER (STATION TEXT PRIMARY KEY, TEMP REAL)")
    world = KafkaWorld(kafka, tmp_path)
    await world.create_topics()
    world.legacy = legacy
    return world


def adapter(world, name, parts):
    """An adapter of the agency."""
    file = load_adapter(world.adapter(name, parts), {})
    return AdapterRuntime(file, root=world.folder, context=world.context())


async def test_rows_arrive_in_the_other_table(world):
    """Text in its charset, the key a pseudonym, the time the row's; changes follow."""
    world.legacy.run("INSERT INTO OBS VALUES (CAST(? AS TEXT), 1.5, '22.11.2026', 1)", "Чирчик".encode("cp1251"))
    stop = asyncio.Event()
    running = [asyncio.create_task(adapter(world, "capture", CAPTURE).run(stop))]
    running.append(asyncio.create_task(adapter(world, "follow", FOLLOW).run(stop)))
    await until(lambda: world.legacy.run("SELECT * FROM WEATHER") == [("Чирчик", 1.5)])
    world.legacy.run("UPDATE OBS SET TEMP = 7, IZM = 2")
    await until(lambda: world.legacy.run("SELECT * FROM WEATHER") == [("Чирчик", 7.0)])
    stop.set()
    await asyncio.gather(*running)
    [first, _] = await world.read(2)
    assert first.key == first.subject
    assert first.time.isoformat() == "2026-11-21T19:00:00+00:00"
    assert first.publisher == f"{world.agency}/hourly"


async def test_a_record_that_nobody_sealed_is_not_written(world):
    """It is a dead letter; the events around it arrive."""
    async with IdempotentProducer(world.kafka) as producer:
        await producer.write([Outgoing(world.topic, 0, b"k", b"\x00\x00\x00\x00\x01forged", [])])
    world.legacy.run("INSERT INTO OBS VALUES ('A', 1, '22.11.2026', 1)")
    await adapter(world, "capture", CAPTURE).run_once()
    stop = asyncio.Event()
    task = asyncio.create_task(adapter(world, "follow", FOLLOW).run(stop))
    await until(lambda: world.legacy.run("SELECT STATION FROM WEATHER") == [("A",)])
    stop.set()
    await task


async def test_an_event_that_the_table_refused_goes_in_after_a_retry(world):
    """It is a dead letter whole; once the table takes it, `exchange dlq retry` brings it back to that table."""
    world.legacy.run("DROP TABLE WEATHER")
    world.legacy.run("CREATE TABLE WEATHER (STATION TEXT PRIMARY KEY, TEMP REAL CHECK (TEMP < 100))")
    world.legacy.run("INSERT INTO OBS VALUES ('hot', 150, '22.11.2026', 1), ('mild', 15, '22.11.2026', 2)")
    await adapter(world, "capture", CAPTURE).run_once()
    context = world.context()
    post = Post(world.agency, context.bootstrap, context.signer, context.directory, context.clock)
    opener = Opener(context.directory, context.schemas, clock=context.clock)

    async def follow_until(rows):
        stop = asyncio.Event()
        task = asyncio.create_task(adapter(world, "follow", FOLLOW).run(stop))
        await until(lambda: world.legacy.run("SELECT STATION FROM WEATHER ORDER BY 1") == [(row,) for row in rows])
        stop.set()
        await task

    await follow_until(["mild"])
    [entry] = (await read_ledger(world.kafka, world.agency, opener, context.clock)).entries.values()
    assert (entry.letter.code, entry.letter.handler, entry.is_whole) == ("row_refused", "copies", True)
    world.legacy.run("DROP TABLE WEATHER")
    world.legacy.run("CREATE TABLE WEATHER (STATION TEXT PRIMARY KEY, TEMP REAL)")
    async with DeadLetterDesk(post, opener) as desk:
        assert len([done async for done in desk.retry(desk.select(Selection(), "retried"))]) == 1
    await follow_until(["hot"])
    assert world.legacy.run("SELECT TEMP FROM WEATHER") == [(150.0,)]


async def test_the_check_agrees_with_what_runs(world):
    """No finding for a file that works."""
    world.legacy.run("INSERT INTO OBS VALUES ('A', 1, '22.11.2026', 1)")
    directory = load_directory(world.folder)
    for name, parts in (("capture", CAPTURE), ("follow", FOLLOW)):
        file = load_adapter(world.adapter(name, parts), {})
        assert await check_adapter(file, root=world.folder, directory=directory, pepper=PEPPER) == []


async def test_kafka_that_is_not_there_is_said_with_its_address(world):
    """The adapter ends; no row was touched."""
    path = world.folder / "world.json"
    nowhere = f"127.0.0.1:{free_port()}"
    path.write_text(json.dumps({**json.loads(path.read_text()), "kafka": nowhere}))
    for name, parts in (("capture", CAPTURE), ("follow", FOLLOW)):
        with pytest.raises(BrokerUnreachable, match=nowhere):
            await adapter(world, name, parts).run(asyncio.Event())
