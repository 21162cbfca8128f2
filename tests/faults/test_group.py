"""A group that grows and shrinks while events come: every event is in the copy once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.bus_world import SCHEMA, World
from tests.faults.copies import SqliteCopy
from tests.faults.lives import Life
from tests.faults.scale import Scale
from tests.faults.verdict import require_exactly_once
from tests.faults.work import copy, key_of

STEP = 20
BATCH = 50


@pytest.mark.timeout(900)
async def test_a_group_of_one_then_four_then_two(kafka: str, scale: Scale, tmp_path: Path) -> None:
    """Three members join under load; of the four one is asked to leave and one is killed. Nothing is lost or twice."""
    world = await World.created(kafka, partitions=6)
    file = tmp_path / "copy"
    with SqliteCopy(file) as found:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            publishing = group.create_task(publish(world, scale.group_rows, stop))
            one = member(world, file)
            await writes(one)
            four = [one, *(member(world, file) for _ in range(3))]
            await asyncio.gather(*(writes(each) for each in four))
            leaving, killed, *two = four
            leaving.stop()
            killed.kill()
            assert await leaving.end() == 0
            assert await killed.end() == -9
            stop.set()
        rows = publishing.result()
        ending = [asyncio.create_task(each.end()) for each in two]
        while found.count() < rows and not any(each.done() for each in ending):
            await asyncio.sleep(0.05)
        for each in two:
            each.stop()
        assert await asyncio.gather(*ending) == [0, 0]
        await require_exactly_once(world, rows, found)


def member(world: World, file: Path) -> Life:
    """One more member."""
    return Life(copy, world.place, "copy", f"sqlite:{file}", None, BATCH)


async def writes(life: Life) -> None:
    """Wait until it has written something: it has partitions, and they are not only being moved."""
    heard = await life.hear()
    while not heard:
        assert heard is not None, "the member ended by itself"
        heard = await life.hear()
    assert isinstance(heard, int), heard


async def publish(world: World, rows: int, stop: asyncio.Event) -> int:
    """At least `rows`, and until `stop`; how many."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        row = 0
        while row < rows or not stop.is_set():
            for n in range(row, row + STEP):
                publisher.add(world.topic, {"n": n}, key=key_of(n))
            row += STEP
            await publisher.commit({"row": row})
            await asyncio.sleep(0.02)
    return row
