"""Promise 5: kill the publisher at any moment, and every row is on the topic exactly once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys

import pytest

from exchange.bus import POSITIONS_TOPIC
from exchange.errors import PublisherFenced, TransportError
from exchange.transport.kafka import Outgoing, TransactionalProducer, partition_of
from tests.fakes.bus_world import SCHEMA, World, read_all

ROWS = 12_000
STEP = 150


async def start(world: World, rows: int) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "tests.fakes.publishing_process", world.kafka, world.name, str(rows), str(STEP)]
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


async def test_ten_kills_lose_nothing_and_duplicate_nothing(kafka):
    """A publisher killed with SIGKILL ten times while it writes leaves every row once, numbered without a hole."""
    world = await World.created(kafka, partitions=2)
    chance = random.Random(7)  # noqa: S311  (which lines the kills hit, the same each run)
    for _ in range(10):
        process = await start(world, ROWS)
        for _ in range(chance.randrange(1, 6)):
            await process.stdout.readline()
        await asyncio.sleep(chance.random() * 0.02)  # anywhere within sealing, writing or committing
        os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
    process = await start(world, ROWS)
    await process.communicate()
    assert process.returncode == 0
    events = await read_all(world, ROWS)
    assert sorted(event.data["n"] for event in events) == list(range(ROWS))
    for partition in (0, 1):
        mine = [event.sequence for event in events if event.partition == partition]
        assert mine == list(range(len(mine)))
    assert max(event.epoch for event in events) == 11


async def test_a_second_publisher_fences_the_first(world):
    """Whoever starts last owns the publisher: the one before it can commit nothing more, and says so."""
    async with world.publisher() as first:
        await first.open(world.topic, SCHEMA)
        await first.publish(world.topic, {"n": 0}, key="k")
        first.add(world.topic, {"n": 99}, key="k")
        async with world.publisher() as second:
            await second.open(world.topic, SCHEMA)
            with pytest.raises(PublisherFenced) as fenced:
                await first.commit()
            assert not fenced.value.retriable
            with pytest.raises(TransportError, match="start a new one"):
                await first.commit({"row": 1})
            await second.publish(world.topic, {"n": 1}, key="k")
    assert [(event.data["n"], event.sequence, event.epoch) for event in await read_all(world, 2)] == [
        (0, 0, 1),
        (1, 1, 2),
    ]


async def test_a_publisher_continues_where_it_was_committed(world):
    """The application's place, the sequences and the epoch are found again by the next process."""
    async with world.publisher() as publisher:
        assert publisher.position is None
        await publisher.open(world.topic, SCHEMA)
        publisher.add(world.topic, {"n": 0}, key="k")
        await publisher.commit({"row": 41})
        publisher.add(world.topic, {"n": 1}, key="k")  # not committed: the process ends here
    async with world.publisher() as publisher:
        assert publisher.position == {"row": 41}
        assert publisher.epoch == 2
        assert await publisher.commit({"row": 42}) == 0
    async with world.publisher() as publisher:
        assert publisher.position == {"row": 42}
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 2}, key="k")
        assert publisher.position == {"row": 42}
    assert [(event.data["n"], event.sequence) for event in await read_all(world, 2)] == [(0, 0), (2, 1)]


async def test_another_publishers_open_transaction_does_not_hide_our_position(world):
    """A neighbour's unfinished transaction on the positions topic delays a start, and never makes it start anew."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        neighbour = TransactionalProducer(world.kafka, f"{world.name}-neighbour")
        await neighbour.start()
        partitions = await neighbour.partitions(POSITIONS_TOPIC)
        place = partition_of(str(world.publisher_id).encode(), partitions)
        async with neighbour.transaction() as transaction:
            await transaction.write([Outgoing(POSITIONS_TOPIC, place, b"neighbour", b"{}", [])])
            publisher.add(world.topic, {"n": 0}, key="k")
            await publisher.commit({"row": 7})
            successor = world.publisher()
            starting = asyncio.ensure_future(successor.start())
            done, _ = await asyncio.wait([starting], timeout=1.5)
            assert not done
        await starting
        await neighbour.close()
    assert successor.position == {"row": 7}
    await successor.close()
