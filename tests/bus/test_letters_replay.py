"""Replay: a range of a topic again to one group, verified, and no record twice."""

from __future__ import annotations

from exchange.bus import Replay, ReplayOrder, read_span
from exchange.transport.kafka import Partition, view_group
from tests.fakes.bus_world import publish, raw_records, write_raw
from tests.fakes.handling_world import Away, handle_until, letters_on, post


def order_of(world, group="handled", name="all"):
    """An order for one group."""
    return ReplayOrder(world.topic, world.group(group), name)


async def replayed(world, span, **order):
    """Replay a span of the one partition; how far it got."""
    async with Replay(post(world), world.cache(), order_of(world, **order), step=3) as replay:
        found = [progress async for progress in replay.run({0: span})]
    return found[-1] if found else None


async def handled(world, count, group="handled"):
    """A handler of a group that took so many events."""
    handler = Away()
    handler.is_back = True
    await handle_until(world, handler, lambda: len(handler.taken) >= count, group=group)
    return handler.taken


async def test_a_range_comes_again_to_one_group_alone(world):
    """The group reads the range once more, in order, as it was published; another group of the agency does not."""
    await publish(world, range(10))
    assert await handled(world, 10) == await handled(world, 10, group="other") == list(range(10))
    progress = await replayed(world, range(3, 7))
    assert (progress.copied, progress.refused, progress.is_done) == (4, 0, True)
    assert await handled(world, 4) == [3, 4, 5, 6]
    await publish(world, [10])
    assert await handled(world, 1, group="other") == [10]


async def test_the_same_replay_delivers_nothing_more_and_another_does(world):
    """What was asked for before is known by its id; a new id is a new replay."""
    await publish(world, range(4))
    await replayed(world, range(4))
    assert await replayed(world, range(4)) is None
    assert len(await letters_on(world, world.social.redelivery_topic)) == 4
    assert (await replayed(world, range(4), name="again")).copied == 4
    assert len(await letters_on(world, world.social.redelivery_topic)) == 8


async def test_what_does_not_verify_is_not_delivered_again(world):
    """Forged and unsealed records in the range are counted and left out."""
    await publish(world, range(3))
    good = (await raw_records(world, world.topic))[0]
    await write_raw(world, world.topic, good.value + b"x", good.headers, good.key)
    await write_raw(world, world.topic, b"noise")
    progress = await replayed(world, range(6))
    assert (progress.copied, progress.refused) == (3, 2)
    assert [letter.offset for letter in await letters_on(world, world.social.redelivery_topic)] == [0, 1, 2]


async def test_a_span_ends_behind_the_markers_of_transactions(world):
    """Markers are offsets and no records: a span that ends in one is read to its end."""
    await publish(world, range(2))
    await publish(world, [2])
    found = [record.offset async for record in read_span(world.kafka, Partition(world.topic, 0), range(5))]
    assert found == [0, 1, 3]
    assert (await replayed(world, range(5))).at == {0: 5}


async def test_a_group_is_seen_from_outside(world):
    """Who exists, who reads the redeliveries now, and who will when it is back."""
    await publish(world, [0])
    assert not (await view_group(world.kafka, world.group("nobody"))).exists
    async with world.subscriber("plain") as subscriber:
        await subscriber.wait_assigned()
        plain = await view_group(world.kafka, world.group("plain"))
        assert (plain.members, plain.reads(world.topic), plain.reads(world.social.redelivery_topic)) == (1, True, False)
    await replayed(world, range(1))
    assert await handled(world, 2) == [0, 0]
    gone = await view_group(world.kafka, world.group("handled"))
    assert (gone.members, gone.exists, gone.reads(world.social.redelivery_topic)) == (0, True, True)
