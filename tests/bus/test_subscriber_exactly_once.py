"""Exactly once: rows and place in one transaction of the sink, whoever is killed, fenced or late."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress

import pytest

from exchange.bus import Membership, StoredPosition
from exchange.errors import DatabaseUnavailable, SinkFenced
from tests.fakes.bus_world import SCHEMA, World, collect
from tests.fakes.sqlite_sink import SqliteSink
from tests.fakes.waiting import until


@pytest.fixture
async def wide(kafka):
    """An instance whose topic has two partitions."""
    return await World.created(kafka, partitions=2)


async def publish(world, start, end):
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for n in range(start, end):
            publisher.add(world.topic, {"n": n}, key=f"k{n % 40}")
            if n % 500 == 499:
                await publisher.commit()
        await publisher.commit()


async def fed(subscriber, sink, count):
    """Feed a sink until it has `count` rows."""
    feeding = asyncio.ensure_future(subscriber.exactly_once(sink))
    counting = asyncio.ensure_future(until(lambda: len(sink.numbers()) >= count))
    await asyncio.wait([feeding, counting], return_when=asyncio.FIRST_COMPLETED)
    subscriber.stop()
    await feeding
    await counting


async def test_a_sink_has_every_event_once_over_restarts(wide, tmp_path):
    """Process after process goes on from the sink's place."""
    await publish(wide, 0, 600)
    for count in (200, 400, 600):
        async with wide.subscriber("store", batch_records=40) as subscriber:
            await fed(subscriber, SqliteSink(tmp_path / "rows.db"), count)
    assert sorted(SqliteSink(tmp_path / "rows.db").numbers()) == list(range(600))


async def test_the_sinks_place_counts_and_not_the_groups(world, tmp_path):
    """A sink restored from yesterday's copy is given again what it lacks, though the group had committed it."""
    await publish(world, 0, 10)
    async with world.subscriber("store") as subscriber:
        await collect(subscriber, 10)
    async with world.subscriber("store") as subscriber:
        await subscriber.wait_assigned()
        sink = SqliteSink(tmp_path / "rows.db")
        await fed(subscriber, sink, 10)
    assert sink.numbers() == list(range(10))


async def test_a_killed_process_leaves_every_row_once(wide, tmp_path):
    """SIGKILL at any moment, again and again, in a group of two: each event is stored once, and in order."""
    await publish(wide, 0, 3_000)
    path, chance = tmp_path / "rows.db", random.Random(5)  # noqa: S311  (which lines the kills hit, the same each run)
    sink = SqliteSink(path)
    command = ["-m", "tests.fakes.storing_process", wide.kafka, wide.name, "2", str(path), "store"]
    other = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.DEVNULL)
    for _ in range(4):
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                for _ in range(chance.randrange(1, 6)):
                    await process.stdout.readline()
        await asyncio.sleep(chance.random() * 0.02)
        os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
    await until(lambda: len(sink.numbers()) >= 3_000)
    os.kill(other.pid, signal.SIGKILL)
    await other.wait()
    assert sorted(sink.numbers()) == list(range(3_000))
    for partition in (0, 1):
        assert sink.offsets(partition) == sorted(sink.offsets(partition))


async def test_a_place_that_another_process_moved_is_read_again(world, tmp_path):
    """A writer that is fenced stores nothing, and goes on from what is stored."""
    await publish(world, 0, 30)
    path = tmp_path / "rows.db"
    async with world.subscriber("store", batch_records=10) as subscriber:
        sink, other = SqliteSink(path), SqliteSink(path)
        store = sink.store

        async def first_another(batch):
            if batch.first_offset == 0:
                await other.load(batch.group, batch.topic, batch.partition)
                await other.store(batch)
            await store(batch)

        sink.store = first_another
        await fed(subscriber, sink, 30)
    assert sink.numbers() == list(range(30))


async def test_a_sink_that_fails_ends_the_run_and_nothing_is_lost(world, tmp_path):
    """An error of the sink's comes out; called again, the run goes on from what is stored."""
    await publish(world, 0, 20)
    sink = SqliteSink(tmp_path / "rows.db")
    store, failures = sink.store, [DatabaseUnavailable("the database is away")]

    async def failing_once(batch):
        if failures and batch.first_offset > 0:
            raise failures.pop()
        await store(batch)

    sink.store = failing_once
    async with world.subscriber("store", batch_records=5) as subscriber:
        with pytest.raises(DatabaseUnavailable):
            await subscriber.exactly_once(sink)
        await fed(subscriber, sink, 20)
    assert sink.numbers() == list(range(20))


async def test_a_place_that_cannot_be_read_again_ends_the_run(world):
    """After a fence the stored place is needed: without it nothing more is handed out."""
    await publish(world, 0, 20)

    class Losing:
        """Loads once."""

        def __init__(self):
            self.loaded = 0

        async def load(self, group, topic, partition):
            self.loaded += 1
            if self.loaded > 2:
                raise DatabaseUnavailable("the database is away")
            return StoredPosition(0, "")

        async def store(self, batch):
            raise SinkFenced("moved")

    async with world.subscriber("store", batch_records=5, membership=Membership(session_seconds=6)) as subscriber:
        with pytest.raises(DatabaseUnavailable):
            await subscriber.exactly_once(Losing())
        with pytest.raises(DatabaseUnavailable):
            await anext(subscriber.batches())
