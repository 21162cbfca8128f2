"""Memory: what is read ahead and what a batch holds are bounded, whatever is waiting on the topic."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from exchange.bus.subscribing.size import BATCH_BYTES, BatchSize
from tests.fakes.bus_world import SCHEMA, World
from tests.fakes.sqlite_sink import SqliteSink

EVENTS = 12_000


@dataclass(frozen=True)
class Valued:
    """A record, as far as its size goes."""

    value: bytes | None


@pytest.mark.parametrize(("size", "records"), [(0, 2_000), (236, 2_000), (8_192, BATCH_BYTES // 8_192), (5_000_000, 1)])
def test_a_batch_has_as_many_records_as_fit(size, records):
    """Small records fill a batch by their number, large ones by their bytes; at least one always fits."""
    batch_size = BatchSize(2_000)
    batch_size.learn([Valued(b"x" * size)] * 50)
    assert batch_size.records == records


def test_a_batch_learns_from_what_came_last():
    """Large records make the next batch small; once they are through, it is large again; tombstones count nothing."""
    batch_size = BatchSize(2_000)
    assert batch_size.records == 100
    batch_size.learn([Valued(b"x" * 1_000_000)])
    assert batch_size.records == 4
    batch_size.learn([])
    assert batch_size.records == 4
    batch_size.learn([Valued(None), Valued(b"x")])
    assert batch_size.records == 2_000


async def test_a_subscriber_under_load_stays_below_150_mib(kafka, tmp_path):
    """With 48 MB of 4 kB events waiting in six partitions a process that stores them takes no more."""
    world = await World.created(kafka, partitions=6)
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for n in range(EVENTS):
            publisher.add(world.topic, {"n": n, "text": os.urandom(2_000).hex()}, key=f"k{n}")
            if n % 1_000 == 999:
                await publisher.commit()
    path = tmp_path / "rows.db"
    sink = SqliteSink(path)
    command = ["-m", "tests.fakes.storing_process", kafka, world.name, "6", str(path), "load", "2000"]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(120):
        while len(sink.numbers()) < EVENTS:
            await asyncio.sleep(0.1)
    status = Path(f"/proc/{process.pid}/status").read_text()
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    assert peak <= 150
