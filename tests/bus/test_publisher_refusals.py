"""What a publisher refuses before anything is written, each with one clear error, in every way of publishing."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from exchange.bus import NewEvent
from exchange.errors import ClockSkewed, KeyNotValid, RecordTooLarge, TransportError, ValueInvalid
from exchange.transport.kafka import TopicSpec, ensure_topics
from tests.fakes.bus_world import SCHEMA, World, raw_records, read_all

NESTED = json.dumps(
    {
        "type": "record",
        "name": "Parcel",
        "fields": [
            {
                "name": "owners",
                "type": {
                    "type": "array",
                    "items": {"type": "record", "name": "Owner", "fields": [{"name": "share", "type": "int"}]},
                },
            }
        ],
    }
)


@pytest.fixture
async def publisher(world):
    """A publisher with its topic open."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        yield publisher


async def ways(publisher, event):
    """Publish an event in every way there is; each must raise."""
    yield publisher.publish(event.topic, event.data, key=event.key)
    yield publisher.publish_many([event])

    async def block():
        async with publisher.transaction() as transaction:
            transaction.add(event.topic, event.data, key=event.key)

    yield block()


async def test_a_value_that_does_not_fit_is_told_by_its_path_and_both_types(world):
    """However deep it lies: the field, what the schema wants, and what was there."""
    world.registry.register(f"{world.topic}-value", NESTED)
    async with world.publisher() as publisher:
        await publisher.open(world.topic, NESTED)
        event = NewEvent(world.topic, {"owners": [{"share": 1}, {"share": "half"}]}, key="k")
        async for way in ways(publisher, event):
            with pytest.raises(ValueInvalid, match="at /owners/1/share: expected int, got text"):
                await way
        assert (await publisher.publish(world.topic, {"owners": []}, key="k")).sequence == 0


async def test_a_record_larger_than_its_topic_takes_is_refused(kafka):
    """The limit is the topic's own (max.message.bytes), and the message has both sizes."""
    world = World(kafka)
    await ensure_topics(kafka, [TopicSpec(world.topic, settings={"max.message.bytes": "10000"})])
    await world.create_topics()
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        event = NewEvent(world.topic, {"n": 1, "text": "x" * 10_000}, key="k")
        async for way in ways(publisher, event):
            with pytest.raises(RecordTooLarge, match=r"has 10\d\d\d bytes, its topic takes"):
                await way
        event = NewEvent(world.topic, {"n": 1, "text": "x" * 7_000}, key="k")
        assert await publisher.publish_many([event] * 20) == 20
    assert [event.sequence for event in await read_all(world, 20)] == list(range(20))


async def test_a_clock_that_is_set_wrong_while_publishing_is_met_at_the_next_flush(world, publisher):
    """Every flush compares with the broker's time: nothing is visible, and the publisher is closed."""
    world.clock.shift = timedelta(minutes=-5)
    with pytest.raises(ClockSkewed, match="differ by"):
        await publisher.publish(world.topic, {"n": 1}, key="k")
    with pytest.raises(TransportError, match="start a new one"):
        await publisher.publish(world.topic, {"n": 1}, key="k")
    assert await raw_records(world, world.topic) == []


async def test_a_key_about_to_expire_refuses_to_start(world, sample):
    """With less than ten minutes left nothing is begun: what begins could not be finished with that key."""
    world.key_days = 9 / 24 / 60
    world.renew()
    with pytest.raises(KeyNotValid, match="expires at") as refused:
        await world.publisher().start()
    assert refused.value.code == "key_expires"
    assert 8 * 60 < sample("exchange_key_expires_seconds", publisher=str(world.publisher_id)) < 9 * 60


async def test_the_margin_is_a_setting(world):
    """A publisher may be let work to its key's last minute, or stop long before."""
    world.key_days = 9 / 24 / 60
    world.renew()
    async with world.publisher(key_margin=timedelta(0)) as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 1}, key="k")
    world.key_days = 5
    world.renew()
    with pytest.raises(KeyNotValid, match="stops 7 days"):
        await world.publisher(key_margin=timedelta(days=7)).start()


async def test_a_key_that_gets_close_to_its_end_stops_a_publisher_that_runs(world, publisher):
    """Each flush asks anew; with a later end in the directory it goes on where it was."""
    publisher.add(world.topic, {"n": 0}, key="k")
    world.key_days = 9 / 24 / 60
    world.renew()
    with pytest.raises(KeyNotValid, match="expires at"):
        await publisher.commit({"row": 1})
    world.key_days = 30
    world.renew()
    assert await publisher.commit({"row": 1}) == 1
    calls = [publisher.publish(world.topic, {"n": n}, key="k") for n in (1, 2)]
    assert [each.sequence for each in await asyncio.gather(*calls)] == [1, 2]


async def test_the_longest_of_a_keys_validities_counts(world):
    """A key that is listed again with a later end may be used until then."""
    key = world.keys[world.civil]
    world.key_days = 5 / 24 / 60
    world.further_keys = {world.civil: [key]}
    world.renew()
    async with world.publisher() as publisher:
        assert publisher.epoch == 1
