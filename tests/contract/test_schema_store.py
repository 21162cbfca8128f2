"""What every SchemaStore does: the fake in memory, and the topic on a real Kafka."""

import asyncio
import os

import pytest

from exchange.clock import SystemClock
from exchange.errors import BrokerUnreachable, PublisherFenced, TransportError
from exchange.registry import KafkaSchemaStore
from exchange.transport.kafka import IdempotentProducer, KafkaAdmin
from tests.fakes.schema_store import MemoryLog, MemorySchemaStore


@pytest.fixture(params=["memory", "kafka"])
def open_store(request, unique):
    """Makes stores over one log, as one process after another would."""
    if request.param == "memory":
        log = MemoryLog()
        return lambda: MemorySchemaStore(log)
    bootstrap, topic = request.getfixturevalue("kafka"), unique("schemas")
    return lambda: KafkaSchemaStore(bootstrap, SystemClock(), topic=topic, transactional_id=topic)


async def started(store):
    """The store, and the list that everything is applied to."""
    applied = []
    await store.start(lambda key, value, offset: applied.append((key, value)))
    return applied


async def test_a_record_is_applied_once_its_append_returns(open_store):
    """A writer reads its own write."""
    store = open_store()
    applied = await started(store)
    await store.append(b"k", b"v")
    assert applied == [(b"k", b"v")]
    await store.append(b"k", None)
    assert applied == [(b"k", b"v"), (b"k", None)]
    await store.close()


async def test_a_later_process_finds_every_record_in_order(open_store):
    """Starting returns once all that was written is applied."""
    first = open_store()
    await started(first)
    for number in range(5):
        await first.append(b"k%d" % number, b"v")
    await first.close()
    second = open_store()
    assert await started(second) == [(b"k%d" % number, b"v") for number in range(5)]
    await second.close()


async def test_a_second_writer_fences_the_first(open_store):
    """The first can write no more, says why, and has to end."""
    first, second = open_store(), open_store()
    await started(first)
    await first.append(b"a", b"1")
    applied = await started(second)
    with pytest.raises(PublisherFenced, match="another registry took over"):
        await first.append(b"b", b"2")
    with pytest.raises(PublisherFenced):
        await asyncio.wait_for(first.wait_stopped(), 10)
    with pytest.raises(PublisherFenced):
        await first.prepare()
    await second.append(b"c", b"3")
    assert applied == [(b"a", b"1"), (b"c", b"3")]
    await first.close()
    await second.close()


async def test_preparing_changes_nothing_when_all_is_well(open_store):
    """Preparing may be done before every write."""
    store = open_store()
    applied = await started(store)
    await store.prepare()
    await store.append(b"k", b"v")
    await store.prepare()
    assert applied == [(b"k", b"v")]
    await store.close()


async def test_a_store_that_goes_on_does_not_stop(open_store):
    """Waiting for the end lasts as long as the store works."""
    store = open_store()
    await started(store)
    waiting = asyncio.create_task(store.wait_stopped())
    await store.append(b"k", b"v")
    assert not waiting.done()
    waiting.cancel()
    await store.close()


async def test_the_topic_is_compacted_and_has_one_partition(kafka, unique):
    """Nothing of a registry's state is ever aged out, and its order is total."""
    topic = unique("schemas")
    store = KafkaSchemaStore(kafka, SystemClock(), topic=topic, transactional_id=topic)
    await started(store)
    async with KafkaAdmin(kafka) as admin:
        assert (await admin.settings(topic))["cleanup.policy"] == "compact"
        assert await admin.partitions([topic]) == {topic: 1}
    await store.close()


async def test_after_a_failed_write_the_store_settles_what_happened(kafka, unique):
    """Preparing opens a new writer and reads what others wrote meanwhile."""
    topic = unique("schemas")
    store = KafkaSchemaStore(kafka, SystemClock(), topic=topic, transactional_id=topic)
    applied = await started(store)
    await store.append(b"a", b"1")
    with pytest.raises(TransportError):
        await store.append(b"b", os.urandom(20 << 20))
    async with IdempotentProducer(kafka) as other:
        await other.append(topic, b"2", key=b"c", partition=0)
    await store.prepare()
    assert applied == [(b"a", b"1"), (b"c", b"2")]
    await store.append(b"d", b"3")
    assert applied[-1] == (b"d", b"3")
    await store.close()


async def test_without_a_broker_starting_fails_by_its_address(unique):
    """The message names the address and what to do."""
    store = KafkaSchemaStore("127.0.0.1:1", SystemClock(), topic=unique("schemas"))
    with pytest.raises(BrokerUnreachable, match=r"127[.]0[.]0[.]1:1"):
        await started(store)
    await store.close()


async def test_before_its_start_a_store_takes_nothing(kafka, unique):
    """A store that was not started says so."""
    store = KafkaSchemaStore(kafka, SystemClock(), topic=unique("schemas"))
    with pytest.raises(TransportError):
        await store.append(b"k", b"v")
    with pytest.raises(TransportError):
        await store.wait_stopped()
