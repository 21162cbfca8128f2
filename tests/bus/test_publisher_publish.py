"""Publishing by itself, in bulk and in blocks: what is shared, what is reported, what waits, what is taken back."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import pytest

from exchange.bus import FlushPolicy, NewEvent
from exchange.envelope import parse_seal, parse_statement
from exchange.errors import KeyNotValid, SettingsError, TransportError, ValueInvalid
from exchange.transport.kafka import partition_of
from tests.fakes.bus_world import SCHEMA, World, raw_records, read_all

SLOW = FlushPolicy(linger=0.2)


@dataclass(frozen=True)
class Moved:
    """What `exchange schema generate` writes for the test's schema, but for its topic, which each test has its own."""

    __topic__: ClassVar[str]
    __schema__: ClassVar[str] = SCHEMA

    n: int
    text: str | None = None

    def to_dict(self):
        """The value, as the schema has it."""
        return {"n": self.n, "text": self.text}


def flush_of(record):
    """The flush that a record's seal names."""
    return parse_statement(parse_seal(record.headers[-1][1])[2]).flush


@pytest.fixture
def moved(world):
    """The class of this world's topic."""
    return type("MovedHere", (Moved,), {"__topic__": world.topic})


@pytest.fixture
async def publisher(world):
    """A publisher with its topic open."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        yield publisher


async def numbers(world, count):
    """Values and sequences of the topic's first events."""
    return [(event.data["n"], event.sequence) for event in await read_all(world, count)]


async def test_others_have_their_turn_while_many_are_added(world, publisher):
    """What else runs in the loop (heartbeats, a transaction's steps) is never more than 20 events away."""
    seen = [0]

    async def look() -> None:
        while True:
            seen.append(publisher.pending)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await publisher.publish_many(NewEvent(world.topic, {"n": n}, key="k") for n in range(1_000))
    looking.cancel()
    assert max(seen) > 100  # on a busy machine what has gathered goes out before all is added
    assert max(after - before for before, after in pairwise(seen)) <= 20


async def test_a_program_that_takes_all_threads_of_its_loop_publishes_on(world, publisher):
    """Signing and compressing have threads of their own."""
    free = threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    blocked = asyncio.ensure_future(asyncio.to_thread(free.wait))
    try:
        async with asyncio.timeout(20):
            await publisher.publish_many(NewEvent(world.topic, {"n": n}, key="k") for n in range(1_000))
    finally:
        free.set()
        await blocked


async def test_a_closed_publisher_does_not_even_publish_nothing(publisher):
    """An empty source hides no publisher that is closed."""
    await publisher.close()
    with pytest.raises(TransportError, match="is closed"):
        await publisher.publish_many([])


async def test_a_delivery_says_where_the_event_is(world, publisher):
    """The report of an event has the place, time, id and numbers that a subscriber finds it with."""
    reports = [await publisher.publish(world.topic, {"n": n}, key="k") for n in range(3)]
    events = await read_all(world, 3)
    records = await raw_records(world, world.topic)
    assert [(each.topic, each.partition, each.offset, each.id, each.sequence, each.epoch) for each in reports] == [
        (event.topic, event.partition, event.offset, event.id, event.sequence, event.epoch) for event in events
    ]
    assert [round(each.timestamp.timestamp() * 1000) for each in reports] == [record.timestamp for record in records]
    assert [each.flush for each in reports] == [2, 3, 4]  # the first began the epoch


async def test_concurrent_calls_share_a_flush_and_a_signature(kafka, sample):
    """A thousand calls at once, over six partitions, are few transactions; each has its own report, in order."""
    world = await World.created(kafka, partitions=6)
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        calls = [publisher.publish(world.topic, {"n": n}, key=f"k{n}") for n in range(1_000)]
        reports = await asyncio.gather(*calls)
    assert sample("exchange_publish_flushes_total", publisher=str(world.publisher_id), cause="automatic") <= 3
    assert len({each.flush for each in reports}) <= 3
    found = {event.data["n"]: event for event in await read_all(world, 1_000)}
    for n, each in enumerate(reports):
        assert (each.partition, each.offset) == (found[n].partition, found[n].offset)
        assert (each.id, each.sequence) == (found[n].id, found[n].sequence)
        assert each.partition == partition_of(f"k{n}".encode(), 6)


async def test_reports_are_right_over_several_trees_and_batches(kafka):
    """A transaction of several trees, whose partitions take several batches each, is reported record by record."""
    world = await World.created(kafka, partitions=2)
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        async with publisher.transaction() as transaction:
            for n in range(5_000):
                transaction.add(world.topic, {"n": n, "text": "x" * 2_000}, key=f"k{n}")
    reports = transaction.deliveries
    found = {event.data["n"]: event for event in await read_all(world, 5_000)}
    for n, each in enumerate(reports):
        assert (each.partition, each.offset, each.sequence) == (
            found[n].partition,
            found[n].offset,
            found[n].sequence,
        )
    sealed = {(each.partition, each.offset): flush_of(each) for each in await raw_records(world, world.topic)}
    assert [each.flush for each in reports] == [sealed[each.partition, each.offset] for each in reports]
    assert {flush: list(sealed.values()).count(flush) for flush in (2, 3, 4)} == {2: 2_000, 3: 2_000, 4: 1_000}


async def test_a_key_has_the_same_partition_in_bulk_as_alone(kafka):
    """However events are published, those of one key share a partition and keep their order; so do keys of any size."""
    world = await World.created(kafka, partitions=5)
    keys = [None, "k", "калит-7", *(f"key-{n}" for n in range(300)), "a" * 300]
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        alone = {key: await publisher.publish(world.topic, {"n": 0}, key=key) for key in keys[1:30]}
        await publisher.publish_many(NewEvent(world.topic, {"n": n}, key=key) for n in (1, 2) for key in keys)
        with pytest.raises(ValueInvalid, match="UTF-8"):
            await publisher.publish_many([NewEvent(world.topic, {"n": 3}, key="\ud800")])
    events = await read_all(world, len(alone) + 2 * len(keys))
    for key in keys[1:]:
        mine = [event for event in events if event.key == key]
        assert {event.partition for event in mine} == {partition_of(key.encode(), 5)}
        assert [event.data["n"] for event in mine] == ([0, 1, 2] if key in alone else [1, 2])
    assert all(delivery.partition == partition_of(key.encode(), 5) for key, delivery in alone.items())


async def test_typed_events_know_their_topic_and_schema(world, publisher, moved):
    """An object of a generated class is published as its value; the class alone opens the topic."""
    await publisher.open(moved)
    assert (await publisher.publish(moved(1), key="k")).sequence == 0
    assert await publisher.publish_many([NewEvent(moved(2, "x"), key="k")]) == 1
    async with publisher.transaction() as transaction:
        transaction.add(moved(3), key="k")
    publisher.add(moved(4), key="k")
    await publisher.commit()
    events = await read_all(world, 4)
    assert [event.data for event in events] == [{"n": n, "text": "x" if n == 2 else None} for n in range(1, 5)]


@pytest.mark.parametrize("wrong", ["no data", "two data", "no schema"])
async def test_an_event_says_one_thing(world, publisher, moved, wrong):
    """Data left out are no tombstone, a typed event takes no second value, a topic alone opens nothing."""
    if wrong == "no data":
        with pytest.raises(ValueInvalid, match="tombstone"):
            await publisher.publish(world.topic, key="k")
    elif wrong == "two data":
        with pytest.raises(ValueInvalid, match="its own data"):
            await publisher.publish(moved(1), {"n": 2}, key="k")
    else:
        with pytest.raises(SettingsError, match="schema"):
            await publisher.open(world.topic)
    assert (await publisher.publish(world.topic, None, key="k")).sequence == 0


async def test_a_million_is_never_in_memory(world):
    """A source is drawn from only as far as bytes may be in flight, and reported as it is delivered."""
    drawn, reported, most = 0, 0, 0

    def source():
        nonlocal drawn, most
        for n in range(20_000):
            drawn += 1
            most = max(most, drawn - reported)
            yield NewEvent(world.topic, {"n": n}, key="k")

    def delivered(deliveries):
        nonlocal reported
        assert deliveries[0].sequence == reported
        reported += len(deliveries)

    policy = FlushPolicy(events=1_000, in_flight=2_000 * 300)
    async with world.publisher(flush=policy) as publisher:
        await publisher.open(world.topic, SCHEMA)
        assert await publisher.publish_many(source(), delivered=delivered) == 20_000
    assert reported == 20_000
    assert most < 5_000
    assert [event.sequence for event in await read_all(world, 20_000)] == list(range(20_000))


async def test_an_asynchronous_source_is_published_as_it_comes(world, publisher):
    """What an async iterable has given is delivered while it waits for more."""
    more = asyncio.Event()

    async def source():
        for n in range(1_500):
            yield NewEvent(world.topic, {"n": n}, key="k")
        await more.wait()
        yield NewEvent(world.topic, {"n": 1_500}, key="k")

    publishing = asyncio.create_task(publisher.publish_many(source()))
    assert len(await read_all(world, 1_500)) == 1_500
    assert not publishing.done()
    more.set()
    assert await publishing == 1_501


async def test_a_source_that_gives_something_wrong_is_stopped_there(world, publisher):
    """The events before a wrong one are published, none behind it; the error says how many."""
    events = [NewEvent(world.topic, {"n": n if n != 700 else "x"}, key="k") for n in range(1_000)]
    with pytest.raises(ValueInvalid) as refused:
        await publisher.publish_many(events)
    assert refused.value.__notes__ == ["the 700 events before it are published"]
    await publisher.publish(world.topic, {"n": 700}, key="k")
    assert await numbers(world, 701) == [(n, n) for n in range(701)]


async def test_a_source_that_fails_has_published_what_it_gave(world, publisher):
    """An error of the source itself is raised once what it gave is delivered."""

    def source():
        yield NewEvent(world.topic, {"n": 0}, key="k")
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await publisher.publish_many(source())
    assert await numbers(world, 1) == [(0, 0)]


async def test_a_wrong_event_harms_none_of_those_it_would_have_shared_a_flush_with(world, publisher):
    """One of many concurrent calls is refused; the others are delivered without a hole."""
    calls = [publisher.publish(world.topic, {"n": n if n != 5 else None}, key="k") for n in range(10)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(outcomes[5], ValueInvalid)
    assert [each.sequence for each in outcomes if not isinstance(each, ValueInvalid)] == list(range(9))


async def test_a_cancelled_call_is_published_all_the_same(world):
    """Cancelling a call gives up the report, not the event, and harms no other."""
    async with world.publisher(flush=SLOW) as publisher:
        await publisher.open(world.topic, SCHEMA)
        calls = [asyncio.create_task(publisher.publish(world.topic, {"n": n}, key="k")) for n in range(3)]
        await asyncio.sleep(0)
        calls[1].cancel()
        assert [(await calls[0]).sequence, (await calls[2]).sequence] == [0, 2]
        with pytest.raises(asyncio.CancelledError):
            await calls[1]
    assert await numbers(world, 3) == [(0, 0), (1, 1), (2, 2)]


async def test_a_full_flush_does_not_linger(world):
    """As many events as a flush takes, or as many bytes, go out at once."""
    for policy in (FlushPolicy(events=3, linger=60), FlushPolicy(bytes=900, linger=60)):
        async with world.publisher(flush=policy) as publisher:
            await publisher.open(world.topic, SCHEMA)
            async with asyncio.timeout(30):
                await asyncio.gather(*(publisher.publish(world.topic, {"n": n}, key="k") for n in range(3)))


async def test_a_transaction_spans_topics_and_carries_a_place(kafka):
    """What is added in a block is published together with its position, and reported in the block's order."""
    world = World(kafka)
    second = world.topic.replace("moved", "left")
    world.more_topics = [second]
    world.renew()
    world.registry.register(f"{second}-value", SCHEMA)
    await world.create_topics()
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.open(second, SCHEMA)
        async with publisher.transaction({"row": 1}) as transaction:
            transaction.add(world.topic, {"n": 1}, key="a")
            transaction.add(second, {"n": 2}, key="b")
            transaction.add(world.topic, {"n": 3}, key="c")
            assert publisher.position is None
        assert publisher.position == {"row": 1}
        reports = transaction.deliveries
        assert [(each.topic, each.offset, each.sequence) for each in reports] == [
            (world.topic, 0, 0),
            (second, 0, 0),
            (world.topic, 1, 1),
        ]
        assert len({each.flush for each in reports}) == 1


async def test_an_exception_in_a_transaction_publishes_nothing(world, publisher):
    """A block that fails gives its sequences back, and its error leaves it as it is."""

    async def fail():
        async with publisher.transaction({"row": 1}) as transaction:
            transaction.add(world.topic, {"n": 1}, key="k")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert publisher.position is None
    assert (await publisher.publish(world.topic, {"n": 2}, key="k")).sequence == 0
    assert await numbers(world, 1) == [(2, 0)]


async def test_what_a_transaction_refuses_can_be_left_out(world, publisher):
    """A block that catches the refusal of one event goes on with the others."""
    async with publisher.transaction() as transaction:
        transaction.add(world.topic, {"n": 1}, key="k")
        with pytest.raises(ValueInvalid):
            transaction.add(world.topic, {"n": "x"}, key="k")
        transaction.add(world.topic, {"n": 2}, key="k")
        transaction.position = {"row": 2}
    assert publisher.position == {"row": 2}
    assert [each.sequence for each in transaction.deliveries] == [0, 1]


async def test_nothing_gets_in_between(world, publisher):
    """Calls made while a block is open are published after it, those before it before."""
    before = asyncio.create_task(publisher.publish(world.topic, {"n": 0}, key="k"))
    await asyncio.sleep(0)
    async with publisher.transaction() as transaction:
        transaction.add(world.topic, {"n": 1}, key="k")
        meanwhile = asyncio.create_task(publisher.publish(world.topic, {"n": 3}, key="k"))
        assert (await before).sequence == 0
        transaction.add(world.topic, {"n": 2}, key="k")
        assert not meanwhile.done()
    assert (await meanwhile).sequence == 3
    assert await numbers(world, 4) == [(n, n) for n in range(4)]


async def test_a_transaction_that_would_wait_for_itself_says_so(world, publisher):
    """Publishing inside one's own block, or beginning another way of publishing, is refused at once."""
    async with publisher.transaction() as transaction:
        for attempt in (publisher.publish(world.topic, {"n": 1}, key="k"), publisher.publish_many([])):
            with pytest.raises(SettingsError, match="this very task"):
                await attempt
        with pytest.raises(SettingsError, match="open"):
            publisher.add(world.topic, {"n": 1}, key="k")
        with pytest.raises(SettingsError, match="open"):
            await publisher.commit()
        transaction.add(world.topic, {"n": 7}, key="k")
    assert await numbers(world, 1) == [(7, 0)]


async def test_added_events_are_committed_before_others_are_published(world, publisher):
    """What was added by hand goes out with its own position: it is never swept along by somebody's publish."""
    publisher.add(world.topic, {"n": 0}, key="k")
    with pytest.raises(SettingsError, match="commit"):
        await publisher.publish(world.topic, {"n": 1}, key="k")
    assert await publisher.commit({"row": 1}) == 1
    assert (await publisher.publish(world.topic, {"n": 1}, key="k")).sequence == 1
    with pytest.raises(ValueInvalid):
        publisher.add(world.topic, {"n": "x"}, key="k")
    publisher.discard()
    assert (await publisher.publish(world.topic, {"n": 2}, key="k")).sequence == 2


async def test_added_events_come_behind_what_was_published_before(world):
    """Adding by hand while published events gather leaves them their own flush, and the order as it was."""
    async with world.publisher(flush=SLOW) as publisher:
        await publisher.open(world.topic, SCHEMA)
        publishing = asyncio.create_task(publisher.publish(world.topic, {"n": 0}, key="k"))
        await asyncio.sleep(0)
        publisher.add(world.topic, {"n": 99}, key="k")
        publisher.discard()
        publisher.add(world.topic, {"n": 1}, key="k")
        await publisher.commit({"row": 1})
        assert (await publishing).sequence == 0
    assert await numbers(world, 2) == [(0, 0), (1, 1)]


async def test_an_empty_transaction_writes_nothing(world, publisher, sample):
    """A block in which nothing was added and no place given is no transaction."""
    async with publisher.transaction() as transaction:
        pass
    assert list(transaction.deliveries) == []
    assert sample("exchange_publish_flushes_total", publisher=str(world.publisher_id), cause="transaction") == 0


async def test_a_key_that_expires_meanwhile_refuses_the_calls_and_keeps_the_publisher(world, publisher):
    """Calls of a flush whose key is over are told; with a new validity their sequences are given again."""
    world.key_days = -1
    world.renew()
    outcomes = await asyncio.gather(
        *(publisher.publish(world.topic, {"n": n}, key="k") for n in range(3)), return_exceptions=True
    )
    assert [type(each) for each in outcomes] == [KeyNotValid] * 3
    with pytest.raises(KeyNotValid):
        async with publisher.transaction({"row": 1}) as transaction:
            transaction.add(world.topic, {"n": 1}, key="k")
    world.key_days = 1
    world.renew()
    assert (await publisher.publish(world.topic, {"n": 7}, key="k")).sequence == 0


async def test_a_closed_publisher_says_so_to_all_who_wait(world):
    """Closing with calls under way ends them with an error, not with silence."""
    publisher = world.publisher(flush=SLOW)
    await publisher.start()
    await publisher.open(world.topic, SCHEMA)
    calls = [asyncio.create_task(publisher.publish(world.topic, {"n": n}, key="k")) for n in range(3)]
    await asyncio.sleep(0)
    await publisher.close()
    for call in calls:
        with pytest.raises(TransportError) as ended:
            await call
        assert ended.value.code == "publisher_closed"
    with pytest.raises(TransportError, match="start a new one"):
        await publisher.publish(world.topic, {"n": 1}, key="k")


async def test_publishing_to_a_topic_that_is_not_open_is_refused(world, publisher):
    """A topic is opened before it is published to, in every way."""
    with pytest.raises(SettingsError, match="open"):
        await publisher.publish(world.other, {"n": 1}, key="k")
    with pytest.raises(SettingsError, match="open"):
        async with publisher.transaction() as transaction:
            transaction.add(world.other, {"n": 1}, key="k")


async def test_a_place_is_kept_by_what_follows_it_at_once(world, publisher):
    """Events published while a transaction commits do not take its position back."""

    async def block():
        async with publisher.transaction({"row": 1}) as transaction:
            transaction.add(world.topic, {"n": 0}, key="k")

    blocks = asyncio.create_task(block())
    await asyncio.sleep(0)
    await asyncio.gather(blocks, *(publisher.publish(world.topic, {"n": n}, key="k") for n in range(1, 10)))
    assert publisher.position == {"row": 1}
    await publisher.close()
    async with world.publisher() as successor:
        assert successor.position == {"row": 1}


@pytest.mark.parametrize("wrong", [{"events": 0}, {"bytes": 0}, {"in_flight": 0}, {"linger": -1}])
def test_a_policy_that_could_never_flush_is_refused(wrong):
    """A limit of nothing is a setting to correct; the message names it."""
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        FlushPolicy(**wrong)
