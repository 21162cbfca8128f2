"""Writers and readers against a real Kafka."""

from __future__ import annotations

import asyncio
import os

import pytest
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from exchange.clock import SystemClock
from exchange.errors import (
    BrokerUnreachable,
    PublisherFenced,
    RecordTooLarge,
    SettingsError,
    TransportError,
)
from exchange.transport.kafka import (
    GroupConsumer,
    GroupPosition,
    IdempotentProducer,
    KafkaAdmin,
    Outgoing,
    Partition,
    PartitionConsumer,
    TableReader,
    TopicSpec,
    TransactionalProducer,
    encode,
    ensure_topics,
    free_port,
    high_watermarks,
    partition_of,
)
from exchange.transport.kafka.partitioner import murmur2, murmur2_all
from tests.fakes.unreadable_record import write_unreadable

CLOCK = SystemClock()


@pytest.fixture
async def topic(kafka, unique):
    """A topic of two partitions."""
    name = unique("topic")
    await ensure_topics(kafka, [TopicSpec(name, 2)])
    return name


@pytest.fixture
async def writer(kafka, unique):
    """A started transactional producer."""
    producer = TransactionalProducer(kafka, unique("writer"))
    await producer.start()
    yield producer
    await producer.close()


async def read(kafka, topic):
    """Every committed record of a topic."""
    found = []
    async with TableReader(kafka, topic, found.append, CLOCK):
        return found


def nothing(_):
    """A rebalance that needs nothing."""
    return asyncio.sleep(0)


async def test_topics_are_made_once_and_widened(kafka, unique):
    """Making topics again is harmless; more partitions are added; the broker stamps records."""
    name = unique("made")
    async with KafkaAdmin(kafka) as admin:
        await admin.ensure_topics([TopicSpec(name, 1, settings={"max.message.bytes": "2000000"})])
        await admin.ensure_topics([TopicSpec(name, 3)])
        assert await admin.partitions([name, "not-there"]) == {name: 3}
        assert await admin.partitions([]) == {}
        settings = await admin.settings(name)
    assert settings["max.message.bytes"] == "2000000"
    assert settings["message.timestamp.type"] == "LogAppendTime"


async def test_a_topic_with_another_policy_is_not_taken(kafka, unique):
    """A compacted topic is not silently used as one that keeps everything."""
    name = unique("policy")
    await ensure_topics(kafka, [TopicSpec(name, compacted=True)])
    with pytest.raises(SettingsError, match=r"cleanup\.policy"):
        await ensure_topics(kafka, [TopicSpec(name)])


async def test_a_topic_kafka_refuses_is_named(kafka):
    """A name that Kafka does not take is said with Kafka's reason."""
    with pytest.raises(TransportError, match="not a topic"):
        await ensure_topics(kafka, [TopicSpec("not a topic")])


async def test_settings_of_a_missing_topic_are_an_error(kafka, unique):
    """Asking for the settings or partitions of a topic that is not there names it."""
    name = unique("missing")
    async with KafkaAdmin(kafka) as admin:
        with pytest.raises(TransportError, match=name):
            await admin.settings(name)
        with pytest.raises(SettingsError, match=name):
            await admin.partition_count(name)


async def test_a_transaction_is_seen_whole_or_not_at_all(kafka, topic, writer):
    """What a failing block wrote is never seen; what a good one wrote is seen in order."""
    async with writer.transaction() as transaction:
        written = await transaction.write([Outgoing(topic, n % 2, b"k", b"%d" % n, [("h", b"v")]) for n in range(10)])
        assert {each.partition for each in written} == {0, 1}
        assert all(each.timestamp is not None for each in written)
    with pytest.raises(ValueError, match="no"):  # noqa: PT012  (the block is what fails)
        async with writer.transaction() as transaction:
            await transaction.write([Outgoing(topic, 0, b"k", b"never", [])])
            raise ValueError("no")
    assert not writer.is_open
    records = await read(kafka, topic)
    assert [record.value for record in records if record.partition == 0] == [b"0", b"2", b"4", b"6", b"8"]
    assert b"never" not in [record.value for record in records]


async def test_what_exceeds_a_batch_goes_out_in_several(kafka, topic, writer):
    """Records far beyond one batch all arrive, in order."""
    values = [bytes([n % 251]) * 100_000 for n in range(40)]
    async with writer.transaction() as transaction:
        await transaction.write(Outgoing(topic, 0, None, value, []) for value in values[:20])
        await transaction.write(Outgoing(topic, 0, None, value, []) for value in values[20:])
    assert [record.value for record in await read(kafka, topic)] == values


@pytest.mark.parametrize("limit", [300_000, 1_048_588, 4_194_304])
async def test_batches_of_what_does_not_compress_stay_within_the_topics_limit(kafka, unique, writer, limit):
    """Once a topic's limit is known its batches grow to it and never beyond, whatever the data."""
    name = unique("limited")
    await ensure_topics(kafka, [TopicSpec(name, settings={"max.message.bytes": str(limit)})])
    assert await writer.largest_record(name) == limit
    values = [os.urandom(50_000) for _ in range(200)]
    async with writer.transaction() as transaction:
        await transaction.write(Outgoing(name, 0, None, value, []) for value in values)
    assert [record.value for record in await read(kafka, name)] == values


async def test_records_of_many_partitions_keep_their_order_through_many_batches(kafka, unique, writer):
    """However batches interleave, each partition has its records in the order they were handed over."""
    name = unique("many")
    await ensure_topics(kafka, [TopicSpec(name, 4, settings={"max.message.bytes": "100000"})])
    await writer.largest_record(name)
    packing = writer.packing()
    for start in range(0, 4_000, 500):
        numbers = range(start, start + 500)
        packing.feed(encode(Outgoing(name, n % 4, None, b"%06d" % n * 20, [])) for n in numbers)
    batches = await packing.finish()
    async with writer.transaction() as transaction:
        await transaction.send(batches)
    records = await read(kafka, name)
    for partition in range(4):
        mine = [int(record.value[:6]) for record in records if record.partition == partition]
        assert mine == list(range(partition, 4_000, 4))


async def test_a_closed_writer_says_so(kafka, topic, writer):
    """A writer that failed or was closed takes nothing more."""
    await writer.close()
    await writer.close()
    with pytest.raises(TransportError, match="closed"):
        async with writer.transaction():
            pass


async def test_the_last_to_start_fences_the_others(kafka, topic, unique):
    """Two writers with one transactional id: the first is fenced and says so."""
    name = unique("id")
    first, second = TransactionalProducer(kafka, name), TransactionalProducer(kafka, name)
    await first.start()
    await second.start()
    with pytest.raises(PublisherFenced):
        async with first.transaction() as transaction:
            await transaction.write([Outgoing(topic, 0, None, b"zombie", [])])
    async with second.transaction() as transaction:
        await transaction.write([Outgoing(topic, 0, None, b"owner", [])])
    await second.close()
    assert [record.value for record in await read(kafka, topic)] == [b"owner"]


async def test_a_record_larger_than_its_topic_takes_is_said(kafka, unique):
    """The topic's limit ends in RecordTooLarge, from an append and from a transaction."""
    name = unique("small")
    await ensure_topics(kafka, [TopicSpec(name, settings={"max.message.bytes": "1000"})])
    producer = TransactionalProducer(kafka, unique("writer"), compression=None)
    await producer.start()
    assert await producer.largest_record(name) == 1000
    with pytest.raises(RecordTooLarge):
        async with producer.transaction() as transaction:
            await transaction.write([Outgoing(name, 0, None, b"x" * 5_000, [])])
    async with IdempotentProducer(kafka) as single:
        with pytest.raises(RecordTooLarge):
            await single.append(name, b"x" * 5_000)


async def test_a_writer_that_asks_first_is_not_closed_by_a_record_that_is_too_large(kafka, unique, writer):
    """What counts is the record's size once compressed, and what the topic takes once that was asked for."""
    name = unique("small")
    await ensure_topics(kafka, [TopicSpec(name, settings={"max.message.bytes": "100000"})])
    random, regular = Outgoing(name, 0, b"k", os.urandom(200_000), []), Outgoing(name, 0, b"k", b"x" * 200_000, [])
    writer.require_fits([random, regular])
    await writer.largest_record(name)
    with pytest.raises(RecordTooLarge, match="larger than its topic takes"):
        writer.require_fits([regular, random])
    writer.require_fits([regular])
    async with writer.transaction() as transaction:
        await transaction.write([regular])
    assert [record.value for record in await read(kafka, name)] == [regular.value]


async def test_a_write_says_where_each_batch_lies(kafka, topic, writer):
    """The offsets are those of the records, batch by batch, in their order."""
    async with writer.transaction() as transaction:
        [one] = await transaction.write([Outgoing(topic, 0, b"k", b"v", [])])
        assert (one.offset, one.last) == (0, 0)
    async with writer.transaction() as transaction:
        many = await transaction.write([Outgoing(topic, 0, b"k", os.urandom(300_000), []) for _ in range(7)])
    offsets = [record.offset for record in await read(kafka, topic)]
    assert len(many) > 1
    assert [offset for each in many for offset in range(each.offset, each.last + 1)] == offsets[1:]


async def test_an_append_returns_once_it_is_durable_and_can_be_read(kafka, topic):
    """An append says where it is, and a table that waits for that offset has it."""
    found = []
    async with TableReader(kafka, topic, found.append, CLOCK) as table, IdempotentProducer(kafka) as producer:
        written = await producer.append(topic, b"v", key=b"k", headers=[("h", b"1")], partition=1)
        await table.wait_until(written.partition, written.offset)
        assert (written.partition, written.offset) == (1, 0)
        assert [(record.key, record.value) for record in found] == [(b"k", b"v")]


async def test_a_table_knows_how_current_it_is(kafka, topic, writer):
    """A table is caught up once started, keeps confirming it, and follows transactions to their end."""
    found = []
    async with writer.transaction() as transaction:
        await transaction.write([Outgoing(topic, 0, b"a", b"1", [])])
    async with TableReader(kafka, topic, found.append, CLOCK) as table:
        assert table.caught_up
        assert len(found) == 1
        async with writer.transaction() as transaction:
            [written] = await transaction.write([Outgoing(topic, 1, b"b", b"2", [])])
        await table.wait_until(1, written.offset)
        assert len(found) == 2
        before = CLOCK.now()
        while table.last_current_at is None or table.last_current_at < before:
            await asyncio.sleep(0.05)
        assert set(table.positions) == {0, 1}


async def test_a_table_that_cannot_apply_stops_and_says_why(kafka, topic):
    """What the owner's apply raises is raised to whoever starts, waits or watches."""

    def refuse(record):
        raise ValueError("cannot apply")

    async with IdempotentProducer(kafka) as producer:
        async with TableReader(kafka, topic, refuse, CLOCK) as table:
            await producer.append(topic, b"v", partition=0)
            with pytest.raises(ValueError, match="cannot apply"):
                await table.wait_until(0, 0)
            with pytest.raises(ValueError, match="cannot apply"):
                await table.wait_stopped()
        with pytest.raises(ValueError, match="cannot apply"):
            await TableReader(kafka, topic, refuse, CLOCK).start()


async def test_a_closed_table_does_not_wait(kafka, topic):
    """Waiting on a table that was closed is an error, and waiting too long names the broker."""
    table = TableReader(kafka, topic, lambda record: None, CLOCK)
    with pytest.raises(TransportError, match="closed"):
        await table.wait_until(0, 0)
    await table.start()
    with pytest.raises(BrokerUnreachable):
        await table.wait_until(0, 10, seconds=0.2)
    await table.close()
    with pytest.raises(TransportError, match="closed"):
        await table.wait_until(0, 10)


async def test_a_topic_that_another_process_creates_just_now_is_found(kafka, unique):
    """Not every broker knows it at once: who asks is not told that it does not exist."""
    name = unique("late")
    async with KafkaAdmin(kafka) as admin:
        asking = asyncio.create_task(admin.partition_count(name))
        await asyncio.sleep(0.3)
        assert not asking.done()
        await ensure_topics(kafka, [TopicSpec(name, 3)])
        assert await asking == 3


async def test_a_table_of_a_missing_topic_is_an_error(kafka, unique):
    """A table's topic must be there."""
    with pytest.raises(SettingsError, match="does not exist"):
        await TableReader(kafka, unique("none"), lambda record: None, CLOCK).start()


async def test_ends_with_and_without_open_transactions(kafka, topic, writer):
    """The high watermark counts an open transaction, the committed end does not."""
    place = Partition(topic, 0)
    async with PartitionConsumer(kafka) as consumer, writer.transaction() as transaction:
        await transaction.write([Outgoing(topic, 0, None, b"open", [])])
        assert await consumer.end_offsets([place]) == {place: 0}
        assert await high_watermarks(kafka, [place]) == {place: 1}


async def test_a_group_commits_places_with_metadata(kafka, topic, unique):
    """A group's place and its metadata are found again by the next member."""
    group, place = unique("group"), Partition(topic, 0)
    assigned = asyncio.Event()

    async def on_assigned(places):
        assigned.set()

    consumer = GroupConsumer(kafka, group, [topic], on_assigned=on_assigned, on_revoked=nothing)
    await consumer.start()
    await assigned.wait()
    assert await consumer.committed([place]) == {}
    await consumer.commit({place: GroupPosition(7, "seven")})
    assert await consumer.committed([place]) == {place: GroupPosition(7, "seven")}
    assert consumer.lag(Partition("other", 0), 0) is None
    await consumer.close()
    with_metadata = GroupConsumer(kafka, group, [topic], on_assigned=nothing, on_revoked=nothing)
    await with_metadata.start()
    assert await with_metadata.committed([place]) == {place: GroupPosition(7, "seven")}
    await with_metadata.close()


async def test_a_commit_of_a_partition_that_is_not_ours_is_refused(kafka, topic, unique):
    """A member commits only what it was assigned."""
    assigned = asyncio.Event()

    async def on_assigned(places):
        assigned.set()

    consumer = GroupConsumer(kafka, unique("g"), [topic], on_assigned=on_assigned, on_revoked=nothing)
    await consumer.start()
    await assigned.wait()
    with pytest.raises(TransportError) as lost:
        await consumer.commit({Partition("elsewhere", 0): GroupPosition(1, "")})
    assert lost.value.code == "assignment_lost"
    await consumer.close()


async def test_a_record_that_cannot_be_decoded_is_stepped_over(kafka, topic, writer):
    """A header's name that is not UTF-8 costs its own record, and no other."""
    async with writer.transaction() as transaction:
        await transaction.write([Outgoing(topic, 0, None, b"before", []), Outgoing(topic, 1, None, b"other", [])])
    await write_unreadable(kafka, topic)
    async with writer.transaction() as transaction:
        await transaction.write([Outgoing(topic, 0, None, b"after", [])])
    seen, unreadable = [], []
    async with PartitionConsumer(kafka) as consumer:
        consumer.assign([Partition(topic, 0), Partition(topic, 1)])
        while len(seen) < 3:
            for polled in await consumer.poll(seconds=0.5, limit=100):
                seen += [record.value for record in polled.records]
                unreadable += polled.unreadable
    assert sorted(seen) == [b"after", b"before", b"other"]
    assert len(unreadable) == 1


async def test_a_broker_that_is_away_is_named_within_the_limit():
    """Every door says the address when nobody answers there."""
    away = f"127.0.0.1:{free_port()}"
    for door in (
        TransactionalProducer(away, "id"),
        IdempotentProducer(away),
        PartitionConsumer(away),
        TableReader(away, "t", lambda record: None, CLOCK),
        GroupConsumer(away, "g", ["t"], on_assigned=nothing, on_revoked=nothing),
    ):
        with pytest.raises(BrokerUnreachable, match=away):
            await door.start()
    with pytest.raises(BrokerUnreachable, match=away):
        await ensure_topics(away, [])


@given(st.binary(max_size=80))
def test_murmur2_is_kafkas(key):
    """The partition of every key is the one Kafka's default partitioner chooses."""
    assert murmur2(key) == reference(key) & 0xFFFFFFFF
    assert partition_of(key, 7) == (reference(key) & 0x7FFFFFFF) % 7
    assert partition_of(key, 1) == 0


@given(st.lists(st.binary(max_size=40) | st.binary(min_size=26, max_size=27), max_size=40))
def test_keys_hashed_together_have_the_hashes_they_have_alone(keys):
    """However many keys of whatever lengths: each has its own hash, in its own place."""
    assert murmur2_all(keys) == [murmur2(key) for key in keys]


async def test_a_cluster_tells_its_name(kafka):
    """The same whoever asks."""
    async with KafkaAdmin(kafka) as admin, KafkaAdmin(kafka) as other:
        assert len(await admin.cluster_id()) == 22  # a UUID in base64
        assert await admin.cluster_id() == await other.cluster_id()
