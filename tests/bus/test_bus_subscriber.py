"""Groups: rebalances, restarts, a sink's own place, and a clean end."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from exchange.bus import StoredPosition
from exchange.errors import PublisherFenced, TransportError
from exchange.transport.kafka import Partition
from tests.fakes.bus_world import World, collect, publish, raw_records, write_raw
from tests.fakes.waiting import until


@pytest.fixture
async def wide(kafka):
    """An instance whose topic has four partitions."""
    return await World.created(kafka, partitions=4)


class Sink:
    """Rows and place in one step, as a database's transaction has them; refuses a place it is not at."""

    def __init__(self):
        self.rows = []
        self.places = {}

    async def load(self, group, topic, partition):
        return self.places.get((topic, partition))

    def store(self, batch):
        at = self.places.get((batch.topic, batch.partition))
        if at is not None and at.next_offset != batch.first_offset:
            return False
        self.rows += [event.data["n"] for event in batch.events]
        self.places[batch.topic, batch.partition] = StoredPosition(batch.next_offset, batch.sequences)
        return True


async def test_a_restart_continues_from_the_committed_place_and_its_sequences(world):
    """A new process reads on where the last one committed, and knows which sequences it saw."""
    await publish(world, range(10))
    async with world.subscriber(batch_records=5) as subscriber:
        assert len(await collect(subscriber, 5)) == 5
    async with world.subscriber(batch_records=5) as subscriber:
        assert [event.data["n"] for event in await collect(subscriber, 5)] == [5, 6, 7, 8, 9]
    first = (await raw_records(world, world.topic))[0]
    await write_raw(world, world.topic, first.value, first.headers, first.key)
    async with world.subscriber() as subscriber:
        batch = await anext(subscriber.batches())
        assert [each.error.code for each in batch.refused] == ["sequence_replayed"]


async def test_a_batch_that_was_not_committed_comes_again(world):
    """Processing without a commit is not processing: the next process gets the batch again."""
    await publish(world, range(3))
    for _ in range(2):
        async with world.subscriber() as subscriber:
            batch = await anext(subscriber.batches())
            assert [event.data["n"] for event in batch.events] == [0, 1, 2]


async def test_a_rebalance_between_two_subscribers_loses_and_repeats_nothing(wide):
    """A member that joins while another reads takes over partitions at the committed place, with nothing twice."""
    await publish(wide, range(4_000))
    seen = []

    async def read(subscriber, pace):
        async for batch in subscriber.batches():
            await asyncio.sleep(pace)
            await subscriber.commit(batch)
            seen.extend(event.data["n"] for event in batch.events)

    async with wide.subscriber("pair", batch_records=50) as one:
        first = asyncio.ensure_future(read(one, 0.01))
        while len(seen) < 400:
            await asyncio.sleep(0.01)
        async with wide.subscriber("pair", batch_records=50) as two:
            second = asyncio.ensure_future(read(two, 0.005))
            await two.wait_assigned()
            await publish(wide, range(4_000, 5_000))
            while len(seen) < 4_600:
                await asyncio.sleep(0.01)
            two.stop()
            await second
        while len(seen) < 5_000:
            await asyncio.sleep(0.01)
        one.stop()
        await first
    assert sorted(seen) == list(range(5_000))


async def test_a_commit_after_the_partition_moved_is_refused(wide):
    """A member that kept a batch too long is told that the partition is no longer its own."""
    await publish(wide, range(100))
    async with wide.subscriber("slow", batch_records=10) as slow:
        batches = slow.batches()
        batch = await anext(batches)
        slow_next = asyncio.ensure_future(anext(batches, None))  # asking for more lets go of the batch
        async with wide.subscriber("slow") as quick:
            taking = asyncio.ensure_future(anext(quick.batches()))
            await quick.wait_assigned()
            with pytest.raises(TransportError) as lost:
                await slow.commit(batch)
            assert lost.value.code == "assignment_lost"
            taking.cancel()
        slow_next.cancel()


async def test_a_sink_keeps_its_own_place(wide):
    """With the place in the sink, a group whose commits never reached Kafka repeats nothing."""
    await publish(wide, range(200))
    sink = Sink()
    for _ in range(4):
        async with wide.subscriber("sink", positions=sink, batch_records=20) as subscriber:
            batches = subscriber.batches()
            for _ in range(2):
                assert sink.store(await anext(batches))
            await batches.aclose()
    async with wide.subscriber("sink", positions=sink) as subscriber:
        async for batch in subscriber.batches():
            assert sink.store(batch)
            await subscriber.commit(batch)
            if len(sink.rows) == 200:
                break
    assert sorted(sink.rows) == list(range(200))


async def test_a_sink_that_cannot_be_read_stops_the_subscriber(world):
    """Without the sink's place nothing is read: guessing one would lose or repeat rows."""

    class Broken:
        async def load(self, group, topic, partition):
            raise TransportError("the database is away")

    await publish(world, range(1))
    async with world.subscriber("broken", positions=Broken()) as subscriber:
        with pytest.raises(TransportError, match="database is away"):
            await anext(subscriber.batches())


async def test_stop_ends_after_the_batch_in_hand(world):
    """SIGTERM drains: the batch in hand can be committed, and no other is handed out."""
    await publish(world, range(10))
    async with world.subscriber(batch_records=2) as subscriber:
        handed = []
        async for batch in subscriber.batches():
            handed.append(batch)
            subscriber.stop()
            await subscriber.commit(batch)
        assert [event.data["n"] for batch in handed for event in batch.events] == [0, 1]
    async with world.subscriber() as subscriber:
        assert [event.data["n"] for event in await collect(subscriber, 8)] == list(range(2, 10))


async def test_consumed_events_and_lag_are_measured(world, sample):
    """The consumed counter and the lag follow the commits; at the end the lag is zero."""
    await publish(world, range(10))
    labels = {"topic": world.topic, "group": world.group("copy")}
    async with world.subscriber(batch_records=4) as subscriber:
        batches = subscriber.batches()
        await subscriber.commit(await anext(batches))
        assert sample("exchange_consumed_total", **labels) == 4
        assert sample("exchange_consumer_lag", partition="0", **labels) > 0
        await subscriber.commit(await anext(batches))
        await subscriber.commit(await anext(batches))
    assert sample("exchange_consumed_total", **labels) == 10
    assert sample("exchange_consumer_lag", partition="0", **labels) <= 1


async def read_on(subscriber, handed):
    """Commit batch after batch, until the subscriber is stopped."""
    async for batch in subscriber.batches():
        handed.append(batch)
        await subscriber.commit(batch)


def lags_of(world, group):
    """The lag that this process reports of each partition of the group."""
    found = REGISTRY.get_sample_value
    labels = [{"topic": world.topic, "partition": str(n), "group": world.group(group)} for n in range(world.partitions)]
    values = [found("exchange_consumer_lag", each) for each in labels]
    return {n: value for n, value in enumerate(values) if value is not None}


async def test_the_lag_is_zero_once_everything_was_consumed(world):
    """The markers that end transactions are offsets too, and no reader is behind for having read up to them."""
    await publish(world, range(10))
    handed = []
    async with world.subscriber("honest", batch_records=5) as subscriber:
        reading = asyncio.ensure_future(read_on(subscriber, handed))
        await until(lambda: sum(len(batch.events) for batch in handed) == 10)
        await until(lambda: lags_of(world, "honest") == {0: 0})
        await publish(world, range(10, 11))
        await until(lambda: sum(len(batch.events) for batch in handed) == 11)
        await until(lambda: lags_of(world, "honest") == {0: 0})
        subscriber.stop()
        await reading


async def test_the_lag_counts_what_was_not_read_yet(world):
    """A reader that stands still is behind by what was published since, as soon as it asks for more."""
    async with world.subscriber("behind", batch_records=1) as subscriber:
        await publish(world, range(5))
        batches = subscriber.batches()
        await subscriber.commit(await anext(batches))
        assert lags_of(world, "behind") == {0: 5}
        await batches.aclose()


async def test_a_partition_that_moved_away_has_no_lag_here(wide):
    """Only the member that has a partition reports its lag; a closed one reports none."""
    await publish(wide, range(40))
    async with wide.subscriber("moving") as one:
        reading = [asyncio.ensure_future(read_on(one, []))]
        await until(lambda: lags_of(wide, "moving") == dict.fromkeys(range(4), 0))
        one.stop()
        await reading[0]
    assert lags_of(wide, "moving") == {}


async def test_a_partition_that_is_revoked_has_no_lag_until_it_is_assigned_again(wide):
    """While a rebalance is under way a member reports no lag of what it let go of."""
    await publish(wide, range(40))
    async with wide.subscriber("revoked") as one:
        first = asyncio.ensure_future(read_on(one, []))
        await until(lambda: len(lags_of(wide, "revoked")) == 4)
        async with wide.subscriber("revoked") as two:
            await two.wait_assigned()
            await until(lambda: len(lags_of(wide, "revoked")) == 2)
        one.stop()
        await first


async def test_a_member_that_lost_its_partition_cannot_write_a_dead_letter(world):
    """Who takes a partition over fences the dead letters of who had it before."""
    await write_raw(world, world.topic, b"one", [])
    await write_raw(world, world.topic, b"two", [])
    place = Partition(world.topic, 0)
    async with world.subscriber("refusing") as subscriber:
        batch = await anext(subscriber.batches())
    old, new = world.dead_letters("g"), world.dead_letters("g")
    assert await old.keep(place, batch.refused[:1], 1) == 1
    assert await new.keep(place, batch.refused, 2) == 1
    with pytest.raises(PublisherFenced):
        await old.keep(place, batch.refused[1:], 2)
    assert await new.keep(place, batch.refused, 2) == 0
    await old.close()
    await new.close()
    assert [each.value for each in await raw_records(world, world.social.dead_letter_topic)] == [b"one", b"two"]
