"""What every SchemaStore does: the fake in memory, and the topic on a real Kafka."""

import asyncio
import os

import pytest

from exchange.clock import SystemClock
from exchange.errors import BrokerUnreachable, PublisherFenced, RecordTooLarge, TransportError
from exchange.registry.store_kafka import KafkaSchemaStore
from exchange.transport.kafka import IdempotentProducer, KafkaAdmin, TransactionalProducer
from tests.fakes.schema_store import MemoryLog, MemorySchemaStore


@pytest.fixture(params=["memory", "kafka"])
def create(request, unique):
    """Makes a store over one log, as one process after another would."""
    if request.param == "memory":
        log = MemoryLog()
        return lambda: MemorySchemaStore(log)
    bootstrap, topic = request.getfixturevalue("kafka"), unique("schemas")
    return lambda: on_kafka(bootstrap, topic)


@pytest.fixture
async def open_store(create):
    """The same, and closes what it made."""
    opened = []

    def make():
        opened.append(create())
        return opened[-1]

    yield make
    for store in opened:
        await store.close()


@pytest.fixture
async def stores(kafka, unique):
    """Makes stores over one topic, and closes them; `stores.topic` is its name."""
    opened = []

    def make():
        opened.append(on_kafka(kafka, make.topic))
        return opened[-1]

    make.topic = unique("schemas")
    yield make
    for store in opened:
        await store.close()


def on_kafka(bootstrap, topic):
    """A store whose transactional id is its topic's name."""
    return KafkaSchemaStore(bootstrap, SystemClock(), topic=topic, transactional_id=topic)


async def started(store):
    """The store's list of everything applied: key and value."""
    applied = []
    await store.start(lambda key, value, offset: applied.append((key, value)))
    return applied


async def leading(store):
    """The same, of a store that writes."""
    applied = await started(store)
    await store.lead()
    return applied


async def test_records_are_applied_once_their_append_returns(open_store):
    """A writer reads its own write, in order."""
    store = open_store()
    applied = await leading(store)
    await store.append([(b"k", b"v")])
    assert applied == [(b"k", b"v")]
    await store.append([(b"a", b"1"), (b"k", None)])
    assert applied == [(b"k", b"v"), (b"a", b"1"), (b"k", None)]


async def test_an_append_says_where_its_last_record_is(open_store):
    """The offset that is returned is the one that the last record was applied with."""
    store, offsets = open_store(), []
    await store.start(lambda key, value, offset: offsets.append(offset))
    await store.lead()
    for count in (1, 3, 2):
        last = await store.append([(b"k", b"%d" % number) for number in range(count)])
        assert last == offsets[-1]
    assert len(offsets) == 6


async def test_a_later_process_finds_every_record_in_order(open_store):
    """Starting returns once all that was written is applied."""
    first = open_store()
    await leading(first)
    for number in range(5):
        await first.append([(b"k%d" % number, b"v")])
    await first.close()
    assert await started(open_store()) == [(b"k%d" % number, b"v") for number in range(5)]


async def test_a_follower_applies_what_the_leader_writes(open_store):
    """Whoever waits for an offset has everything up to it."""
    leader, follower = open_store(), open_store()
    await leading(leader)
    applied = await started(follower)
    last = await leader.append([(b"a", b"1"), (b"b", b"2")])
    await follower.applied(last)
    assert applied == [(b"a", b"1"), (b"b", b"2")]


async def test_who_does_not_lead_does_not_write(open_store):
    """A store that only follows refuses, and writes once it leads."""
    store = open_store()
    applied = await started(store)
    with pytest.raises(TransportError) as refusal:
        await store.append([(b"k", b"v")])
    assert refusal.value.code == "not_leading"
    assert applied == []
    await store.lead()
    await store.append([(b"k", b"v")])
    assert applied == [(b"k", b"v")]


async def test_a_second_leader_fences_the_first(open_store):
    """The first writes no more, and says why; it goes on following."""
    first, second = open_store(), open_store()
    seen = await leading(first)
    await first.append([(b"a", b"1")])
    applied = await leading(second)
    with pytest.raises(PublisherFenced, match="another registry took over"):
        await first.append([(b"b", b"2")])
    last = await second.append([(b"c", b"3")])
    await first.applied(last)
    assert seen == applied == [(b"a", b"1"), (b"c", b"3")]


async def test_who_was_fenced_may_lead_again(open_store):
    """Leadership goes back and forth; whoever takes it has read everything before, and nothing is written twice."""
    first, second = open_store(), open_store()
    one, two = await leading(first), await leading(second)
    written = []
    for turn in range(3):
        for store, applied in ((first, one), (second, two)):
            await store.lead()
            assert applied == written
            written.append((b"k", b"%d" % turn))
            await store.append([written[-1]])
            assert applied == written


async def test_leading_twice_changes_nothing(open_store):
    """Whoever leads may ask for it again."""
    store = open_store()
    applied = await leading(store)
    await store.lead()
    await store.append([(b"k", b"v")])
    await asyncio.gather(store.lead(), store.lead())
    await store.append([(b"k", b"w")])
    assert applied == [(b"k", b"v"), (b"k", b"w")]


async def test_a_record_that_is_too_large_is_refused_and_the_store_leads_on(open_store):
    """Nothing of that append is written; the next one is, at once."""
    store = open_store()
    applied = await leading(store)
    with pytest.raises(RecordTooLarge):
        await store.append([(b"small", b"v"), (b"large", os.urandom(9 << 20))])
    await store.append([(b"k", b"v")])
    assert applied == [(b"k", b"v")]


async def test_a_store_that_goes_on_does_not_stop(open_store):
    """Waiting for the end lasts as long as the store follows, fenced or not."""
    store, other = open_store(), open_store()
    await leading(store)
    waiting = asyncio.create_task(store.wait_stopped())
    await leading(other)
    await other.append([(b"k", b"v")])
    with pytest.raises(PublisherFenced):
        await store.append([(b"k", b"v")])
    assert not waiting.done()
    waiting.cancel()


async def test_before_its_start_a_store_takes_nothing(open_store):
    """A store that was not started says so, whatever is asked."""
    store = open_store()
    for asked in (store.lead, store.wait_stopped, lambda: store.append([(b"k", b"v")]), lambda: store.applied(0)):
        with pytest.raises(TransportError) as refusal:
            await asked()
        assert refusal.value.code == "registry_not_ready"


async def test_of_many_that_would_lead_one_does(open_store):
    """However many ask at once, afterwards exactly one writes."""
    opened = [open_store() for _ in range(4)]
    for store in opened:
        await started(store)
    await asyncio.gather(*(store.lead() for store in opened), return_exceptions=True)
    outcomes = await asyncio.gather(*(store.append([(b"k", b"v")]) for store in opened), return_exceptions=True)
    assert [isinstance(each, int) for each in outcomes].count(True) == 1


async def test_the_topic_is_compacted_and_has_one_partition(kafka, stores):
    """Nothing of a registry's state is ever aged out, and its order is total."""
    await started(stores())
    async with KafkaAdmin(kafka) as admin:
        assert (await admin.settings(stores.topic))["cleanup.policy"] == "compact"
        assert await admin.partitions([stores.topic]) == {stores.topic: 1}


async def test_many_records_are_one_transaction(stores):
    """Far more than one batch holds becomes visible at once, and the last one's offset is named."""
    store, other, offsets = stores(), stores(), []
    await store.start(lambda key, value, offset: offsets.append(offset))
    applied = await started(other)
    await store.lead()
    last = await store.append([(b"%d" % number, os.urandom(300_000)) for number in range(9)])
    assert last == offsets[-1] == 8
    await other.applied(last)
    assert [key for key, _ in applied] == [b"%d" % number for number in range(9)]


async def test_what_compresses_well_is_written_however_long_it_is(stores):
    """The topic's limit counts compressed bytes."""
    store = stores()
    applied = await leading(store)
    await store.append([(b"k", b"schema " * 500_000)])
    assert applied == [(b"k", b"schema " * 500_000)]


async def test_what_a_killed_leader_left_open_is_never_seen(kafka, stores):
    """Whoever leads next ends the transaction, at once, and has read past it."""
    store = stores()
    applied = await leading(store)
    await store.append([(b"a", b"1")])
    killed = TransactionalProducer(kafka, stores.topic)
    await killed.start()
    with pytest.raises(PublisherFenced):  # noqa: PT012  (it is the commit that fails)
        async with killed.transaction() as transaction:
            await transaction.write([(stores.topic, 0, b"b", b"2", [])])
            await store.lead()
            await store.append([(b"c", b"3")])
    await store.append([(b"d", b"4")])
    assert applied == [(b"a", b"1"), (b"c", b"3"), (b"d", b"4")]


async def test_what_a_killed_leader_left_open_keeps_nobody_from_starting(kafka, stores):
    """What was committed before is there; whoever leads then ends what is open."""
    first = stores()
    await leading(first)
    await first.append([(b"a", b"1")])
    killed, second = TransactionalProducer(kafka, stores.topic), stores()
    await killed.start()
    with pytest.raises(PublisherFenced):  # noqa: PT012  (it is the commit that fails)
        async with killed.transaction() as transaction:
            await transaction.write([(stores.topic, 0, b"b", b"2", [])])
            async with asyncio.timeout(10):  # the broker would keep it open for longer
                applied = await started(second)
            assert applied == [(b"a", b"1")]
            await second.lead()
    await second.append([(b"c", b"3")])
    assert applied == [(b"a", b"1"), (b"c", b"3")]


async def test_leading_applies_what_others_wrote_without_a_transaction(kafka, stores):
    """Confluent's own registry writes plain records: they are read before anything follows them."""
    store = stores()
    applied = await started(store)
    async with IdempotentProducer(kafka) as other:
        await other.append(stores.topic, b"2", key=b"c", partition=0)
    await store.lead()
    assert applied == [(b"c", b"2")]


async def test_without_a_broker_starting_fails_by_its_address(unique):
    """The message names the address and what to do."""
    store = on_kafka("127.0.0.1:1", unique("schemas"))
    with pytest.raises(BrokerUnreachable, match=r"127[.]0[.]0[.]1:1"):
        await started(store)
    await store.close()
