"""Setting aside: each failure one letter, whoever writes it, however often, however many, wherever it came from."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from exchange.bus import Batch, Failure, Handling, Originals, Reason, Redelivered, SetAside
from exchange.errors import PublisherFenced
from exchange.transport.kafka import Partition
from tests.fakes.bus_world import SCHEMA, World, collect, publish, raw_records
from tests.fakes.handling_world import QUICK, dead, handled_by, handling, letters_on, post
from tests.fakes.waiting import until

FAULT = Reason("handler_failed", 0, "the handler raised ValueError")


def failures(*indexes, retriable=False):
    """Events of a batch that failed once."""
    return [Failure(index, FAULT, retriable, 1) for index in indexes]


def aside(world, **settings):
    """The letters of one group."""
    return SetAside(world.group("copy"), post(world), **settings)


async def batch_of(world, numbers):
    """These events, published and read as one batch."""
    await publish(world, numbers)
    async with world.subscriber("plain") as subscriber:
        events = await collect(subscriber, len(numbers))
    return Batch(world.topic, 0, 0, len(numbers), events, [], "", 1)


def part(batch, first, following):
    """What a member that reads less at a time has of a batch."""
    return replace(batch, first_offset=first, next_offset=following, events=batch.events[first:following])


async def kept(world, batch, *indexes):
    """Set aside by a process of its own: how many letters it wrote."""
    one = aside(world)
    try:
        return await one.keep(batch, failures(*indexes))
    finally:
        await one.close()


async def offsets(world):
    """Of which records there are dead letters."""
    return [letter.offset for letter in await dead(world)]


async def test_a_batch_that_comes_again_is_not_set_aside_again(world):
    """Whole or in smaller parts: what the process before wrote is not written again, and what it did not is."""
    batch = await batch_of(world, range(10))
    assert await kept(world, batch, 1, 4, 8) == 3
    assert await kept(world, batch, 1, 4, 8) == 0
    assert await kept(world, part(batch, 0, 5), 1, 4) == 0
    assert await kept(world, part(batch, 5, 10), 2, 3) == 1
    assert await offsets(world) == [1, 4, 8, 7]


async def test_a_group_that_was_set_back_sets_aside_anew(world):
    """Read again from further back by a person's will, a failure is a failure again."""
    batch = await batch_of(world, range(10))
    assert await kept(world, part(batch, 5, 10), 1) == 1
    assert await kept(world, part(batch, 0, 5), 2) == 1
    assert await kept(world, part(batch, 5, 10), 1) == 1
    assert await offsets(world) == [6, 2, 6]


async def test_more_letters_than_fit_one_transaction_are_all_kept_once(world):
    """Some at a time, in order; a second time none."""
    batch = await batch_of(world, range(1_100))
    assert await kept(world, batch, *range(1_100)) == 1_100
    assert await kept(world, batch, *range(1_100)) == 0
    assert await offsets(world) == list(range(1_100))


async def test_large_letters_are_kept_a_few_at_a_time(world):
    """Records of megabytes do not add up to a transaction that nobody can hold."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for n in range(6):
            publisher.add(world.topic, {"n": n, "text": "x" * 3_000_000}, key="k")
            await publisher.commit()
    async with world.subscriber("plain", batch_records=1) as subscriber:
        events = await collect(subscriber, 6)
    batch = Batch(world.topic, 0, 0, events[-1].offset + 1, events, [], "", 1)
    assert await kept(world, batch, *range(6)) == 6
    letters = await dead(world)
    assert [len(letter.record.value) > 3_000_000 for letter in letters] == [True] * 6


async def test_a_member_that_lost_its_partition_sets_nothing_more_aside(world):
    """Its successor fenced it; after another assignment it goes on from what was kept."""
    batch = await batch_of(world, range(5))
    old, new = aside(world), aside(world)
    assert await old.keep(batch, failures(0)) == 1
    assert await new.keep(batch, failures(0, 1)) == 1
    with pytest.raises(PublisherFenced):
        await old.keep(batch, failures(0, 1, 2))
    assert await new.keep(replace(batch, assignment=batch.assignment + 1), failures(0, 1)) == 0
    assert await old.keep(replace(batch, assignment=batch.assignment + 1), failures(0, 1, 2)) == 1
    await old.close()
    await new.close()
    assert await offsets(world) == [0, 1, 2]


async def test_a_record_that_its_topic_lost_is_a_letter_by_its_place(world):
    """Compacted away between reading and failing: reason, place and key are kept, and it is never put on a retry."""
    batch = await batch_of(world, range(3))
    gone = replace(batch, events=[*batch.events[:2], _moved(batch.events[2], 77)])
    one = aside(world)
    assert await one.keep(gone, failures(2, retriable=True)) == 1
    await one.close()
    [letter] = await dead(world)
    assert (letter.offset, letter.record, letter.cut) == (77, None, "its topic no longer has the record")
    assert await letters_on(world, world.social.retry_topics[0]) == []


def _moved(event, offset):
    """The event as if it had been read elsewhere."""
    return type(event)(*(offset if name == "offset" else getattr(event, name) for name in event.__struct_fields__))


async def test_letters_of_one_record_are_told_apart(world):
    """One event that two letters bring back, retried and replayed, fails twice: two letters, each from its own."""
    batch = await batch_of(world, range(2))
    original = (await raw_records(world, world.topic))[1]
    again = [Redelivered(original, 0, attempts, "retry", number) for number, attempts in ((4, 1), (9, 3))]
    topic = world.social.redelivery_topic
    brought = Batch(topic, 0, 4, 10, [batch.events[1]] * 2, [], "", 1, again)
    assert await kept(world, brought, 0, 1) == 2
    assert await kept(world, brought, 0, 1) == 0
    assert [letter.origin for letter in await dead(world)] == [f"{topic}/0/4", f"{topic}/0/9"]


async def test_single_records_are_found_near_and_far_and_in_any_order(world):
    """Reading through or seeking, forwards or back: the record at an offset, or None where there is none."""
    await publish(world, range(1_500))
    await publish(world, [1_500])
    async with Originals(world.kafka, Partition(world.topic, 0)) as originals:
        wanted = [3, 4, 4, 900, 1_499, 0, 1_501, 2, 1_450]
        assert [(await originals.fetch(offset)).offset for offset in wanted] == wanted
        assert [await originals.fetch(offset) for offset in (1_500, 1_502, 99_999)] == [None, None, None]


async def test_partitions_that_move_between_members_leave_one_letter_a_failure(kafka):
    """While a second member joins and leaves, every event is handled or set aside, and none set aside twice."""
    world = await World.created(kafka, partitions=4)
    await publish(world, range(600))
    taken = Counter()

    async def handler(event):
        await asyncio.sleep(0.002)
        n = event.data["n"]
        if n % 10 == 0:
            raise ValueError("for good")
        taken[n] += 1

    async with handled_by(world, batch_records=20) as one:
        first = asyncio.ensure_future(handling(world, one, policy=QUICK).process(handler))
        await until(lambda: len(taken) > 50, first)
        async with handled_by(world, batch_records=20) as two:
            second = asyncio.ensure_future(handling(world, two, policy=QUICK).process(handler))
            await two.wait_assigned()
            await until(lambda: len(taken) > 250, second)
            two.stop()
            await second
        await until(lambda: len(taken) == 540, first)

        async def all_aside():
            return len(await dead(world)) >= 60

        await until(all_aside, first)
        one.stop()
        await first
    found = [letter.record.key.decode() for letter in await dead(world)]
    assert sorted(found) == sorted(f"k{n}" for n in range(0, 600, 10))


class Handed:
    """A subscriber that hands out given batches, and notes which were committed."""

    def __init__(self, *batches):
        self._batches = batches
        self.committed = []

    async def batches(self):
        for batch in self._batches:
            yield batch

    async def commit(self, batch):
        self.committed.append(batch.first_offset)

    async def pause(self, seconds):
        return False


async def test_nothing_is_committed_beyond_a_batch_whose_letters_were_fenced(world):
    """A handling that was fenced drops that batch, and ends rather than commit the one behind it."""
    batch = await batch_of(world, range(6))
    subscriber = Handed(part(batch, 0, 2), part(batch, 2, 4), part(batch, 4, 6))
    mine = aside(world)
    process = Handling(subscriber, world.group("copy"), mine, QUICK)

    async def handler(event):
        if event.data["n"] == 2:  # before its letter is written, another member takes the partition
            await kept(world, part(batch, 0, 2), 0)
        raise ValueError("for good")

    with pytest.raises(PublisherFenced):
        await process.process(handler)
    assert subscriber.committed == [0]
