"""What a publisher does when Kafka does not answer: finds out what holds, writes the rest again, or stops."""

from __future__ import annotations

import asyncio

import pytest

from exchange.bus import FlushPolicy, NewEvent, Publisher
from exchange.bus.publishing.ahead import AHEAD
from exchange.errors import BrokerUnreachable, PublisherFenced, PublisherNotAllowed, TransportError
from exchange.transport.kafka import TransactionalProducer
from exchange.trust import Signer
from tests.fakes.bus_world import SCHEMA, World, read_all
from tests.fakes.tcp_proxy import ADD_PARTITIONS, END_TXN, INIT_PRODUCER_ID, PRODUCE, TcpProxy
from tests.fakes.waiting import until

IMPATIENT = {"commit_seconds": 2.0}


async def start(world: World, **settings: object):
    """A publisher, started, its topic open."""
    publisher = world.publisher(**{**IMPATIENT, **settings})
    await publisher.start()
    await publisher.open(world.topic, SCHEMA)
    return publisher


async def seen(world: World, count: int) -> list[tuple[int, int]]:
    """Value and sequence of the first events of a topic, read by a new group; with one more would fail."""
    return [(event.data["n"], event.sequence) for event in await read_all(world, count)]


def numbered(world: World, numbers: range) -> list[NewEvent]:
    """Events of one key with these values."""
    return [NewEvent(world.topic, {"n": n}, key="k") for n in numbers]


class CountingSigner:
    """A key that counts what it signs."""

    def __init__(self, key: Signer) -> None:
        self.public = key.public
        self.signatures = 0
        self._key = key

    def sign(self, message: bytes) -> bytes:
        """As the key does."""
        self.signatures += 1
        return self._key.sign(message)

    def current(self) -> CountingSigner:
        """Itself: one key."""
        return self


async def cut_then_mend(wire: TcpProxy, publishing: asyncio.Task[object], seconds: float = 3.0) -> None:
    """Leave the wire cut until the commit is given up, then mend it."""
    await wire.was_cut.wait()
    await asyncio.wait([publishing], timeout=seconds)
    wire.mend()


@pytest.mark.parametrize(("lose", "outcome"), [("lose_answer", "held"), ("lose_request", "written_again")])
async def test_a_commit_whose_answer_is_lost_is_published_once(far, near, wire, sample, lose, outcome):
    """Whether Kafka committed before the wire broke or not: the event is there once, and its delivery is known."""
    publisher = await start(far)
    await publisher.publish(far.topic, {"n": 0}, key="k")
    getattr(wire, lose)(END_TXN)
    publishing = asyncio.create_task(publisher.publish(far.topic, {"n": 1}, key="k"))
    await cut_then_mend(wire, publishing)
    delivery = await publishing
    assert (delivery.sequence, delivery.epoch) == (1, 1 if outcome == "held" else 2)
    await publisher.publish(far.topic, {"n": 2}, key="k")
    await publisher.close()
    events = await read_all(near, 3)
    assert [(event.data["n"], event.sequence) for event in events] == [(0, 0), (1, 1), (2, 2)]
    assert events[1].id == delivery.id
    assert events[1].offset == delivery.offset
    labels = {"publisher": str(far.publisher_id)}
    assert sample("exchange_publish_recoveries_total", outcome=outcome, **labels) == 1
    assert sample("exchange_publish_in_flight_bytes", **labels) == 0


@pytest.mark.parametrize("kind", [PRODUCE, ADD_PARTITIONS, END_TXN])
async def test_a_short_break_is_nobodys_business(far, near, wire, sample, kind):
    """A wire that breaks and is mended at once, at any step of a commit, is met without a new epoch."""
    publisher = await start(far, commit_seconds=30.0)
    wire.lose_answer(kind)
    publishing = asyncio.create_task(publisher.publish(far.topic, {"n": 0}, key="k"))
    await cut_then_mend(wire, publishing, seconds=0.1)
    assert (await publishing).epoch == 1
    await publisher.close()
    assert await seen(near, 1) == [(0, 0)]


async def test_a_position_alone_is_found_again(far, near, wire):
    """A commit of nothing but a position is found, too, when its answer was lost."""
    publisher = await start(far)
    wire.lose_answer(END_TXN)
    committing = asyncio.create_task(publisher.commit({"row": 7}))
    await cut_then_mend(wire, committing)
    assert await committing == 0
    assert publisher.position == {"row": 7}
    await publisher.close()
    async with near.publisher() as successor:
        assert successor.position == {"row": 7}


async def test_a_recovery_that_is_cut_off_itself_goes_on(far, near, wire):
    """The answer to the recovery's own first transaction is lost, too: it knows its epoch again, and goes on."""
    publisher = await start(far)
    wire.lose_request(END_TXN)
    publishing = asyncio.create_task(publisher.publish(far.topic, {"n": 0}, key="k"))
    await cut_then_mend(wire, publishing)
    wire.lose_answer(END_TXN)
    await cut_then_mend(wire, publishing)
    delivery = await publishing
    assert (delivery.sequence, delivery.epoch) == (0, 3)
    await publisher.close()
    assert await seen(near, 1) == [(0, 0)]


async def test_events_go_on_behind_a_commit_that_is_recovered(far, near, wire):
    """What gathers during an outage follows in its order once the wire is back."""
    publisher = await start(far)
    wire.lose_request(END_TXN)
    tasks = [asyncio.create_task(publisher.publish(far.topic, {"n": 0}, key="k"))]
    await wire.was_cut.wait()
    tasks += [asyncio.create_task(publisher.publish(far.topic, {"n": n}, key="k")) for n in range(1, 50)]
    await cut_then_mend(wire, tasks[0])
    assert [(await task).sequence for task in tasks] == list(range(50))
    await publisher.close()
    assert await seen(near, 50) == [(n, n) for n in range(50)]


async def test_what_was_sealed_ahead_follows_a_recovery_sealed_anew(far, near, wire):
    """Transactions signed for the old epoch behind a commit that failed go out in the new one, whole and in order."""
    publisher = await start(far, flush=FlushPolicy(events=10))
    await publisher.publish(far.topic, {"n": 0}, key="k")
    wire.lose_request(END_TXN)
    publishing = asyncio.create_task(publisher.publish_many(numbered(far, range(1, 101))))
    await cut_then_mend(wire, publishing)
    assert await publishing == 100
    assert publisher.epoch == 2
    await publisher.close()
    assert await seen(near, 101) == [(n, n) for n in range(101)]


async def test_the_next_transactions_are_signed_while_one_is_under_way(far, near, wire):
    """An HSM that takes its time for a signature takes it while Kafka takes its own."""
    assert await signed_behind_a_still_wire(far, wire, 100, 1 + AHEAD) == 10
    assert await seen(near, 100) == [(n, n) for n in range(100)]


async def test_what_is_left_of_a_source_does_not_wait_for_the_commit_under_way(far, near, wire):
    """It fills no flush, and is signed all the same: nothing more will come to fill it."""
    assert await signed_behind_a_still_wire(far, wire, 15, 2) == 2
    assert await seen(near, 15) == [(n, n) for n in range(15)]


async def signed_behind_a_still_wire(far: World, wire: TcpProxy, count: int, ahead: int) -> int:
    """Publish events, ten a flush; the wire stands still until `ahead` flushes are signed. How many were in the end."""
    signer = CountingSigner(far.keys[far.civil])
    far.keys[far.civil] = signer
    publisher = await start(far, flush=FlushPolicy(events=10), commit_seconds=30.0)
    before = signer.signatures
    wire.pause()
    publishing = asyncio.create_task(publisher.publish_many(numbered(far, range(count))))
    await until(lambda: signer.signatures == before + ahead)
    wire.resume()
    assert await publishing == count
    await publisher.close()
    return signer.signatures - before


async def test_a_publisher_that_was_taken_over_stops_and_does_not_fence_back(far, near, wire, sample):
    """Another process began while the wire was cut: the first says so, for good, and the other is left alone."""
    publisher = await start(far)
    wire.lose_request(END_TXN)
    publishing = asyncio.create_task(publisher.publish(far.topic, {"n": 0}, key="k"))
    await wire.was_cut.wait()
    other = await start(near)
    await cut_then_mend(wire, publishing)
    with pytest.raises(PublisherFenced, match="another process took") as fenced:
        await publishing
    assert (fenced.value.retriable, fenced.value.exit_code) == (False, 11)
    with pytest.raises(TransportError, match="start a new one"):
        await publisher.publish(far.topic, {"n": 0}, key="k")
    await other.publish(near.topic, {"n": 1}, key="k")
    assert other.epoch == 2
    await other.close()
    assert await seen(near, 1) == [(1, 0)]
    assert sample("exchange_publish_recoveries_total", publisher=str(far.publisher_id), outcome="fenced") == 1


async def test_whoever_starts_last_goes_on(world):
    """Under load, one takeover after the other: each time the earlier stops, and the later publishes."""
    publisher = await start(world)
    for _ in range(5):
        publishing = asyncio.create_task(publish_for_ever(world, publisher))
        await asyncio.sleep(0)
        successor = await start(world)
        with pytest.raises(PublisherFenced, match="another process took"):
            await publishing
        await publisher.close()
        publisher = successor
    last = await publisher.publish(world.topic, {"n": 0}, key="k")
    await publisher.close()
    assert [event.sequence for event in await read_all(world, last.sequence + 1)] == list(range(last.sequence + 1))


async def publish_for_ever(world: World, publisher: Publisher) -> None:
    """Until it is told to stop."""
    while True:
        await publisher.publish(world.topic, {"n": 0}, key="k")


async def test_of_two_that_meet_in_a_recovery_the_later_goes_on(far, near, wire):
    """Another process begins between the look and the fence: the first still stops, and the other still publishes."""
    publisher = await start(far)
    wire.lose_request(END_TXN)
    publishing = asyncio.create_task(publisher.publish(far.topic, {"n": 0}, key="k"))
    await cut_then_mend(wire, publishing)
    wire.lose_request(INIT_PRODUCER_ID)
    await wire.was_cut.wait()  # the look is over, the fence on its way
    other = await start(near)
    wire.mend()
    with pytest.raises(PublisherFenced, match="another process took"):
        await publishing
    await other.publish(near.topic, {"n": 1}, key="k")
    await other.close()
    assert await seen(near, 1) == [(1, 0)]


async def test_a_transaction_that_took_too_long_is_no_fencing(far, near):
    """Kafka says the same to a writer whose transaction it gave up: with no newer epoch, it is written again."""
    publisher = await start(far)
    await publisher.publish(far.topic, {"n": 0}, key="k")
    expired = TransactionalProducer(near.kafka, str(far.publisher_id))
    await expired.start()  # raises Kafka's own epoch, as its coordinator does when it gives a transaction up
    await expired.close()
    delivery = await publisher.publish(far.topic, {"n": 1}, key="k")
    assert (delivery.sequence, delivery.epoch) == (1, 2)
    await publisher.close()
    assert await seen(near, 2) == [(0, 0), (1, 1)]


async def test_patience_ends(far, near, wire, sample):
    """A wire that stays cut: the error is raised once patience is over, and the publisher is closed."""
    publisher = await start(far, patience=1.0)
    wire.cut()
    with pytest.raises(BrokerUnreachable, match=far.kafka):
        await publisher.publish(far.topic, {"n": 0}, key="k")
    wire.mend()
    with pytest.raises(TransportError, match="start a new one"):
        await publisher.publish(far.topic, {"n": 0}, key="k")
    assert sample("exchange_publish_recoveries_total", publisher=str(far.publisher_id), outcome="gave_up") == 1
    await publisher.close()
    again = await start(far)
    await again.publish(far.topic, {"n": 1}, key="k")
    await again.close()
    assert await seen(near, 1) == [(1, 0)]


async def test_without_patience_the_first_failure_is_raised(far, wire, sample):
    """Patience 0 leaves recovery to the caller: whatever was under way is settled by the next start."""
    publisher = await start(far, patience=0.0)
    wire.lose_answer(END_TXN)
    committing = asyncio.create_task(publisher.commit({"row": 7}))
    await cut_then_mend(wire, committing)
    with pytest.raises(BrokerUnreachable):
        await committing
    again = await start(far)
    assert again.position == {"row": 7}
    await again.close()


async def test_what_may_no_longer_publish_does_not_after_an_outage(far, near, wire):
    """An agency that is suspended while the wire is cut writes nothing any more."""
    publisher = await start(far)
    wire.lose_request(END_TXN)
    publishing = asyncio.create_task(publisher.publish(far.topic, {"n": 0}, key="k"))
    await wire.was_cut.wait()
    far.status = "suspended"
    far.renew()
    await cut_then_mend(wire, publishing)
    with pytest.raises(PublisherNotAllowed, match="suspended"):
        await publishing
    await publisher.close()


async def test_closing_does_not_wait_for_a_recovery(far, wire):
    """A publisher that is closed in the middle of a recovery ends at once, and says so to whoever waits."""
    publisher = await start(far)
    wire.lose_request(END_TXN)
    publishing = asyncio.create_task(publisher.publish(far.topic, {"n": 0}, key="k"))
    await wire.was_cut.wait()
    await asyncio.wait([publishing], timeout=2.5)
    await publisher.close()
    with pytest.raises(TransportError) as ended:
        await publishing
    assert ended.value.code == "publisher_closed"


async def test_a_pause_of_the_network_delays_and_loses_nothing(far, near, wire):
    """While nothing passes everybody waits; then all is delivered, in order."""
    publisher = await start(far, commit_seconds=30.0)
    tasks = [asyncio.create_task(publisher.publish(far.topic, {"n": n}, key="k")) for n in range(20)]
    await asyncio.sleep(0)
    wire.pause()
    done, _ = await asyncio.wait(tasks, timeout=0.5)
    assert not done
    wire.resume()
    assert [(await task).sequence for task in tasks] == list(range(20))
    await publisher.close()
    assert await seen(near, 20) == [(n, n) for n in range(20)]


async def test_a_broker_that_is_killed_and_started_again_is_waited_for(far, near, far_node):
    """SIGKILL to Kafka in the middle of publishing: once it is back, all that was published is there once."""
    publisher = await start(far, commit_seconds=5.0)
    count = 0

    async def publish() -> None:
        nonlocal count
        for n in range(300):
            await publisher.publish(far.topic, {"n": n}, key="k")
            count += 1

    publishing = asyncio.create_task(publish())
    while count < 50:
        await asyncio.sleep(0)
    await far_node.kill()
    await far_node.start()
    await publishing
    await publisher.close()
    assert await seen(near, 300) == [(n, n) for n in range(300)]
