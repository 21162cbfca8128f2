"""What an adapter relies on of its bus: the fake in memory, and Kafka."""

from __future__ import annotations

import asyncio
import json

import pytest

from exchange.bus import Batch, Redelivered, StoredPosition
from exchange.connect.kafka_bus import KafkaBus
from exchange.connect.ports import UnfitEvent
from exchange.envelope import Event, KafkaRecord
from exchange.errors import AdapterError, PublisherFenced, SchemaNotFound, TransportError, ValueInvalid
from exchange.ids import PublisherId
from exchange.transport.kafka import Partition, PartitionConsumer
from tests.connect.kafka_world import KafkaWorld
from tests.connect.world import AGENCY, SCHEMA, TOPIC
from tests.fakes.adapter_bus import TIME, MemoryBus

TEXT = json.dumps(SCHEMA)


class MemoryWorld:
    """A bus in memory, its topic registered."""

    def __init__(self) -> None:
        self.agency, self.topic, self.bus = AGENCY, TOPIC, MemoryBus(batch_size=2)
        self.bus.register(TOPIC, TEXT)

    async def letters(self, count):
        """Reason, key and offset or cursor of each dead letter."""
        return [(each.code, each.key, dict(each.details)) for each in self.bus.letters]


class RealWorld:
    """A bus on Kafka."""

    def __init__(self, world: KafkaWorld) -> None:
        self.agency, self.topic = world.agency, world.topic
        self.bus = KafkaBus(world.agency, world.context())
        self._world = world

    async def letters(self, count):
        """As they are on the agency's dead-letter topic."""
        found = []
        place = Partition(self.agency.dead_letter_topic, 0)
        async with PartitionConsumer(self._world.kafka) as consumer:
            consumer.assign([place])
            while len(found) < count:
                for polled in await consumer.poll(seconds=0.2, limit=100):
                    found += [letter_of(record) for record in polled.records]
        return found


def letter_of(record):
    """Reason, key and details of a dead letter's headers."""
    start = "exchange-dlq-"
    given = {name.removeprefix(start): value.decode() for name, value in record.headers if name.startswith(start)}
    return given.pop("code"), record.key.decode() if record.key else None, given


class Places:
    """A PositionStore of one place."""

    def __init__(self, stored=None) -> None:
        self.stored = stored

    async def load(self, group, topic, partition):
        """The place."""
        return self.stored


@pytest.fixture(params=["memory", "kafka"])
def bootstrap(request):
    """Kafka's address, or None for the fake."""
    return request.getfixturevalue("kafka") if request.param == "kafka" else None


@pytest.fixture
async def world(bootstrap, tmp_path):
    """Either."""
    if bootstrap is None:
        return MemoryWorld()
    real = KafkaWorld(bootstrap, tmp_path)
    await real.create_topics()
    return RealWorld(real)


def publisher(world):
    """The agency's one publisher."""
    return world.bus.publisher(PublisherId(world.agency, "hourly"))


async def published(world, *stations):
    """Publish events of these stations."""
    async with publisher(world) as one:
        await one.open(world.topic, TEXT)
        for station in stations:
            one.add(world.topic, {"station": station}, key=station)
        await one.commit({"cursor": len(stations)})


async def taken(world, count, places=None, group="copies", start="beginning"):
    """The batches that hold the next `count` events."""
    batches = []
    async with world.bus.subscriber(f"{world.agency}/{group}", world.topic, places or Places(), start) as subscriber:
        async for batch in subscriber.batches():
            batches.append(batch)
            await subscriber.commit(batch)
            if sum(len(each.events) for each in batches) >= count:
                return batches
    return batches


def stations(batches):
    """What the batches' events say."""
    return [event.data["station"] for batch in batches for event in batch.events]


async def test_events_and_position_are_committed_together(world):
    """The next publisher of the name finds the position, a subscriber the events."""
    await published(world, "A", "B", "C")
    async with publisher(world) as successor:
        assert successor.position == {"cursor": 3}
    batches = await taken(world, 3)
    assert stations(batches) == ["A", "B", "C"]
    assert [event.key for batch in batches for event in batch.events] == ["A", "B", "C"]


async def test_what_was_not_committed_never_was(world):
    """Closing forgets the buffer."""
    async with publisher(world) as one:
        assert one.position is None
        await one.open(world.topic, TEXT)
        one.add(world.topic, {"station": "lost"}, key="lost")
    await published(world, "A")
    assert stations(await taken(world, 1)) == ["A"]


async def test_a_value_that_does_not_fit_leaves_the_buffer_as_it_was(world):
    """The others are published."""
    async with publisher(world) as one:
        await one.open(world.topic, TEXT)
        one.add(world.topic, {"station": "A"})
        with pytest.raises(ValueInvalid):
            one.add(world.topic, {"station": 5})
        one.add(world.topic, {"station": "B"})
        assert await one.commit({"cursor": 2}) == 2
    assert sorted(stations(await taken(world, 2))) == ["A", "B"]


async def test_a_rejected_row_is_a_dead_letter_of_the_same_transaction(world):
    """With code, key and details."""
    async with publisher(world) as one:
        await one.open(world.topic, TEXT)
        one.add_rejected("value_invalid", "why", key="A", details={"table": "T", "cursor": "5"})
        assert await one.commit({"cursor": 5}) == 0
        assert one.position == {"cursor": 5}
    [(code, key, details)] = await world.letters(1)
    assert (code, key, details["table"], details["cursor"]) == ("value_invalid", "A", "T", "5")


async def test_the_next_commit_is_prepared_while_one_is_under_way(world):
    """Transactions hold in their order, each with its own events and position."""
    async with publisher(world) as one:
        await one.open(world.topic, TEXT)
        one.add(world.topic, {"station": "A"}, key="A")
        await one.begin_commit({"cursor": 1})
        one.add(world.topic, {"station": "B"}, key="B")
        await one.begin_commit({"cursor": 2})
        assert one.position == {"cursor": 1}
        assert await one.finish_commit() == 1
        assert await one.finish_commit() == 0
        assert one.position == {"cursor": 2}
    assert stations(await taken(world, 2)) == ["A", "B"]


async def test_what_a_commit_under_way_raises_comes_out_of_the_next_call(world):
    """And then nothing more can be committed: no hole, no event without those before it."""
    async with publisher(world) as first:
        await first.open(world.topic, TEXT)
        await published(world, "A")
        first.add(world.topic, {"station": "zombie"}, key="zombie")
        await first.begin_commit({"cursor": 99})
        first.add(world.topic, {"station": "its ghost"}, key="ghost")
        with pytest.raises(PublisherFenced):
            await first.begin_commit({"cursor": 100})
        with pytest.raises(TransportError):
            await first.commit({"cursor": 101})
    assert stations(await taken(world, 1)) == ["A"]


async def test_closing_gives_up_a_commit_under_way(world):
    """It holds, or it never was; the next publisher knows which."""
    async with publisher(world) as one:
        await one.open(world.topic, TEXT)
        one.add(world.topic, {"station": "A"}, key="A")
        await one.begin_commit({"cursor": 1})
    async with publisher(world) as successor:
        await successor.open(world.topic, TEXT)
        if successor.position is None:
            successor.add(world.topic, {"station": "A"}, key="A")
            await successor.commit({"cursor": 1})
    assert stations(await taken(world, 1)) == ["A"]


async def test_a_second_publisher_fences_the_first(world):
    """The first cannot commit any more."""
    async with publisher(world) as first:
        await first.open(world.topic, TEXT)
        first.add(world.topic, {"station": "zombie"}, key="zombie")
        await published(world, "A")
        with pytest.raises(PublisherFenced):
            await first.commit({"cursor": 99})
    assert stations(await taken(world, 1)) == ["A"]
    async with publisher(world) as successor:
        assert successor.position == {"cursor": 1}


async def test_a_schema_that_is_not_registered_is_refused(world):
    """Before anything is added."""
    async with publisher(world) as one:
        with pytest.raises(SchemaNotFound):
            await one.open(world.topic, TEXT.replace("WeatherObserved", "Other"))


async def test_a_subscriber_starts_from_the_sinks_place(world):
    """Not from what the group was told."""
    await published(world, "A", "B", "C", "D")
    batches = await taken(world, 4)
    at = next(batch for batch in batches if batch.events)
    second = at.events[1].offset
    again = await taken(world, 3, Places(StoredPosition(second, "")), group="others")
    assert stations(again) == ["B", "C", "D"]
    assert again[0].first_offset <= second < again[-1].next_offset


async def test_a_subscriber_may_start_at_the_end(world):
    """What was there before is left out."""
    await published(world, "A")
    place = Places()
    async with world.bus.subscriber(f"{world.agency}/late", world.topic, place, "end") as subscriber:
        batches = subscriber.batches()
        following = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        number = 0
        while not following.done():
            number += 1
            await published(world, f"B{number}")
            await asyncio.wait({following}, timeout=0.5)
        assert all(event.data["station"] != "A" for event in following.result().events)


async def test_stopping_ends_the_batches(world):
    """Also while none come."""
    async with world.bus.subscriber(f"{world.agency}/idle", world.topic, Places(), "beginning") as subscriber:
        reading = asyncio.create_task(collect(subscriber))
        await asyncio.sleep(0)
        subscriber.stop()
        assert await reading == []


async def collect(subscriber):
    """All batches until it stops."""
    return [batch async for batch in subscriber.batches()]


def unfit(*offsets):
    """Events that a table does not take."""
    return [UnfitEvent(offset, f"k{offset}", AdapterError("why", code="row_refused")) for offset in offsets]


def batch_of(world, first=0, following=5, topic=None):
    """A batch as a subscriber hands it out, of the topic or of letters that bring its events back."""
    events = [
        Event(world.topic, 0, n, f"k{n}", "", world.agency, "t", TIME, None, {}, "p", 1, n, None)
        for n in range(first, following)
    ]
    again = [
        Redelivered(KafkaRecord(world.topic, 0, n, 1, f"k{n}".encode(), b"", ()), 0, 1, "retry", n)
        for n in range(first, following)
    ]
    place = topic or world.topic
    return Batch(place, 0, first, following, events, [], "", 1, [] if topic is None else again)


async def test_an_unfit_event_is_kept_once(world):
    """However often it is kept, also by a later process; in order."""
    group = f"{world.agency}/copies"
    first = world.bus.unfit_events(group)
    await first.keep(batch_of(world), unfit(1, 3))
    await first.keep(batch_of(world), unfit(1, 3, 4))
    await first.close()
    second = world.bus.unfit_events(group)
    await second.keep(batch_of(world), unfit(1, 3, 4))
    await second.keep(batch_of(world, 5, 8), unfit(6))
    await second.close()
    letters = await world.letters(4)
    assert [(code, key, details["offset"]) for code, key, details in letters] == [
        ("row_refused", "k1", "1"),
        ("row_refused", "k3", "3"),
        ("row_refused", "k4", "4"),
        ("row_refused", "k6", "6"),
    ]
    assert letters[0][2]["topic"] == world.topic


async def test_who_lost_a_partition_keeps_nothing_more_there(world):
    """Its successor fenced it; should it get the partition back, it goes on from what was kept."""
    group = f"{world.agency}/copies"
    zombie, heir = world.bus.unfit_events(group), world.bus.unfit_events(group)
    await zombie.keep(batch_of(world), unfit(1))
    await heir.keep(batch_of(world), unfit(1, 2))
    with pytest.raises(PublisherFenced):
        await zombie.keep(batch_of(world), unfit(1, 2, 3))
    await zombie.keep(batch_of(world), unfit(1, 2, 3))
    await zombie.close()
    await heir.close()
    assert [key for _, key, _ in await world.letters(3)] == ["k1", "k2", "k3"]


async def test_partitions_have_keepers_of_their_own(world):
    """One is lost, the other is not: the topic's, and the one of the letters that bring its events back."""
    group = f"{world.agency}/copies"
    one, other = world.bus.unfit_events(group), world.bus.unfit_events(group)
    again = world.agency.redelivery_topic
    await one.keep(batch_of(world), unfit(1))
    await other.keep(batch_of(world, topic=again), unfit(1))
    await one.keep(batch_of(world), unfit(2))
    await one.close()
    await other.close()
    assert [key for _, key, _ in await world.letters(3)] == ["k1", "k1", "k2"]


async def test_an_empty_commit_of_the_same_position_writes_nothing(world):
    """Looking at a table that has not changed costs no transaction."""
    await published(world, "A")
    async with publisher(world) as one:
        assert await one.commit(one.position) == 0
        assert await one.commit() == 0
        assert one.position == {"cursor": 1}
    assert stations(await taken(world, 1)) == ["A"]
