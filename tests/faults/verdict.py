"""The verdict after any fault: nothing lost, nothing twice, numbered without a hole, in order; and no alarm rang."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence

from prometheus_client import REGISTRY

from tests.fakes.bus_world import World, raw_records
from tests.faults.copies import Copied, Copy, copied

_ALARMS = ("gap", "fork", "replay", "refused", "dead_letters")


async def require_exactly_once(world: World, rows: int, *copies: Copy) -> None:
    """The topic, read back and verified by a new group, holds the rows 0..`rows`-1 once each; so does every copy."""
    found = await read_back(world)
    require_whole(found, rows)
    for each in copies:
        require_whole(each.rows(), rows)
    require_silent(world)


async def read_back(world: World) -> list[Copied]:
    """Every event of the topic, verified by a group that nobody used before."""
    committed = len(await raw_records(world, world.topic))
    found: list[Copied] = []
    read = 0
    async with world.subscriber(f"verdict-{uuid.uuid4().hex[:8]}") as subscriber:
        async for batch in subscriber.batches():
            assert not batch.refused
            found += copied(batch)
            read += len(batch.events)
            if read >= committed:
                break
    assert read == committed
    return found


def require_whole(found: Sequence[Copied], rows: int) -> None:
    """Each row once; sequences of a partition contiguous, and rows of a key in their order."""
    times = Counter(each.number for each in found)
    twice = [number for number, count in times.items() if count > 1]
    assert not twice, f"{len(twice)} rows twice, the first {sorted(twice)[:10]}"
    lost = sorted(set(range(rows)) - times.keys())
    assert not lost, f"{len(lost)} rows lost, the first {lost[:10]}"
    assert len(times) == rows, f"rows that were never committed: {sorted(times.keys() - set(range(rows)))[:10]}"
    for partition in {each.partition for each in found}:
        sequences = [each.sequence for each in found if each.partition == partition]
        assert sequences == list(range(len(sequences))), f"partition {partition} is not numbered without a hole"
    for key in {each.key for each in found}:
        numbers = [each.number for each in found if each.key == key]
        assert numbers == sorted(numbers), f"key {key} is out of order"


def require_silent(world: World) -> None:
    """No counter of holes, forks, replays, refusals or dead letters moved for the topic, in this process."""
    for metric in REGISTRY.collect():
        if any(alarm in metric.name for alarm in _ALARMS):
            for sample in metric.samples:
                rang = sample.labels.get("topic") == world.topic and sample.name.endswith("_total") and sample.value
                assert not rang, f"{sample.name} {sample.labels} = {sample.value}"
