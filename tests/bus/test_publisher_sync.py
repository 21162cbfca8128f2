"""Publishing without asyncio: the same promises, kept to threads."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from exchange.bus import FlushPolicy, NewEvent, SyncPublisher
from exchange.errors import BrokerUnreachable, KeyNotValid, SchemaNotFound, SettingsError, TransportError, ValueInvalid
from exchange.transport.kafka import free_port
from tests.fakes.bus_world import OTHER_SCHEMA, SCHEMA, World, read_all


@pytest.fixture
def world(kafka):
    """An instance of one partition a topic, for tests without a loop."""
    world = World(kafka)
    asyncio.run(world.create_topics())
    return world


@pytest.fixture
def publisher(world):
    """A publisher with its topic open."""
    with SyncPublisher(world.publisher()) as publisher:
        publisher.open(world.topic, SCHEMA)
        yield publisher


def events_of(world, count):
    """The topic's first events."""
    return asyncio.run(read_all(world, count))


def numbers(world, count):
    """Values and sequences of the topic's first events."""
    return [(event.data["n"], event.sequence) for event in events_of(world, count)]


def test_an_event_is_there_when_the_call_returns(world, publisher):
    """Publishing returns the report of a durable event; position and epoch are the publisher's."""
    delivery = publisher.publish(world.topic, {"n": 1}, key="k")
    [event] = events_of(world, 1)
    assert (delivery.offset, delivery.id, delivery.sequence) == (event.offset, event.id, event.sequence)
    assert (publisher.epoch, publisher.position) == (1, None)


def test_threads_share_flushes(world, publisher, sample):
    """Calls from many threads at once are few transactions, every event there once, contiguous."""
    with ThreadPoolExecutor(20) as pool:
        reports = list(pool.map(lambda n: publisher.publish(world.topic, {"n": n}, key="k"), range(200)))
    assert sorted(each.sequence for each in reports) == list(range(200))
    found = {event.data["n"]: event.sequence for event in events_of(world, 200)}
    assert found == {n: each.sequence for n, each in enumerate(reports)}
    assert sample("exchange_publish_flushes_total", publisher=str(world.publisher_id), cause="automatic") < 100


def test_a_source_is_drawn_from_and_reported_to_in_the_callers_thread(world):
    """A cursor of a database belongs to its thread: the source and the reports stay there."""
    here, seen, reported = threading.get_ident(), set(), []

    def source():
        for n in range(5_000):
            seen.add(threading.get_ident())
            yield NewEvent(world.topic, {"n": n}, key="k")

    def delivered(deliveries):
        seen.add(threading.get_ident())
        reported.extend(each.sequence for each in deliveries)

    with SyncPublisher(world.publisher(flush=FlushPolicy(events=1_000))) as publisher:
        publisher.open(world.topic, SCHEMA)
        assert publisher.publish_many(source(), delivered=delivered) == 5_000
    assert seen == {here}
    assert reported == list(range(5_000))
    assert len(events_of(world, 5_000)) == 5_000


def test_a_source_that_fails_has_published_what_it_gave(world, publisher):
    """The error of a source reaches the caller once what it gave is delivered."""

    def source():
        yield NewEvent(world.topic, {"n": 0}, key="k")
        yield NewEvent(world.topic, {"n": 1}, key="k")
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone") as failed:
        publisher.publish_many(source())
    assert failed.value.__notes__ == ["the 2 events before it are published"]
    assert numbers(world, 2) == [(0, 0), (1, 1)]


def test_a_transaction_is_all_or_nothing(world, publisher):
    """A block publishes with its position, or gives everything back."""
    with publisher.transaction({"row": 2}) as transaction:
        transaction.add(world.topic, {"n": 1}, key="k")
        transaction.add(world.topic, {"n": 2}, key="k")
    assert [each.offset for each in transaction.deliveries] == [0, 1]

    def fail(error):
        with publisher.transaction({"row": 3}) as transaction:
            transaction.add(world.topic, {"n": 3}, key="k")
            raise error

    for error in (ZeroDivisionError, KeyboardInterrupt):
        with pytest.raises(error):
            fail(error)
    assert publisher.position == {"row": 2}
    publisher.publish(world.topic, {"n": 3}, key="k")
    assert numbers(world, 3) == [(1, 0), (2, 1), (3, 2)]


def test_threads_take_turns_at_transactions(world, publisher):
    """Blocks of several threads follow one another, each whole."""

    def block(number):
        with publisher.transaction() as transaction:
            for n in range(20):
                transaction.add(world.topic, {"n": number * 20 + n}, key="k")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(block, range(16)))
    found = [n for n, _ in numbers(world, 320)]
    for start in range(0, 320, 20):
        assert found[start : start + 20] == list(range(found[start], found[start] + 20))


def test_a_thread_that_would_wait_for_itself_is_told(world, publisher):
    """Publishing within one's own block is refused, and the block goes on."""
    with publisher.transaction() as transaction:
        with pytest.raises(SettingsError, match="this very thread"):
            publisher.publish(world.topic, {"n": 1}, key="k")
        with pytest.raises(SettingsError, match="this very thread"):
            publisher.publish_many([])
        transaction.add(world.topic, {"n": 1}, key="k")
    publisher.publish(world.topic, {"n": 2}, key="k")
    assert numbers(world, 2) == [(1, 0), (2, 1)]


def test_errors_are_the_callers(world, publisher):
    """What is refused is raised in the thread that asked, as the same error, and the publisher goes on."""
    with pytest.raises(ValueInvalid, match="n: expected long"):
        publisher.publish(world.topic, {"n": "x"}, key="k")
    with pytest.raises(SchemaNotFound):
        publisher.open(world.topic, OTHER_SCHEMA)
    assert publisher.publish(world.topic, {"n": 1}, key="k").sequence == 0


def test_a_start_that_fails_leaves_no_thread(world):
    """Without Kafka, or without a valid key, starting raises, and nothing runs."""
    before = threading.active_count()
    world.kafka = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerUnreachable):
        SyncPublisher(world.publisher()).start()
    world.key_days = -1
    world.renew()
    with pytest.raises(KeyNotValid):
        SyncPublisher(world.publisher()).start()
    assert threading.active_count() == before


def test_what_it_needs_is_entered_before_and_left_after_it(world):
    """Resources live in the publisher's own loop, around the publisher."""
    story = []

    class Resource:
        async def __aenter__(self):
            story.append("entered")

        async def __aexit__(self, *_):
            story.append("left")

    with SyncPublisher(world.publisher(), alongside=[Resource()]) as publisher:
        story.append(f"epoch {publisher.epoch}")
    assert story == ["entered", "epoch 1", "left"]


def test_a_closed_one_says_so(world):
    """After closing, twice or not, every call is refused; starting again is, too."""
    publisher = SyncPublisher(world.publisher())
    with pytest.raises(TransportError, match="start a new one"):
        publisher.publish(world.topic, {"n": 1}, key="k")
    publisher.start()
    publisher.close()
    publisher.close()
    with pytest.raises(TransportError) as ended:
        publisher.publish(world.topic, {"n": 1}, key="k")
    assert ended.value.code == "publisher_closed"
    with pytest.raises(SettingsError, match="make a new one"):
        publisher.start()


def test_closing_ends_the_calls_of_other_threads(world):
    """A call that waits in another thread when the publisher is closed is told so."""
    publisher = SyncPublisher(world.publisher(flush=FlushPolicy(linger=60)))
    publisher.start()
    publisher.open(world.topic, SCHEMA)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(publisher.publish, world.topic, {"n": 1}, key="k")
        assert not waiting.done()
        while publisher.pending == 0:
            pass
        publisher.close()
        with pytest.raises(TransportError) as ended:
            waiting.result()
    assert ended.value.code == "publisher_closed"


PROGRAM = """
import sys
from exchange.bus import SyncPublisher
from tests.fakes.bus_world import SCHEMA, World
world = World(sys.argv[1], name=sys.argv[2])
publisher = SyncPublisher(world.publisher())
publisher.start()
publisher.open(world.topic, SCHEMA)
print(publisher.publish(world.topic, {"n": 1}, key="k").sequence)
"""


def test_a_program_that_forgets_to_close_ends_all_the_same(world):
    """A program that only ends is closed on its way out: no hanging, no noise, nothing lost."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, world.kafka, world.name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
    assert numbers(world, 1) == [(1, 0)]
