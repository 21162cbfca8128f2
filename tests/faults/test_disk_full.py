"""A broker's disk without room: what is published says so, nothing is half there, and with room again it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import TransportError
from exchange.transport.kafka import KafkaNode
from tests.audit.tight_disk import can_mount, fill, small_disk
from tests.conftest import LIBS
from tests.fakes.bus_world import SCHEMA, World, raw_records
from tests.faults.verdict import require_exactly_once
from tests.faults.work import key_of

STEP = 20
KIB = 96 * 1024
SECONDS = 2.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    assert can_mount(), "this test mounts a small tmpfs for a broker's data: run it as root (CAP_SYS_ADMIN)"
    with small_disk(tmp_path / "disk", KIB) as folder:
        yield folder


@pytest.mark.timeout(600)
async def test_a_broker_without_room(disk: Path, tmp_path: Path) -> None:
    """The publisher is told by a retriable error with Kafka's address; after room was made, each row is there once."""
    async with KafkaNode(libs=LIBS, data=disk / "kafka", heap="256m", log=tmp_path / "kafka.log") as node:
        world = World(node.bootstrap, partitions=2)
        await world.create_topics()
        rows = await publish(world, 0, 50 * STEP)
        ballast = fill(disk)
        with pytest.raises(TransportError, match=node.bootstrap) as refused:
            await publish(world, rows, None)
        assert refused.value.retriable
        ballast.unlink()
        await node.start()  # a broker whose only disk is full ends by itself
        committed = len(await raw_records(world, world.topic))
        assert committed % STEP == 0
        assert committed >= rows
        await publish(world, committed, committed + 10 * STEP)
        await require_exactly_once(world, committed + 10 * STEP)


async def publish(world: World, row: int, until: int | None) -> int:
    """Publish from the row that was committed last, which is at least `row`, up to `until`; the next row."""
    async with world.publisher(commit_seconds=SECONDS, patience=SECONDS) as publisher:
        await publisher.open(world.topic, SCHEMA)
        committed = (publisher.position or {"row": 0})["row"]
        assert committed >= row
        while until is None or committed < until:
            for n in range(committed, committed + STEP):
                publisher.add(world.topic, {"n": n, "text": "x" * 500}, key=key_of(n))
            committed += STEP
            await publisher.commit({"row": committed})
        return committed
