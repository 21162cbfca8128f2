"""A group's consumer: partitions by hand, offsets by time, pauses."""

from __future__ import annotations

import asyncio

import pytest

from exchange.errors import SettingsError
from exchange.transport.kafka import (
    GroupConsumer,
    GroupPosition,
    IdempotentProducer,
    Outgoing,
    Partition,
    PartitionConsumer,
    TopicSpec,
    ensure_topics,
)


@pytest.fixture
async def topic(kafka, unique):
    """A topic of two partitions."""
    name = unique("t")
    await ensure_topics(kafka, [TopicSpec(name, 2)])
    return name


async def write(kafka, topic, partition, *values):
    """Records, written one after the other."""
    async with IdempotentProducer(kafka) as producer:
        for value in values:
            await producer.write([Outgoing(topic, partition, None, value, [])])


async def nothing(_):
    """A callback with nothing to do."""


async def read(consumer, count):
    """(partition, value) of the next `count` records."""
    found = []
    async with asyncio.timeout(20):
        while len(found) < count:
            for polled in await consumer.poll(seconds=0.5, limit=100):
                found += [(record.partition, record.value) for record in polled.records]
    return found


async def test_given_partitions_are_assigned_at_once_and_commit_under_the_group(kafka, topic, unique):
    """Without joining, the callback is told at the start; the place is the group's all the same."""
    await write(kafka, topic, 0, b"other")
    await write(kafka, topic, 1, b"one", b"two")
    told, place, group = [], Partition(topic, 1), unique("g")

    async def on_assigned(places):
        told.extend(places)

    consumer = GroupConsumer(kafka, group, [topic], on_assigned=on_assigned, on_revoked=nothing, partitions=[place])
    await consumer.start()
    assert told == [place]
    consumer.seek(place, 0)
    assert await read(consumer, 2) == [(1, b"one"), (1, b"two")]
    await consumer.commit({place: GroupPosition(2, "here")})
    assert await consumer.committed([place, Partition(topic, 0)]) == {place: GroupPosition(2, "here")}
    await consumer.close()


async def test_a_partition_that_is_not_there_is_refused_at_the_start(kafka, topic, unique):
    """The message says which there are."""
    consumer = GroupConsumer(
        kafka, unique("g"), [topic], on_assigned=nothing, on_revoked=nothing, partitions=[Partition(topic, 2)]
    )
    with pytest.raises(SettingsError, match="0 to 1"):
        await consumer.start()


async def test_a_paused_partition_is_read_on_where_it_stood(kafka, topic):
    """What was fetched and not handed out before the pause comes after it; the others go on meanwhile."""
    places = [Partition(topic, 0), Partition(topic, 1)]
    async with PartitionConsumer(kafka) as consumer:
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        consumer.pause(places[:1])
        await write(kafka, topic, 0, b"paused")
        await write(kafka, topic, 1, b"going on")
        assert await read(consumer, 1) == [(1, b"going on")]
        consumer.resume(places[:1])
        assert await read(consumer, 1) == [(0, b"paused")]


async def test_offsets_are_found_by_time(kafka, topic):
    """The first record of a time or later; the end where there is none, or no record at all."""
    await write(kafka, topic, 0, b"first", b"second")
    first, empty = Partition(topic, 0), Partition(topic, 1)
    async with PartitionConsumer(kafka) as consumer:
        consumer.assign([first, empty])
        assert await consumer.beginning_offsets([first, empty]) == {first: 0, empty: 0}
        assert await consumer.offsets_at([first, empty], 0) == {first: 0, empty: 0}
        assert await consumer.offsets_at([first, empty], 2**42) == {first: 2, empty: 0}
        assert await consumer.offsets_at([], 0) == {}
