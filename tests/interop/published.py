"""Records of a real Kafka, published by the exchange, for others' software to read."""

from __future__ import annotations

from exchange.envelope import make_evidence
from exchange.trust import Operators, SigningKey, sign_directory
from tests.fakes.bus_world import SCHEMA, World, raw_records

OPERATOR_KEYS = {f"operator-{number}": SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2)}
OPERATORS = Operators(2, {keyid: key.public for keyid, key in OPERATOR_KEYS.items()})


async def published_evidence(kafka: str, count: int) -> tuple[World, list[bytes]]:
    """Evidence of each of `count` events that one flush published to Kafka."""
    world = World(kafka)
    await world.create_topics()
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for number in range(count):
            publisher.add(world.topic, {"n": number, "text": f"№ {number}"}, key=f"key-{number}")
        await publisher.commit()
    envelope = sign_directory(world.content, OPERATOR_KEYS)
    records = await raw_records(world, world.topic)
    return world, [make_evidence(record, SCHEMA, envelope, OPERATORS).encode() for record in records]
