"""Step 9 over restarts: holes, replays and forks are told apart and counted; a damaged place is one clear error."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from exchange.envelope import Sealer, Unsealed
from exchange.errors import TransportError
from exchange.transport.kafka import GroupConsumer, GroupPosition, Partition
from tests.fakes.bus_world import published, write_raw


async def write_as(world, record, *, epoch, sequence):
    """Write a record's content under another number, sealed by its own publisher."""
    headers = [(n, b"%020d" % sequence if n == "ce_sequence" else v) for n, v in record.headers if n != "exchange-seal"]
    unsealed = Unsealed(record.topic, 0, record.key, record.value, headers)
    sealer = Sealer(world.publisher_id, world.keys[world.civil])
    [seal] = sealer.seal([unsealed], epoch=epoch, flush=1, time=world.clock.now())
    await write_raw(world, record.topic, record.value, [*headers, ("exchange-seal", seal)], record.key)


async def take(world, count, **settings):
    """(events, refusals) until `count` records were seen and committed, by a process of its own."""
    events, refused = [], []
    async with world.subscriber("copy", **settings) as subscriber:
        async for batch in subscriber.batches():
            events += batch.events
            refused += batch.refused
            await subscriber.commit(batch)
            if len(events) + len(refused) >= count:
                break
    return events, refused


def alarms(world, sample):
    """What was counted: (holes, replays, forks)."""
    return tuple(sample(f"exchange_sequence_{what}_total", topic=world.topic) for what in ("gaps", "replays", "forks"))


async def test_a_fork_is_told_from_a_replay_and_counted(world, sample):
    """Another record with a number that was taken is a fork, the same record again a replay; neither is delivered."""
    first, second = await published(world, 1, 2)
    await write_as(world, second, epoch=1, sequence=0)
    await write_raw(world, world.topic, first.value, first.headers, first.key)
    events, refused = await take(world, 4)
    assert [event.data["n"] for event in events] == [1, 2]
    assert [(each.error.code, each.error.step) for each in refused] == [
        ("sequence_forked", 9),
        ("sequence_replayed", 9),
    ]
    assert alarms(world, sample) == (0, 1, 1)


async def test_a_fork_is_noticed_after_a_restart(world, sample):
    """The committed place knows the last records: a process that starts anew tells a fork of them from a replay."""
    first, second = await published(world, 1, 2)
    await take(world, 2)
    await write_as(world, first, epoch=1, sequence=1)
    await write_raw(world, world.topic, second.value, second.headers, second.key)
    _, refused = await take(world, 2)
    assert [each.error.code for each in refused] == ["sequence_forked", "sequence_replayed"]
    assert alarms(world, sample) == (0, 1, 1)


async def test_the_same_record_sealed_anew_is_a_replay(world):
    """A fork is another record: the seal around the same one makes none."""
    _, second = await published(world, 1, 2)
    await write_as(world, second, epoch=1, sequence=1)
    _, refused = await take(world, 3)
    assert [each.error.code for each in refused] == ["sequence_replayed"]


async def test_a_hole_over_a_restart_is_counted(world, sample):
    """What went missing between two processes is noticed by the second."""
    first, _ = await published(world, 1, 2)
    await take(world, 2)
    await write_as(world, first, epoch=1, sequence=7)
    events, refused = await take(world, 1)
    assert ([event.sequence for event in events], refused) == ([7], [])
    assert alarms(world, sample) == (1, 0, 0)


async def test_the_counters_are_there_before_anything_happens(world):
    """An alert on an increase needs the zero before the one."""
    world.subscriber("copy")
    for what in ("gaps", "replays", "forks"):
        assert REGISTRY.get_sample_value(f"exchange_sequence_{what}_total", {"topic": world.topic}) == 0.0


async def nothing(_):
    """A callback with nothing to do."""


@pytest.mark.parametrize("metadata", ["another program's", "seq1 UZ/GOV/a/b/c 1", "seq2 UZ/GOV/a/b/c 1 2 ####", "seq9"])
async def test_a_damaged_place_is_one_clear_error(world, metadata):
    """A committed offset whose metadata is not a place stops the subscriber: replays would pass without it."""
    await published(world, 1)
    place = Partition(world.topic, 0)
    group = world.group("copy")
    other = GroupConsumer(
        world.kafka, group, [world.topic], on_assigned=nothing, on_revoked=nothing, partitions=[place]
    )
    await other.start()
    await other.commit({place: GroupPosition(1, metadata)})
    await other.close()
    async with world.subscriber("copy") as subscriber:
        with pytest.raises(TransportError, match=f"group {group}.*{world.topic}/0.*reset") as refused:
            await anext(subscriber.batches())
    assert (refused.value.code, refused.value.retriable) == ("place_malformed", False)
