"""Publishing and subscribing against a real Kafka: what arrives, in which order, with what on it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from exchange.bus import Start
from exchange.errors import PublisherNotAllowed, SettingsError
from exchange.ids import AgencyId
from exchange.transport.kafka import partition_of
from tests.fakes.bus_world import SCHEMA, World, collect, read_all


async def test_what_is_published_arrives_verified_and_in_order(world):
    """Every event arrives once, decoded, numbered from 0, with the publisher that sealed it."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for n in range(4_500):
            publisher.add(world.topic, {"n": n, "text": None}, key=f"k{n % 7}")
        assert await publisher.commit() == 4_500
    events = await read_all(world, 4_500)
    assert [event.data["n"] for event in events] == list(range(4_500))
    assert [event.sequence for event in events] == list(range(4_500))
    assert {event.publisher for event in events} == {str(world.publisher_id)}
    assert events[3].key == "k3"
    assert len({event.id for event in events}) == 4_500


async def test_time_subject_and_trace_travel_with_the_event(world):
    """An event says when it happened, whom it is about and which trace it belongs to."""
    moment = datetime(2026, 5, 1, 12, 30, 0, 123456, tzinfo=UTC)
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        publisher.add(world.topic, {"n": 1}, key="k", subject="pseudonym", time=moment, traceparent=trace)
        await publisher.commit()
    [event] = await read_all(world, 1)
    assert (event.time, event.subject, event.traceparent) == (moment, "pseudonym", trace)


async def test_a_tombstone_arrives_without_data(world):
    """A tombstone says which key is gone, verified like any event."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, None, key="gone")
    [event] = await read_all(world, 1)
    assert (event.key, event.data) == ("gone", None)


async def test_keys_choose_partitions_and_null_keys_take_turns(kafka):
    """A key's events share a partition, as Kafka's default partitioner chooses; events without a key spread."""
    world = await World.created(kafka, partitions=3)
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for n in range(30):
            publisher.add(world.topic, {"n": n}, key=f"k{n % 5}")
        for n in range(30, 36):
            publisher.add(world.topic, {"n": n})
        await publisher.commit()
    events = await read_all(world, 36)
    assert all(event.partition == partition_of(event.key.encode(), 3) for event in events if event.key)
    assert sorted(event.partition for event in events if event.key is None) == [0, 0, 1, 1, 2, 2]
    for partition in range(3):
        mine = [event.sequence for event in events if event.partition == partition]
        assert mine == list(range(len(mine)))


async def test_nothing_is_visible_before_the_commit(world):
    """What was added and not committed is never seen, and its numbers are given to what follows."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        publisher.add(world.topic, {"n": 1}, key="k")
        assert publisher.pending == 1
        publisher.discard()
        assert publisher.pending == 0
        await publisher.publish(world.topic, {"n": 2}, key="k")
    [event] = await read_all(world, 1)
    assert (event.data["n"], event.sequence) == (2, 0)


async def test_events_come_one_by_one_in_the_simple_form(world):
    """The simple form yields events and commits behind them; a second reader of the group continues after them."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for n in range(5):
            await publisher.publish(world.topic, {"n": n}, key="k")
    seen = []
    async with world.subscriber(batch_records=2) as subscriber:
        async for event in subscriber:
            seen.append(event.data["n"])
            if len(seen) == 5:
                subscriber.stop()
    assert seen == [0, 1, 2, 3, 4]
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 5}, key="k")
    async with world.subscriber() as subscriber:
        assert [event.data["n"] for event in await collect(subscriber, 1)] == [5]


async def test_a_subscriber_may_start_at_the_end(world):
    """Started at the end, a new group sees only what comes after it joined."""
    async with world.publisher() as publisher, world.subscriber("late", start=Start.end()) as subscriber:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 1}, key="k")
        batches = subscriber.batches()
        waiting = asyncio.ensure_future(anext(batches))
        await subscriber.wait_assigned()
        await publisher.publish(world.topic, {"n": 2}, key="k")
        batch = await waiting
        assert [event.data["n"] for event in batch.events] == [2]
        await batches.aclose()


async def test_a_subscriber_of_no_agency_is_refused(world):
    """Only an active agency of the directory may subscribe."""
    world.social = AgencyId.parse("UZ/GOV/nobody/here")
    with pytest.raises(PublisherNotAllowed, match="UZ/GOV/nobody/here"):
        await world.subscriber().start()


async def test_a_missing_topic_is_named(world):
    """Subscribing to a topic that is not there fails at once, with its name."""
    with pytest.raises(SettingsError, match=r"gov\.nowhere"):
        await world.subscriber(topics=["gov.nowhere.at.all.v1"]).start()
