"""Redelivery: records that come again to one group, verified anew, and not before they are due."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta

from exchange.clock import to_unix_millis
from tests.fakes.bus_world import SCHEMA, collect, raw_records, write_raw
from tests.fakes.redeliveries import PlainRedeliveries, letter_topics, write_letter


async def published(world, count):
    """`count` events on the topic, as they lie there."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for n in range(count):
            publisher.add(world.topic, {"n": n}, key=f"k{n}")
        await publisher.commit()
    return await raw_records(world, world.topic)


def following(world, topics, group="copy", **settings):
    """A subscriber that reads letters to its group."""
    return world.subscriber(group, redeliveries=PlainRedeliveries(world.group(group), topics), **settings)


async def next_letters(subscriber):
    """The next batch of letters; the others are committed on the way."""
    async with aclosing(subscriber.batches()) as batches:
        async for batch in batches:
            await subscriber.commit(batch)
            if batch.topic.startswith("gov.social"):
                return batch
    raise AssertionError("stopped")


async def test_a_record_comes_again_as_it_was_read_first(world):
    """The event has its original place; the batch has the letter's, so that a place is kept as for any topic."""
    records = await published(world, 3)
    [letters] = await letter_topics(world, "again")
    await write_letter(world, letters, world.group("copy"), records[1])
    async with following(world, [letters]) as subscriber:
        batch = await next_letters(subscriber)
    assert [(each.topic, each.partition, each.offset, each.data["n"]) for each in batch.events] == [
        (world.topic, 0, records[1].offset, 1)
    ]
    assert (batch.topic, batch.first_offset, batch.next_offset) == (letters, 0, 1)
    assert [(each.attempts, each.origin) for each in batch.redelivered] == [(1, "retry")]


async def test_a_redelivery_is_no_replay(world):
    """Step 9 counted the record when it came first: the letter is handed out, and the topic goes on without a hole."""
    records = await published(world, 2)
    [letters] = await letter_topics(world, "again")
    async with following(world, [letters]) as subscriber:
        await collect(subscriber, 2)
        await write_letter(world, letters, world.group("copy"), records[0])
        batch = await next_letters(subscriber)
    assert [each.data["n"] for each in batch.events] == [0]
    assert not batch.refused


async def test_letters_to_another_group_are_passed_over(world):
    """A group reads on behind letters that are not for it, and has nothing of them."""
    records = await published(world, 2)
    [letters] = await letter_topics(world, "again")
    await write_letter(world, letters, world.group("other"), records[0])
    await write_letter(world, letters, world.group("copy"), records[1])
    async with following(world, [letters]) as subscriber:
        batch = await next_letters(subscriber)
        found = [each.data["n"] for each in batch.events] or [
            each.data["n"] for each in (await next_letters(subscriber)).events
        ]
    assert found == [1]


async def test_a_letter_is_handed_out_once_it_is_due(world):
    """What is due now comes at once; what is due later pauses only its own partition, and comes when it is."""
    records = await published(world, 3)
    [letters] = await letter_topics(world, "later")
    group, now = world.group("copy"), to_unix_millis(world.clock.now())
    await write_letter(world, letters, group, records[0], now)
    await write_letter(world, letters, group, records[1], now + 3_600_000)
    async with following(world, [letters]) as subscriber:
        first = await next_letters(subscriber)
        while not first.events:
            first = await next_letters(subscriber)
        assert ([each.data["n"] for each in first.events], first.next_offset) == ([0], 1)
        waiting = asyncio.ensure_future(next_letters(subscriber))
        done, _ = await asyncio.wait([waiting], timeout=1)
        assert not done
        world.clock.shift = timedelta(hours=1, seconds=1)
        second = await waiting
        assert ([each.data["n"] for each in second.events], second.first_offset) == ([1], 1)


async def test_a_place_before_a_letter_that_waits_is_found_again(world):
    """Who takes the partition over reads the waiting letter: the place stands before it."""
    records = await published(world, 2)
    [letters] = await letter_topics(world, "later")
    group, now = world.group("copy"), to_unix_millis(world.clock.now())
    await write_letter(world, letters, group, records[0])
    await write_letter(world, letters, group, records[1], now + 3_600_000)
    async with following(world, [letters]) as subscriber:
        while not (await next_letters(subscriber)).events:
            pass
    world.clock.shift = timedelta(hours=1, seconds=1)
    async with following(world, [letters]) as subscriber:
        batch = await next_letters(subscriber)
    assert [each.data["n"] for each in batch.events] == [1]


async def test_an_original_that_no_longer_verifies_is_a_dead_letter_again(world):
    """A publisher suspended since is refused at step 4, and kept with its original place and headers."""
    records = await published(world, 1)
    [letters] = await letter_topics(world, "again")
    await write_letter(world, letters, world.group("copy"), records[0])
    world.status = "suspended"
    world.renew()
    async with following(world, [letters], dead_letters=world.dead_letters(world.group("copy"))) as subscriber:
        batch = await next_letters(subscriber)
    assert [(each.error.code, each.record.offset) for each in batch.refused] == [
        ("publisher_not_allowed", records[0].offset)
    ]
    kept = [dict(each.headers) for each in await raw_records(world, world.social.dead_letter_topic)]
    assert {each["exchange-dlq-topic"].decode() for each in kept} == {world.topic}  # the topic's own may follow
    assert all(each["exchange-dlq-h-exchange-seal"] == records[0].headers[-1][1] for each in kept)


async def test_what_is_no_letter_is_a_dead_letter(world):
    """A record on a letters' topic that is none is refused, and holds nothing up."""
    records = await published(world, 1)
    [letters] = await letter_topics(world, "again")
    await write_raw(world, letters, b"noise")
    await write_letter(world, letters, world.group("copy"), records[0])
    async with following(world, [letters]) as subscriber:
        batch = await next_letters(subscriber)
        events, refused = list(batch.events), list(batch.refused)
        while not events:
            batch = await next_letters(subscriber)
            events += batch.events
    assert [(each.error.code, each.record.topic) for each in refused] == [("seal_malformed", letters)]
    assert [each.data["n"] for each in events] == [0]
