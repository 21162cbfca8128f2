"""What a publisher refuses before anything is written, and what it tells whoever asks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from exchange.bus import POSITIONS_TOPIC, Publisher
from exchange.envelope import Opener
from exchange.errors import (
    BrokerUnreachable,
    ClockSkewed,
    DirectoryExpired,
    DocumentInvalid,
    KeyNotValid,
    PeerUnreachable,
    PublisherNotAllowed,
    RecordTooLarge,
    SchemaNotFound,
    SettingsError,
    TransportError,
    ValueInvalid,
)
from exchange.ids import PublisherId
from exchange.transport.kafka import KafkaAdmin, free_port, partition_of
from exchange.trust import SigningKey
from tests.fakes.bus_world import OTHER_SCHEMA, SCHEMA, World, raw_records, read_all, write_raw


@pytest.fixture
async def publisher(world):
    """A publisher with its topic open."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        yield publisher


async def test_a_schema_that_is_not_registered_is_refused(world, publisher):
    """Without a contract there is no event: opening with an unregistered schema fails."""
    with pytest.raises(SchemaNotFound):
        await publisher.open(world.topic, OTHER_SCHEMA)


async def test_a_registry_that_is_down_is_said_at_open(world, publisher):
    """When the registry is away, opening fails as retriable and nothing is written."""
    world.registry.away = 1
    with pytest.raises(PeerUnreachable) as away:
        await publisher.open(world.topic, SCHEMA)
    assert away.value.retriable


async def test_another_agencys_topic_is_refused(world, publisher):
    """Only the owner publishes to a topic; the message names the owner."""
    with pytest.raises(PublisherNotAllowed, match=str(world.social)):
        await publisher.open(world.other, SCHEMA)


async def test_a_topic_the_directory_does_not_have_is_refused(world, publisher):
    """A topic that is in no directory takes no events."""
    with pytest.raises(PublisherNotAllowed, match="not in the directory"):
        await publisher.open(world.civil.topic_prefix + "nothing.v1", SCHEMA)


async def test_a_publisher_that_is_not_listed_is_refused(world):
    """The owner's other publishers may not write to a topic either."""
    async with world.publisher(PublisherId(world.civil, "others")) as other:
        with pytest.raises(PublisherNotAllowed, match="not among the publishers"):
            await other.open(world.topic, SCHEMA)


async def test_adding_to_a_topic_that_is_not_open_is_refused(world, publisher):
    """A topic is opened before it is written to."""
    with pytest.raises(SettingsError, match="open"):
        publisher.add(world.other, {"n": 1})


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"data": {"n": "text"}, "key": "k"}, ValueInvalid),
        ({"data": {"m": 1}, "key": "k"}, ValueInvalid),
        ({"data": None, "key": None}, ValueInvalid),
        ({"data": {"n": 1}, "key": "\ud800"}, ValueInvalid),
        ({"data": {"n": 1}, "key": "k", "subject": "\ud800"}, ValueInvalid),
        ({"data": {"n": 1}, "key": "k", "traceparent": "01-x"}, ValueInvalid),
        ({"data": {"n": 1}, "key": "k", "time": datetime(2026, 1, 1)}, ValueInvalid),  # noqa: DTZ001
        ({"data": {"n": 1, "text": "x" * 4_300_000}, "key": "k"}, RecordTooLarge),
        ({"data": {"n": 1}, "key": "k" * 4_300_000}, RecordTooLarge),
        ({"data": {"n": 1}, "key": "k", "subject": "s" * 4_300_000}, RecordTooLarge),
    ],
)
async def test_what_does_not_fit_leaves_the_buffer_as_it_was(world, publisher, arguments, error):
    """An event that cannot be published is refused when it is added; what was added before goes out unharmed."""
    publisher.add(world.topic, {"n": 1}, key="k")
    with pytest.raises(error):
        publisher.add(world.topic, arguments.pop("data"), **arguments)
    publisher.add(world.topic, {"n": 2}, key="k")
    assert await publisher.commit() == 2
    assert [(event.data["n"], event.sequence) for event in await read_all(world, 2)] == [(1, 0), (2, 1)]


@pytest.mark.parametrize("minutes", [5, -5])
async def test_a_clock_five_minutes_off_stops_the_start(world, minutes):
    """A clock that differs from the broker's by more than a minute refuses to publish, and writes nothing."""
    world.clock.shift = timedelta(minutes=minutes)
    with pytest.raises(ClockSkewed, match="clock"):
        await world.publisher().start()
    own = [each for each in await raw_records(world, POSITIONS_TOPIC) if each.key == str(world.publisher_id).encode()]
    assert own == []


async def test_a_clock_that_jumps_while_publishing_aborts_the_commit(world, publisher):
    """A clock that is set wrong under a running publisher ends it: the commit is aborted, nothing is visible."""
    publisher.add(world.topic, {"n": 1}, key="k")
    world.clock.shift = timedelta(minutes=-5)
    with pytest.raises(ClockSkewed):
        await publisher.commit({"row": 1})
    world.clock.shift = timedelta()
    async with world.publisher() as again:
        assert again.position is None
    assert await raw_records(world, world.topic) == []


async def test_an_expired_key_is_refused_before_anything_is_written(world):
    """A signing key that is past its validity in the directory cannot start a publisher, nor commit."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        publisher.add(world.topic, {"n": 1}, key="k")
        world.key_days = -1.0
        world.renew()
        with pytest.raises(KeyNotValid, match="not valid"):
            await publisher.commit()
        with pytest.raises(KeyNotValid):
            await world.publisher().start()
        world.key_days = 1.0
        world.renew()
        assert await publisher.commit() == 1
    assert len(await read_all(world, 1)) == 1


async def test_a_key_the_directory_does_not_have_is_refused(world):
    """A key that is nobody's signs nothing."""
    world.keys = dict.fromkeys(world.keys, SigningKey.generate())
    with pytest.raises(KeyNotValid):
        await world.publisher().start()


async def test_a_suspended_agency_does_not_publish(world):
    """Suspension holds at once, also for a publisher that runs."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        publisher.add(world.topic, {"n": 1}, key="k")
        world.status = "suspended"
        world.renew()
        with pytest.raises(PublisherNotAllowed, match="suspended"):
            await publisher.commit()


async def test_an_unknown_agency_does_not_publish(world):
    """An agency that is not in the directory cannot start a publisher."""
    stranger = PublisherId(world.civil, "residents")
    other = World(world.kafka)
    publisher = Publisher(stranger, world.kafka, world.keys[world.civil], other.directory, world.cache(), world.clock)
    with pytest.raises(PublisherNotAllowed, match="not in the directory"):
        await publisher.start()


async def test_an_expired_directory_stops_publishing(world):
    """Past the directory's expiry nothing is published."""
    world.valid = timedelta(seconds=-1)
    world.renew()
    with pytest.raises(DirectoryExpired):
        await world.publisher().start()


async def test_a_broker_that_is_not_there_is_named(world):
    """Without Kafka a start fails with its address and what to do."""
    world.kafka = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerUnreachable, match=world.kafka) as away:
        await world.publisher().start()
    assert "exchange up" in away.value.message
    with pytest.raises(BrokerUnreachable, match=world.kafka):
        await world.subscriber().start()


async def test_a_publisher_that_was_not_started_does_not_commit(world):
    """A publisher commits between start and close, and at no other time."""
    with pytest.raises(TransportError, match="start a new one"):
        await world.publisher().commit({"row": 1})


async def place_of(world, publisher):
    """The partition of the positions topic that is a publisher's."""
    async with KafkaAdmin(world.kafka) as admin:
        return partition_of(str(publisher).encode(), await admin.partition_count(POSITIONS_TOPIC))


async def test_a_position_that_nobody_sealed_stops_the_start(world):
    """Starting from nothing would publish everything twice: a lone forged position is an error."""
    place = await place_of(world, world.publisher_id)
    await write_raw(world, POSITIONS_TOPIC, b"{}", [], str(world.publisher_id).encode(), partition=place)
    with pytest.raises(DocumentInvalid, match="verifies"):
        await world.publisher().start()


async def test_a_replayed_position_does_not_move_a_publisher_back(world):
    """An old position that is written to the topic again, its seal intact, is older by its epoch and flush."""
    async with world.publisher() as publisher:
        await publisher.commit({"row": 1})
        await publisher.commit({"row": 2})
    own = str(world.publisher_id).encode()
    old = next(each for each in await raw_records(world, POSITIONS_TOPIC) if each.key == own)
    await write_raw(world, POSITIONS_TOPIC, old.value, old.headers, own, partition=old.partition)
    async with world.publisher() as publisher:
        assert publisher.position == {"row": 2}


async def test_anothers_position_under_our_name_is_ignored(world):
    """A position counts only if its own publisher sealed it."""
    other = PublisherId(world.civil, "others")
    async with world.publisher() as publisher, world.publisher(other) as stranger:
        await publisher.commit({"row": 1})
        await stranger.commit({"row": 99})
    theirs = [each for each in await raw_records(world, POSITIONS_TOPIC) if each.key == str(other).encode()][-1]
    place = await place_of(world, world.publisher_id)
    key = str(world.publisher_id).encode()
    await write_raw(world, POSITIONS_TOPIC, theirs.value, theirs.headers, key, partition=place)
    async with world.publisher() as publisher:
        assert publisher.position == {"row": 1}


async def test_what_could_not_become_an_event_is_kept_in_the_same_transaction(world, publisher):
    """A rejected row is a dead letter of its own agency: reason and place, never what it said."""
    publisher.add(world.topic, {"n": 1}, key="k")
    publisher.add_rejected("value_invalid", "no such code", key="row-7", details={"table": "FUQARO", "cursor": "7"})
    assert await publisher.commit({"row": 7}) == 1
    [letter] = await raw_records(world, world.civil.dead_letter_topic)
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (b"row-7", b"")
    assert headers["exchange-dlq-code"] == b"value_invalid"
    assert headers["exchange-dlq-table"] == b"FUQARO"
    assert Opener(world.directory, world.cache()).open_internal(letter).publisher == str(world.publisher_id)
    assert publisher.position == {"row": 7}


async def test_a_discarded_rejection_is_not_kept(world, publisher):
    """Discarding the buffer discards rejected rows with it."""
    publisher.add_rejected("value_invalid", "no such code", key=None, details={})
    publisher.discard()
    assert await publisher.commit() == 0
    assert await raw_records(world, world.civil.dead_letter_topic) == []


async def test_published_events_are_counted(world, publisher, sample):
    """The counter of a topic goes up by the events that were committed, and only by those."""
    publisher.add(world.topic, {"n": 1}, key="k")
    labels = {"topic": world.topic, "publisher": str(world.publisher_id)}
    assert sample("exchange_published_total", **labels) == 0
    await publisher.commit()
    assert sample("exchange_published_total", **labels) == 1
    assert sample("exchange_publish_commit_seconds_count", publisher=str(world.publisher_id)) == 1


async def test_a_topic_that_is_not_on_kafka_is_named(world, publisher):
    """A topic of the directory that Kafka does not have is a setting to correct, not an event to lose."""
    bare = World(world.kafka)
    bare.registry.register(f"{bare.topic}-value", SCHEMA)
    async with bare.publisher() as other:
        with pytest.raises(SettingsError, match=bare.topic):
            await other.open(bare.topic, SCHEMA)
