"""Members that come, go and hang: in-flight work is finished and committed first, for as long as was agreed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from exchange.bus import Membership
from exchange.errors import TransportError
from tests.fakes.bus_world import World, publish
from tests.fakes.waiting import until


@pytest.fixture
async def wide(kafka):
    """An instance whose topic has four partitions."""
    return await World.created(kafka, partitions=4)


async def read_on(subscriber, seen):
    """Events one by one, until the subscriber is stopped."""
    async for event in subscriber:
        seen.append(event.data["n"])
        await asyncio.sleep(0)


async def test_a_group_of_one_two_and_one_members_reads_everything_once(wide):
    """A second member takes its share and gives it back: nothing is lost, nothing comes twice."""
    await publish(wide, range(2_000))
    one_saw, two_saw = [], []
    async with wide.subscriber("pair", batch_records=50) as one:
        first = asyncio.ensure_future(read_on(one, one_saw))
        await until(lambda: len(one_saw) >= 300)
        async with wide.subscriber("pair", batch_records=50) as two:
            second = asyncio.ensure_future(read_on(two, two_saw))
            await two.wait_assigned()
            await publish(wide, range(2_000, 3_000))
            await until(lambda: len(one_saw) + len(two_saw) >= 2_700)
            two.stop()
            await second
        await publish(wide, range(3_000, 3_500))
        await until(lambda: len(one_saw) + len(two_saw) >= 3_500)
        one.stop()
        await first
    assert two_saw
    assert sorted(one_saw + two_saw) == list(range(3_500))


async def test_the_batch_in_hand_is_committed_before_its_partition_is_let_go(wide):
    """A slow handler's batch is finished first: whoever gets the partition starts behind it."""
    await publish(wide, range(40))
    seen = []
    async with wide.subscriber("slow") as slow:
        batches = slow.batches()
        batch = await anext(batches)
        async with wide.subscriber("slow") as other:
            joining = asyncio.ensure_future(other.wait_assigned())
            done, _ = await asyncio.wait([joining], timeout=4)
            assert not done  # the group waits for us
            await slow.commit(batch)
            seen += [event.data["n"] for event in batch.events]
            await batches.aclose()
            reading = [asyncio.ensure_future(read_on(each, seen)) for each in (slow, other)]
            await joining
            await until(lambda: len(seen) >= 40)
            for each in (slow, other):
                each.stop()
            await asyncio.gather(*reading)
    assert sorted(seen) == list(range(40))


async def test_a_member_that_hangs_loses_its_partitions_and_is_told(wide):
    """Beyond the time agreed a rebalance goes on without it: its commit is refused, another reads the batch."""
    await publish(wide, range(40))
    quick = Membership(release_seconds=0.5)
    async with wide.subscriber("hang", membership=quick) as hanging:
        batch = await anext(hanging.batches())
        taken = {event.data["n"] for event in batch.events}
        seen = []
        async with wide.subscriber("hang", membership=quick) as other:
            reading = asyncio.ensure_future(read_on(other, seen))
            await other.wait_assigned()
            with pytest.raises(TransportError) as lost:
                await hanging.commit(batch)
            assert lost.value.code == "assignment_lost"
            await hanging.close()
            await until(lambda: set(seen) >= set(range(40)))
            other.stop()
            await reading
    assert taken <= set(seen)


async def test_losing_a_batch_does_not_end_who_reads_event_by_event(wide, sample):
    """A member that was too slow goes on with what it has now; the batch it lost is read where it is."""
    await publish(wide, range(40))
    quick = Membership(release_seconds=0.5)
    seen = {"one": [], "two": []}
    async with wide.subscriber("lose", membership=quick) as one, wide.subscriber("lose", membership=quick) as two:
        go_on = asyncio.Event()

        async def hang_once():
            async for event in one:
                seen["one"].append(event.data["n"])
                await go_on.wait()

        first = asyncio.ensure_future(hang_once())
        await until(lambda: seen["one"])
        third = wide.subscriber("lose", membership=quick)  # makes the group rebalance while a batch is in hand
        await third.start()
        await third.wait_assigned()
        await third.close()
        second = asyncio.ensure_future(read_on(two, seen["two"]))
        go_on.set()
        await until(lambda: set(seen["one"]) | set(seen["two"]) == set(range(40)))
        assert not first.done()
        await publish(wide, range(40, 80))
        await until(lambda: set(seen["one"]) | set(seen["two"]) == set(range(80)))
        for subscriber, task in ((one, first), (two, second)):
            subscriber.stop()
            await task
    assert sample("exchange_assignments_lost_total", group=wide.group("lose")) >= 1


async def test_the_hooks_are_told_of_partitions_in_time(wide):
    """Assigned before the first record is read; revoked after the last batch was committed."""
    await publish(wide, range(40))
    story = []

    async def on_assigned(places):
        story.append(("assigned", len(places)))

    async def on_revoked(places):
        story.append(("revoked", len(places)))

    hooks = Membership(on_assigned=on_assigned, on_revoked=on_revoked)
    async with wide.subscriber("hooks", membership=hooks) as one:
        batches = one.batches()
        batch = await anext(batches)
        story.append(("batch", len(batch.events) > 0))
        async with wide.subscriber("hooks") as two:
            joining = asyncio.ensure_future(two.wait_assigned())
            done, _ = await asyncio.wait([joining], timeout=4)
            assert not done
            await one.commit(batch)
            story.append(("committed", True))
            await batches.aclose()
            following = asyncio.ensure_future(read_on(one, []))
            await joining
            await until(lambda: len(story) >= 5)
            one.stop()
            await following
    expected = [("assigned", 4), ("batch", True), ("committed", True), ("revoked", 4), ("assigned", 2)]
    assert story[:5] == expected


@pytest.mark.parametrize("hook", ["on_assigned", "on_revoked"])
async def test_a_hook_that_fails_ends_the_subscriber(wide, hook):
    """What a hook raises is not lost in a callback: it comes out where batches are asked for."""
    await publish(wide, range(40))

    async def fail(_):
        raise RuntimeError("the cache is full")

    async with wide.subscriber("hooks", membership=Membership(**{hook: fail})) as one:
        reading = asyncio.ensure_future(read_on(one, []))
        async with wide.subscriber("hooks") as two:
            await asyncio.wait([asyncio.ensure_future(two.wait_assigned()), reading], timeout=20)
            with pytest.raises(RuntimeError, match="cache is full"):
                await reading


async def test_a_hook_that_hangs_is_not_waited_for_longer_than_agreed(wide):
    """The group goes on: a hook has the same time as the batch in hand."""
    stuck = asyncio.Event()

    async def hang(_):
        await stuck.wait()

    async with wide.subscriber("stuck", membership=Membership(release_seconds=0.5, on_revoked=hang)) as one:
        await one.wait_assigned()
        async with wide.subscriber("stuck") as two, asyncio.timeout(15):
            await two.wait_assigned()


async def test_a_hook_is_told_of_what_was_lost_too(wide):
    """Where a batch took too long, whoever keeps something by partition still hears that it is over."""
    await publish(wide, range(40))
    told = []

    async def on_revoked(places):
        told.extend(places)

    quick = Membership(release_seconds=0.5, on_revoked=on_revoked)
    async with wide.subscriber("late", membership=quick) as one:
        await anext(one.batches())
        async with wide.subscriber("late") as two:
            await two.wait_assigned()
            assert len(told) == 4


async def test_a_pause_keeps_the_batch_and_the_membership(wide):
    """A member that waits longer than it may be idle is still one of the group, and can commit what it held."""
    await publish(wide, range(40))
    async with wide.subscriber("pause", membership=Membership(idle_seconds=2)) as subscriber:
        batches = subscriber.batches()
        batch = await anext(batches)
        assert await subscriber.pause(4)
        await subscriber.commit(batch)
        rest = len(batch.events)
        while rest < 40:
            batch = await anext(batches)
            await subscriber.commit(batch)
            rest += len(batch.events)
        await batches.aclose()
    async with wide.subscriber("pause") as again:
        reading = asyncio.ensure_future(anext(again.batches()))
        done, _ = await asyncio.wait([reading], timeout=1.5)
        assert not done
        reading.cancel()


async def test_a_member_that_processes_too_long_has_left_the_group(wide):
    """A handler that never comes back does not hold its partitions for ever."""
    await publish(wide, range(4))
    impatient = Membership(idle_seconds=1, session_seconds=6)
    async with wide.subscriber("idle", membership=impatient) as hanging:
        batch = await anext(hanging.batches())
        async with wide.subscriber("idle", membership=impatient) as other:
            seen = []
            reading = asyncio.ensure_future(read_on(other, seen))
            await until(lambda: len(seen) == 4)
            with pytest.raises(TransportError):
                await hanging.commit(batch)
            other.stop()
            await reading


async def test_a_pause_ends_when_partitions_move_or_the_subscriber_stops(wide):
    """The batch is to be dropped then: whoever waits is told at once, and holds nobody up."""
    await publish(wide, range(40))
    async with wide.subscriber("pause") as one:
        batches = one.batches()
        await anext(batches)
        pausing = asyncio.ensure_future(one.pause(600))
        async with wide.subscriber("pause") as two:
            joining = asyncio.ensure_future(two.wait_assigned())
            assert not await pausing
            following = asyncio.ensure_future(anext(batches, None))
            await joining
            following.cancel()
        one.stop()
        assert not await one.pause(600)


@pytest.mark.parametrize("session", [6.0])
async def test_a_killed_members_partitions_are_taken_over_after_its_session(wide, session, tmp_path):
    """After a SIGKILL the others wait for the session, and no longer."""
    await publish(wide, range(200))
    command = ["-m", "tests.fakes.storing_process", wide.kafka, wide.name, "4", str(tmp_path / "rows.db"), "killed"]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    await process.stdout.readline()
    async with wide.subscriber("killed", membership=Membership(session_seconds=session)) as other:
        await other.wait_assigned()
        os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
        await publish(wide, range(200, 240))
        seen = []
        reading = asyncio.ensure_future(read_on(other, seen))
        async with asyncio.timeout(session + 20):
            await until(lambda: set(seen) >= set(range(200, 240)))
        other.stop()
        await reading
