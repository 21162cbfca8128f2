"""What stands still and keeps its connections: a broker, all brokers, the network; with transactions open."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exchange.transport.kafka import KafkaCluster, KafkaNode, free_port
from tests.conftest import LIBS
from tests.fakes.bus_world import World
from tests.fakes.tcp_proxy import TcpProxy
from tests.faults.copies import open_copy
from tests.faults.figures import note
from tests.faults.load import Load
from tests.faults.scale import Scale
from tests.faults.verdict import require_exactly_once

OTHERS_SECONDS = 50.0
"""After what time at most the others have taken over: the cluster's patience, and a client's with a request."""

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("which", ["one broker", "every broker"])
async def test_brokers_that_stand_still(cluster: KafkaCluster, scale: Scale, tmp_path: Path, which: str) -> None:
    """SIGSTOP to the leader, or to all of them, while transactions are open; after SIGCONT all is there, once."""
    world = World(cluster.bootstrap, partitions=3, replication=3)
    await world.create_topics()
    place = f"sqlite:{tmp_path / 'copy'}"
    async with Load(world, place) as load:
        stalled = [await cluster.leader(world.topic)] if which == "one broker" else list(cluster.nodes)
        for number in stalled:
            cluster.pause(number)
        try:
            if which == "one broker" and scale.stall > OTHERS_SECONDS:
                await load.go_on()  # the two others do the work meanwhile
            await asyncio.sleep(scale.stall)  # how long they stand still is the fault itself
        finally:
            for number in stalled:
                cluster.resume(number)
        await load.go_on()
    note(f"{which} stood still for {scale.stall:.0f} s", load)
    with open_copy(place) as copy:
        await require_exactly_once(world, load.rows, copy)


async def test_a_network_that_stands_still(scale: Scale, tmp_path: Path) -> None:
    """Nothing passes between clients and Kafka for a while, and no connection ends; afterwards all is there, once."""
    advertised = free_port()
    node = KafkaNode(libs=LIBS, data=tmp_path / "kafka", advertised_port=advertised, heap="256m")
    async with TcpProxy(target_port=node.port, port=advertised) as wire, node:
        world = World(node.bootstrap, partitions=3)
        await world.create_topics()
        place = f"sqlite:{tmp_path / 'copy'}"
        async with Load(world, place) as load:
            wire.pause()
            await asyncio.sleep(scale.stall)  # how long nothing passes is the fault itself
            wire.resume()
            await load.go_on()
        note(f"network paused for {scale.stall:.0f} s", load)
        with open_copy(place) as copy:
            await require_exactly_once(world, load.rows, copy)
