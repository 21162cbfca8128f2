"""Where a subscriber begins: the beginning, the end, a time, an offset; and given partitions without a group."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from exchange.bus import Start
from exchange.clock import from_unix_millis
from exchange.errors import SettingsError, TransportError
from exchange.transport.kafka import Partition
from tests.fakes.bus_world import World, collect, publish, raw_records, write_raw
from tests.fakes.redeliveries import PlainRedeliveries, letter_topics, write_letter


@pytest.fixture
async def wide(kafka):
    """An instance whose topic has three partitions."""
    return await World.created(kafka, partitions=3)


async def read(world, count, **settings):
    """The numbers of the next `count` events of a group, committed."""
    async with world.subscriber("start", **settings) as subscriber:
        return [event.data["n"] for event in await collect(subscriber, count)]


async def test_from_a_time_to_come_starts_at_the_end(world):
    """Where nothing is so late, a new group has what is published next."""
    await publish(world, [1])
    async with world.subscriber("start", start=Start.time(datetime.now(UTC) + timedelta(hours=1))) as subscriber:
        await subscriber.wait_assigned()
        await publish(world, [2])
        assert [event.data["n"] for event in await collect(subscriber, 1)] == [2]


async def test_from_a_time_between_two_records(world):
    """The record after the time is the first."""
    await publish(world, [1])
    first = (await raw_records(world, world.topic))[0]
    between = from_unix_millis(first.timestamp + 1)
    while datetime.now(UTC) <= between + timedelta(milliseconds=2):
        await asyncio.sleep(0.002)
    await publish(world, [2])
    assert await read(world, 1, start=Start.time(between)) == [2]


async def test_at_offsets_starts_there_and_elsewhere_at_the_beginning(wide):
    """Partitions that are named start at their offset, the others at their beginning."""
    await publish(wide, range(60))
    records = await raw_records(wide, wide.topic)
    skipped = [record for record in records if record.partition == 1][:5]
    start = Start.at({Partition(wide.topic, 1): skipped[-1].offset + 1})
    found = await read(wide, 55, start=start)
    assert len(found) == 55
    assert set(range(60)) - set(found) == {int(record.key[1:]) for record in skipped}


async def test_a_start_counts_only_without_a_place(world):
    """A group that was here before goes on from its place, whatever the start says."""
    await publish(world, [1, 2, 3])
    assert await read(world, 2, batch_records=2) == [1, 2]
    assert await read(world, 1, start=Start.beginning()) == [3]


async def test_an_overriding_start_goes_back_and_refuses_no_replay(world):
    """Told to override, a group reads again what it had read: nothing of it is taken for a replay."""
    await publish(world, [1, 2, 3])
    assert await read(world, 3) == [1, 2, 3]
    assert await read(world, 3, start=Start.beginning().overriding()) == [1, 2, 3]
    assert await read(world, 2, start=Start.at({Partition(world.topic, 0): 1}).overriding()) == [2, 3]


async def test_an_overriding_start_overrides_once(world):
    """A rebalance later goes on from the place that this process has committed."""
    await publish(world, [1, 2])
    async with world.subscriber("start", start=Start.beginning().overriding()) as one:
        assert len(await collect(one, 2)) == 2
        async with world.subscriber("start") as two:
            joining = asyncio.ensure_future(one.batches().__anext__())
            await two.wait_assigned()
            await publish(world, [3])
            other = asyncio.ensure_future(two.batches().__anext__())
            done, left = await asyncio.wait([joining, other], return_when=asyncio.FIRST_COMPLETED)
            assert [event.data["n"] for event in done.pop().result().events] == [3]
            for task in left:
                task.cancel()


@pytest.mark.parametrize("make", [lambda: Start.time(datetime(2026, 1, 1)), lambda: Start.at({Partition("t", 0): -1})])  # noqa: DTZ001
def test_a_start_that_makes_no_sense_is_refused(make):
    """A time without a zone, or a negative offset, is said at once."""
    with pytest.raises(SettingsError, match="start at"):
        make()


async def test_a_place_that_expired_is_read_from_the_oldest_record_left(world):
    """Where retention took what a group had not read, it goes on with what is left: never at the end."""
    await publish(world, [1, 2])
    start = Start.at({Partition(world.topic, 0): 1_000_000})
    assert await read(world, 2, start=start) == [1, 2]


async def test_given_partitions_are_read_alone_and_keep_their_place(wide):
    """A reader of given partitions has only these, commits as the group, and goes on there."""
    await publish(wide, range(60))
    mine = {int(r.key[1:]) for r in await raw_records(wide, wide.topic) if r.partition in {0, 2}}
    given = [Partition(wide.topic, 0), Partition(wide.topic, 2)]
    first = await read(wide, len(mine) - 4, partitions=given, batch_records=4)
    rest = await read(wide, len(mine) - len(first), partitions=given)
    assert sorted(first + rest) == sorted(mine)


async def test_two_readers_of_given_partitions_do_not_disturb_each_other(wide):
    """Without a group's rebalancing nobody waits for anybody: each reads its own, at the same time."""
    await publish(wide, range(60))
    async with (
        wide.subscriber("start", partitions=[Partition(wide.topic, 0)]) as one,
        wide.subscriber("start", partitions=[Partition(wide.topic, 1), Partition(wide.topic, 2)]) as two,
    ):
        counts = dict.fromkeys(range(3), 0)
        for record in await raw_records(wide, wide.topic):
            counts[record.partition] += 1
        found = await asyncio.gather(collect(one, counts[0]), collect(two, counts[1] + counts[2]))
        assert {event.partition for event in found[0]} == {0}
        assert sorted(event.data["n"] for events in found for event in events) == list(range(60))


async def test_a_commit_by_hand_into_a_living_group_is_refused(wide):
    """While a group's members read, a reader of given partitions cannot move their place."""
    await publish(wide, range(9))
    async with wide.subscriber("start") as member:
        await member.wait_assigned()
        async with wide.subscriber("start", partitions=[Partition(wide.topic, 0)]) as reader:
            batch = await anext(reader.batches())
            with pytest.raises(TransportError) as refused:
                await reader.commit(batch)
            assert refused.value.code == "assignment_lost"


async def test_a_partition_that_does_not_exist_is_said_at_the_start(wide):
    """The message names the partition and those there are."""
    subscriber = wide.subscriber("start", partitions=[Partition(wide.topic, 3)])
    with pytest.raises(SettingsError, match=rf"no partition {wide.topic}/3; there are {wide.topic} 0 to 2"):
        await subscriber.start()


async def test_a_new_group_at_the_end_still_reads_its_letters(world):
    """Letters to a group are never passed over: a start at the end is about events."""
    await publish(world, [1])
    [letters] = await letter_topics(world, "again")
    await write_letter(world, letters, world.group("start"), (await raw_records(world, world.topic))[0])
    await write_raw(world, world.topic, b"noise")
    redeliveries = PlainRedeliveries(world.group("start"), [letters])
    assert await read(world, 1, start=Start.end(), redeliveries=redeliveries) == [1]
