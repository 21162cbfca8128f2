"""A table follows a topic: every event once, whatever fails in between."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest
from prometheus_client import REGISTRY

from exchange.errors import BrokerUnreachable, PublisherFenced
from tests.connect.test_capture import until
from tests.connect.world import FOLLOWER, runtime

TOPIC = "gov.interior.civil.residence-changed.v1"


def move(bus, pinfl, region="26"):
    """Somebody moves."""
    bus.append(TOPIC, {"pinfl": pinfl, "region": region, "changed": None}, key=pinfl)


@pytest.fixture
async def following(legacy, bus):
    """Starts and stops the adapter of FOLLOWER; what is running at the end is stopped."""
    running = []

    async def start(text=FOLLOWER):
        stop = asyncio.Event()
        adapter = runtime(legacy, bus, text)
        task = asyncio.create_task(adapter.run(stop))
        running.append((stop, task))
        return adapter, stop, task

    yield start
    for stop, task in running:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_table_follows_a_topic(legacy, bus, following):
    """What is there already, and what comes."""
    move(bus, "1")
    await following()
    await until(lambda: legacy.copies() == [("1", "26", None)])
    move(bus, "2")
    move(bus, "1", "17")
    await until(lambda: legacy.copies() == [("1", "17", None), ("2", "26", None)])
    await until(lambda: bus.committed[-1:] == [3])


async def test_a_restart_goes_on_where_the_rows_are(legacy, bus, following):
    """The place in the database counts, not what the group was told."""
    move(bus, "1")
    _, stop, task = await following()
    await until(lambda: legacy.copies() == [("1", "26", None)])
    stop.set()
    await task
    legacy.run("UPDATE COPY SET REGION = 'ours'")
    move(bus, "2")
    await following()
    await until(lambda: legacy.copies() == [("1", "ours", None), ("2", "26", None)])


async def test_from_end_leaves_out_what_was_before(legacy, bus, following):
    """At the first start only."""
    move(bus, "1")
    adapter, stop, task = await following(FOLLOWER + "    from: end\n")
    await until(lambda: adapter.not_ready() is None)
    move(bus, "2")
    await until(lambda: [row[0] for row in legacy.copies()] == ["2"])
    stop.set()
    await task
    move(bus, "3")
    await following(FOLLOWER + "    from: end\n")
    await until(lambda: [row[0] for row in legacy.copies()] == ["2", "3"])


async def test_an_event_that_does_not_fit_is_a_dead_letter_and_the_rest_go_on(legacy, bus, following):
    """Once, in order, with its place and reason."""
    for pinfl, region in [("1", "26"), ("2", None), ("3", "26"), ("4", None)]:
        move(bus, pinfl, region)
    await following()
    await until(lambda: [row[0] for row in legacy.copies()] == ["1", "3"])
    assert [(letter.code, letter.key, letter.details["offset"]) for letter in bus.letters] == [
        ("row_refused", "2", "1"),
        ("row_refused", "4", "3"),
    ]


async def test_a_locked_table_is_waited_for(legacy, bus, following):
    """The adapter pauses, counts, and goes on with the same batch."""
    name, code = "exchange_adapter_errors_total", {"code": "database_unavailable"}
    adapter, _, _ = await following()
    await until(lambda: adapter.not_ready() is None)
    hidden = legacy.path.rename(legacy.path.with_suffix(".away"))
    before = REGISTRY.get_sample_value(name, code) or 0
    move(bus, "1")
    await until(lambda: (REGISTRY.get_sample_value(name, code) or 0) > before + 2)
    hidden.rename(legacy.path)
    await until(lambda: legacy.copies() == [("1", "26", None)])


async def test_stopping_does_not_wait_for_a_database_that_is_away(legacy, bus, following):
    """The batch in hand was not written, and comes again."""
    adapter, stop, task = await following()
    await until(lambda: adapter.not_ready() is None)
    hidden = legacy.path.rename(legacy.path.with_suffix(".away"))
    move(bus, "1")
    await until(lambda: bus.committed == [])
    stop.set()
    await task
    hidden.rename(legacy.path)
    assert legacy.copies() == []
    await following()
    await until(lambda: legacy.copies() == [("1", "26", None)])


async def test_a_writer_whose_place_was_moved_starts_again_from_what_is_stored(legacy, bus, following):
    """It wrote nothing over the other's rows, and joins anew."""
    adapter, _, _ = await following()
    await until(lambda: adapter.not_ready() is None)
    with closing(sqlite3.connect(legacy.path)) as other, other:
        place = ("UZ/GOV/hydromet/observations/copies", TOPIC, 0, 1, "sequences@1")
        other.execute("INSERT INTO EXCHANGE_POSITION VALUES (?, ?, ?, ?, ?)", place)
        other.execute("INSERT INTO COPY VALUES ('1', 'by the other', NULL)")
    move(bus, "1", "99")
    move(bus, "2")
    await until(lambda: len(legacy.copies()) == 2)
    assert legacy.copies() == [("1", "by the other", None), ("2", "26", None)]


async def test_a_member_that_lost_its_dead_letters_rejoins(legacy, bus, following, monkeypatch):
    """Another member has the partition; this one starts again instead of ending."""
    failures = [PublisherFenced("taken over")]
    reach = bus.reach

    def fenced_once():
        if failures and bus.topics.get(TOPIC):
            raise failures.pop()
        reach()

    monkeypatch.setattr(bus, "reach", fenced_once)
    await following()
    move(bus, "1", None)
    move(bus, "2")
    await until(lambda: [row[0] for row in legacy.copies()] == ["2"])
    assert len(bus.letters) == 1


async def test_kafka_that_is_not_there_at_the_start_is_said_at_once(bus, following):
    """As for publishers."""
    bus.away = 1
    _, _, task = await following()
    with pytest.raises(BrokerUnreachable):
        await task
