"""The instance that the bus is tested in."""

from __future__ import annotations

import pytest

from tests.fakes.bus_world import World


@pytest.fixture
async def world(kafka: str) -> World:
    """An instance of one partition a topic."""
    world = World(kafka)
    await world.create_topics()
    return world
