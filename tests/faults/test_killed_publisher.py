"""A publisher killed at any moment: every row is on its topic once."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.fakes.bus_world import World
from tests.faults.lives import Life
from tests.faults.scale import Scale
from tests.faults.verdict import require_exactly_once
from tests.faults.work import publish

STEP = 40
SHORTEST_START = 0.2


@pytest.mark.timeout(900)
async def test_a_publisher_killed_at_random_moments_loses_nothing(kafka: str, scale: Scale) -> None:
    """SIGKILL while it starts, seals, writes or commits, as often as the form says; the next life goes on exactly."""
    world = await World.created(kafka, partitions=3)
    chance = random.Random(11)  # noqa: S311  (which lines the kills hit)
    row = 0
    for number in range(scale.publisher_kills):
        life = Life(publish, world.place, STEP, None)
        if number % 4 == 3:  # somewhere between its birth and its first commit
            await asyncio.sleep(chance.random() * SHORTEST_START)
        else:
            for _ in range(chance.randrange(1, 5)):
                row = max(row, await life.hear())
            await asyncio.sleep(chance.random() * 0.02)
        life.kill()
        assert await life.end() == -9
    life = Life(publish, world.place, STEP, row + 10 * STEP)
    began = await life.hear()
    assert began >= row
    assert await life.end() == 0
    await require_exactly_once(world, max(row + 10 * STEP, began))
