"""The instance that the bus is tested in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from tests.fakes.bus_world import World


@pytest.fixture
async def world(kafka: str) -> World:
    """An instance of one partition a topic."""
    world = World(kafka)
    await world.create_topics()
    return world


@pytest.fixture
def sample() -> Callable[..., float]:
    """Reads one metric: `sample("exchange_published_total", topic="t")`; 0 where it was never counted."""

    def read(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    return read
