"""A key is rotated under a publisher that goes on, and its subscribers read on."""

from __future__ import annotations

import asyncio

from exchange.bus import FlushPolicy, NewEvent
from exchange.envelope import SEAL_HEADER, parse_seal, parse_statement
from exchange.trust import RotatingSigner, SigningKey
from tests.fakes.bus_world import SCHEMA, collect, raw_records
from tests.fakes.waiting import until


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


async def test_what_was_signed_ahead_is_signed_anew_with_the_new_key(far, near, wire):
    """Transactions that wait behind one under way when the key is replaced are not written with the old one."""
    old, new = far.keys[far.civil], SigningKey.generate()
    signer = RotatingSigner(KeysInMemory(old, new), far.civil, far.directory, far.clock)
    far.keys[far.civil] = signer
    async with far.publisher(flush=FlushPolicy(events=10), commit_seconds=30.0) as publisher:
        await publisher.open(far.topic, SCHEMA)
        wire.pause()
        events = [NewEvent(far.topic, {"n": n}, key="k") for n in range(30)]
        publishing = asyncio.create_task(publisher.publish_many(events))
        await asyncio.sleep(0.5)  # all three are signed
        far.further_keys[far.civil] = [new]
        far.renew()
        await until(lambda: signer.current().public == new.public)
        wire.resume()
        assert await publishing == 30
        assert publisher.epoch == 1
    records = await raw_records(near, far.topic)
    statements = [parse_statement(parse_seal(dict(each.headers)[SEAL_HEADER])[2]) for each in records]
    for number, statement in enumerate(statements):
        (old if number < 10 else new).public.verify(statement.signature, statement.text)
    assert [(each.epoch, each.flush) for each in statements] == [(1, 2 + number // 10) for number in range(30)]
