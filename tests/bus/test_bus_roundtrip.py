"""Publishing and subscribing against a real Kafka."""

from __future__ import annotations

from fakes.bus_world import SCHEMA, read_all

from exchange.transport.kafka import KafkaNode  # noqa: F401


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
