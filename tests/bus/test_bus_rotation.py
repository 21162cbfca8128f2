"""A key is rotated under a publisher that goes on, and its subscribers read on."""

from __future__ import annotations

from exchange.envelope import SEAL_HEADER, parse_seal, parse_statement
from exchange.trust import RotatingSigner, SigningKey
from tests.fakes.bus_world import SCHEMA, collect, raw_records


class KeysInMemory:
    """A KeyStore whose keys a test adds to."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = list(keys)

    def load(self) -> dict[str, SigningKey]:
        """Its keys."""
        return {str(number): key for number, key in enumerate(self.keys)}


async def test_events_of_the_old_and_the_new_key_are_read(world):
    """Without a restart on either side, events before and after a rotation arrive, sealed by one key and the other."""
    old, new = world.keys[world.civil], SigningKey.generate()
    store = KeysInMemory(old, new)
    world.keys[world.civil] = RotatingSigner(store, world.civil, world.directory, world.clock)
    async with world.publisher() as publisher, world.subscriber() as subscriber:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 1}, key="k")
        world.further_keys[world.civil] = [new]
        world.renew()
        await publisher.publish(world.topic, {"n": 2}, key="k")
        events = await collect(subscriber, 2)
    assert [event.data["n"] for event in events] == [1, 2]
    assert [event.sequence for event in events] == [0, 1]
    statements = [
        parse_statement(parse_seal(dict(each.headers)[SEAL_HEADER])[2])
        for each in await raw_records(world, world.topic)
    ]
    for statement, key in zip(statements, (old, new), strict=True):
        key.public.verify(statement.signature, statement.text)
