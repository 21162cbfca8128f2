"""A cluster loses brokers: leaders and coordinators move, publisher and subscriber go on, nothing is lost or twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import cycle
from pathlib import Path

import pytest

from exchange.transport.kafka import KafkaCluster
from tests.fakes.bus_world import World
from tests.faults.copies import open_copy
from tests.faults.figures import note
from tests.faults.load import Load
from tests.faults.scale import Scale, chosen
from tests.faults.verdict import require_exactly_once

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
async def world(cluster: KafkaCluster) -> World:
    """An instance of three partitions a topic, everything in three copies."""
    world = World(cluster.bootstrap, partitions=3, replication=3)
    await world.create_topics()
    return world


async def test_a_broker_is_killed_again_and_again(
    cluster: KafkaCluster, world: World, scale: Scale, tmp_path: Path
) -> None:
    """SIGKILL to one broker after the other, each started again at once: rows go on, and each is there once."""
    place = f"sqlite:{tmp_path / 'copy'}"
    async with Load(world, place) as load:
        for _, number in zip(range(scale.broker_kills), cycle(cluster.nodes), strict=False):
            began = time.monotonic()
            await cluster.kill(number)
            await cluster.start(number)
            await load.go_on()
            await asyncio.sleep(max(0.0, began + scale.broker_seconds - time.monotonic()))  # the rhythm of the kills
    note(f"{scale.broker_kills} brokers killed", load)
    with open_copy(place) as copy:
        await require_exactly_once(world, load.rows, copy)


@pytest.mark.parametrize("role", chosen().roles)
async def test_who_has_a_role_is_lost(cluster: KafkaCluster, world: World, tmp_path: Path, role: str) -> None:
    """The broker that leads, coordinates transactions or keeps the group goes away; another takes over."""
    find: dict[str, Callable[[], Awaitable[int]]] = {
        "leader": lambda: cluster.leader(world.topic),
        "transaction coordinator": lambda: cluster.transaction_coordinator(str(world.publisher_id)),
        "group coordinator": lambda: cluster.group_coordinator(world.group("load")),
        "restart": lambda: cluster.leader(world.topic),
    }
    place = f"sqlite:{tmp_path / 'copy'}"
    async with Load(world, place) as load:
        number = await find[role]()
        await (cluster.stop if role == "restart" else cluster.kill)(number)
        await load.go_on()  # by the two that are left
        await cluster.start(number)
        await load.go_on()
    note(f"{role} lost", load)
    with open_copy(place) as copy:
        await require_exactly_once(world, load.rows, copy)
