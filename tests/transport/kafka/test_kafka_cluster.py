"""Three nodes: everything in three copies, and one node may be away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from exchange.errors import ExchangeError, SettingsError
from exchange.transport.kafka import (
    KafkaAdmin,
    KafkaCluster,
    Outgoing,
    Partition,
    PartitionConsumer,
    TopicSpec,
    TransactionalProducer,
    ensure_topics,
)
from tests.conftest import LIBS

WRITER = "a-writer"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """A cluster that gives up a node that is away after 3 s."""
    data = tmp_path_factory.mktemp("cluster")
    cluster = KafkaCluster(libs=LIBS, data=data, settings={"broker.session.timeout.ms": "3000"})
    asyncio.run(cluster.start_all())
    try:
        yield cluster
    finally:
        asyncio.run(cluster.kill_all())


@pytest.fixture
async def topic(cluster: KafkaCluster, unique: Callable[[str], str]) -> str:
    """A topic of three copies."""
    name = unique("events")
    await ensure_topics(cluster.bootstrap, [TopicSpec(name, 1, replication=3)])
    return name


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what the cluster does by itself; while it does so it may refuse to answer."""
    while True:
        try:
            if await holds():
                return
        except ExchangeError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(0.1)


async def write(bootstrap: str, topic: str, value: bytes) -> None:
    """One transaction of one record, tried until it holds."""

    async def once() -> bool:
        writer = TransactionalProducer(bootstrap, WRITER)
        await writer.start()
        try:
            async with writer.transaction() as transaction:
                await transaction.write([Outgoing(topic, 0, None, value, [])])
        finally:
            await writer.close()
        return True

    await until(once)


async def read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """The first records of the topic, by a node that answers."""
    found: list[bytes | None] = []
    async with PartitionConsumer(bootstrap) as consumer:
        consumer.assign([Partition(topic, 0)])
        while len(found) < count:
            for polled in await consumer.poll(seconds=1, limit=10):
                found += [record.value for record in polled.records]
    return found


async def test_what_was_committed_outlives_the_loss_of_any_node(cluster: KafkaCluster, topic: str) -> None:
    """The leader is killed: another node leads, every copy but one is there, and writing goes on."""
    await write(cluster.bootstrap, topic, b"before")
    leader = await cluster.leader(topic)
    assert (await cluster.replicas(topic)).in_sync == {1, 2, 3}
    await cluster.kill(leader)
    assert cluster.nodes[leader].pid is None
    async with KafkaAdmin(cluster.bootstrap) as admin:
        for _ in range(20):  # asked at random, also of the one that is away
            assert await admin.partition_count(topic) == 1

    async def moved() -> bool:
        found = await cluster.replicas(topic)
        return found.leader not in (None, leader) and found.in_sync == {1, 2, 3} - {leader}

    await until(moved)
    await write(cluster.bootstrap, topic, b"after")
    assert await read(cluster.bootstrap, topic, 2) == [b"before", b"after"]
    await cluster.start(leader)

    async def caught_up() -> bool:
        return (await cluster.replicas(topic)).in_sync == {1, 2, 3}

    await until(caught_up)


async def test_a_node_that_stands_still_is_replaced_and_comes_back(cluster: KafkaCluster, topic: str) -> None:
    """SIGSTOP to the coordinator of a writer's transactions: another one decides; after SIGCONT all are in sync."""
    await write(cluster.bootstrap, topic, b"before")
    coordinator = await cluster.transaction_coordinator(WRITER)
    assert await cluster.group_coordinator("a-group") in cluster.nodes
    cluster.pause(coordinator)

    async def moved() -> bool:
        return await cluster.transaction_coordinator(WRITER) != coordinator

    await until(moved)
    await write(cluster.bootstrap, topic, b"meanwhile")
    cluster.resume(coordinator)

    async def caught_up() -> bool:
        return (await cluster.replicas(topic)).in_sync == {1, 2, 3}

    await until(caught_up)
    await cluster.stop(coordinator)
    assert cluster.nodes[coordinator].pid is None
    assert await read(cluster.bootstrap, topic, 2) == [b"before", b"meanwhile"]
    with pytest.raises(SettingsError, match="no partition 7"):
        await cluster.replicas(topic, 7)
    await cluster.start(coordinator)


async def test_a_cluster_that_cannot_start_leaves_nothing_running(tmp_path: Path) -> None:
    """One node without jars to start from: the error is the node's."""
    cluster = KafkaCluster(libs=tmp_path, data=tmp_path)
    with pytest.raises(SettingsError, match="make kafka"):
        await cluster.start_all()
    assert [node.pid for node in cluster.nodes.values()] == [None, None, None]
