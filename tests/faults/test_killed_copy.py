"""A subscriber killed at any moment: every event is in its database once."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.fakes.bus_world import SCHEMA, World
from tests.faults.copies import open_copy
from tests.faults.lives import Life
from tests.faults.postgres import Postgres
from tests.faults.scale import Scale
from tests.faults.verdict import require_exactly_once
from tests.faults.work import copy, key_of

STEP = 20
BATCH = 30


@pytest.mark.timeout(900)
async def test_copies_killed_at_random_moments_have_each_event_once(
    kafka: str, scale: Scale, tmp_path: Path, postgres: Postgres
) -> None:
    """SIGKILL while they read, verify, write or commit, in SQLite and in PostgreSQL, while the topic grows."""
    world = await World.created(kafka, partitions=3)
    places = [f"sqlite:{tmp_path / str(number)}" for number in range(scale.copies)]
    places += [postgres.place() for _ in range(scale.copies)]
    stop = asyncio.Event()
    kills = scale.copy_kills // scale.copies
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publish_until(world, stop))
        await asyncio.gather(*(killed(world, place, kills, seed) for seed, place in enumerate(places)))
        stop.set()
    rows = publishing.result()
    ends = [Life(copy, world.place, f"copy-{place}", place, rows, BATCH) for place in places]
    assert [await life.end() for life in ends] == [0] * len(ends)
    for place in places:
        with open_copy(place) as found:
            await require_exactly_once(world, rows, found)


async def killed(world: World, place: str, kills: int, seed: int) -> None:
    """Begin to copy and be killed, again and again."""
    chance = random.Random(seed)  # noqa: S311  (which lines the kills hit)
    for _ in range(kills):
        life = Life(copy, world.place, f"copy-{place}", place, None, BATCH)
        for _ in range(chance.randrange(1, 6)):
            await life.hear()
        await asyncio.sleep(chance.random() * 0.02)
        life.kill()
        assert await life.end() == -9


async def publish_until(world: World, stop: asyncio.Event) -> int:
    """Publish without haste, so that there is always something to copy; how many rows."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        row = 0
        while not stop.is_set():
            for n in range(row, row + STEP):
                publisher.add(world.topic, {"n": n}, key=key_of(n))
            row += STEP
            await publisher.commit({"row": row})
            await asyncio.sleep(0.05)
    return row
