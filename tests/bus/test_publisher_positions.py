"""Finding a publisher's own last position among all that lies under its name."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec
import pytest

from exchange.bus import POSITIONS_TOPIC, Position
from exchange.bus.publishing.positions import position_partition, position_record, read_position, read_successor
from exchange.envelope import SEAL_HEADER, Opener, Sealer
from exchange.ids import uuid7
from exchange.transport.kafka import IdempotentProducer, KafkaAdmin, Outgoing, TransactionalProducer
from tests.fakes.bus_world import SCHEMA, World, raw_records


@pytest.fixture
async def place(world):
    """The partition of the positions topic that is the publisher's."""
    async with KafkaAdmin(world.kafka) as admin:
        return position_partition(world.publisher_id, await admin.partition_count(POSITIONS_TOPIC))


def opener(world: World) -> Opener:
    """What verifies positions."""
    return Opener(world.directory, world.cache())


async def read(world: World, place: int):
    """What a start would read, without fencing."""
    return await read_position(world.kafka, world.publisher_id, place, opener(world), world.clock)


async def look(world: World, place: int, epoch: int, own: tuple[str, ...] = ()):
    """What a recovery would see."""
    return await read_successor(
        world.kafka, world.publisher_id, place, opener(world), world.clock, epoch=epoch, own=own
    )


async def own_records(world: World):
    """The positions as they lie there."""
    key = str(world.publisher_id).encode()
    return [each for each in await raw_records(world, POSITIONS_TOPIC) if each.key == key]


async def test_hundreds_of_forged_positions_hide_nothing(world, place):
    """Positions that claim to be newer, sealed by nobody, are passed over, however many there are."""
    async with world.publisher() as publisher:
        for row in range(20):
            await publisher.commit({"row": row})
    key = str(world.publisher_id).encode()
    forged = [
        Outgoing(POSITIONS_TOPIC, place, key, msgspec.json.encode(Position(1, 1_000 + n, 1, {}, {"row": -1})), [])
        for n in range(600)
    ]
    forged += [Outgoing(POSITIONS_TOPIC, place, key, value, []) for value in (None, b"{}", b"\xff")]
    async with IdempotentProducer(world.kafka) as producer:
        await producer.write(forged)
    found = await read(world, place)
    assert (found.position.epoch, found.position.application) == (1, {"row": 19})
    async with world.publisher() as publisher:
        assert (publisher.epoch, publisher.position) == (2, {"row": 19})


async def test_a_publisher_that_never_wrote_is_nowhere(world, place):
    """Without a position there is the first, and no record that holds it."""
    found = await read(world, place)
    assert (found.position, found.record) == (Position.first(), None)
    assert await look(world, place, 0) is None


async def test_a_look_sees_a_later_epoch_and_fences_nobody(world, place):
    """Whoever looks learns of the process that took over; that process goes on undisturbed."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        assert (await look(world, place, 0)).epoch == 1
        assert await look(world, place, 1) is None
        await publisher.publish(world.topic, {"n": 1}, key="k")
        assert (await look(world, place, 0)).flush == 2
        await publisher.publish(world.topic, {"n": 2}, key="k")
        assert publisher.epoch == 1


async def test_a_look_knows_its_own(world, place):
    """An epoch that the looker began itself is no successor's; one behind it is."""
    async with world.publisher():
        pass
    [record] = await own_records(world)
    own = (dict(record.headers)["ce_id"].decode(),)
    assert await look(world, place, 0, own) is None
    async with world.publisher():
        pass
    assert (await look(world, place, 0, own)).epoch == 2


@pytest.mark.parametrize("holds", [True, False])
async def test_a_look_waits_for_a_successor_that_is_not_decided(world, place, holds):
    """A later epoch that is written and not committed counts once it is; where it is aborted it never was."""
    async with world.publisher():
        pass
    other = TransactionalProducer(world.kafka, f"{world.name}-other")
    await other.start()
    with suppress(ZeroDivisionError):
        async with other.transaction() as transaction:
            await transaction.write([sealed(world, Position(1, 2, 1, {}, None), place)])
            looking = asyncio.create_task(look(world, place, 1))
            await asyncio.wait([looking], timeout=1.0)
            assert not looking.done()
            if not holds:
                raise ZeroDivisionError
    found = await looking
    assert (found and found.epoch) == (2 if holds else None)
    await other.close()


def sealed(world: World, position: Position, place: int) -> Outgoing:
    """A position of the world's publisher, as its next process would write it."""
    now = world.clock.now()
    record = position_record(world.publisher_id, position, place, now, uuid7())
    sealer = Sealer(world.publisher_id, world.keys[world.civil])
    [seal] = sealer.seal([record], epoch=position.epoch, flush=position.flush, time=now)
    return Outgoing(POSITIONS_TOPIC, place, record.key, record.value, [*record.headers, (SEAL_HEADER, seal)])
