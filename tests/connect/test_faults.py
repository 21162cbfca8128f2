"""Whatever fails, in whatever order: each row is published once, each event written once."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import BrokerUnreachable
from tests.connect.test_capture import until
from tests.connect.world import ADAPTER, FOLLOWER, TOPIC, Legacy, runtime
from tests.fakes.adapter_bus import MemoryBus

FOLLOWED = "gov.interior.civil.residence-changed.v1"
NUMBERED = ADAPTER.replace('{column: TEMP, null_if: ["NA", -999]}', "IZM").replace("batch: 10", "batch: 3")

insert = st.tuples(st.just("insert"), st.integers(1, 8))
change = st.tuples(st.just("change"), st.integers(1, 3))
outage = st.tuples(st.just("outage"), st.integers(1, 3))
lost = st.tuples(st.just("lost"), st.just(0))
run = st.tuples(st.just("run"), st.just(0))
kill = st.tuples(st.just("kill"), st.integers(0, 60))


class Source:
    """A table that changes, and an adapter that publishes it between failures."""

    def __init__(self, folder: Path) -> None:
        self.legacy, self.bus = Legacy(folder), MemoryBus()
        self.counter = 0

    def next(self) -> int:
        """The change counter."""
        self.counter += 1
        return self.counter

    async def act(self, what: str, number: int) -> None:
        """One step of the story."""
        if what == "insert":
            self.legacy.observe(*((f"S{self.counter}", 1, "1", self.next()) for _ in range(number)))
        elif what == "change":
            for (origin,) in self.legacy.run("SELECT ORIGIN FROM OBS ORDER BY IZM LIMIT ?", number):
                self.legacy.run("UPDATE OBS SET IZM = ? WHERE ORIGIN = ?", self.next(), origin)
        elif what == "outage":
            self.bus.away = number
        elif what == "lost":
            self.bus.lose_answer = True
        elif what == "kill":
            await self.killed_after(number)
        else:
            await self.run()

    async def run(self) -> None:
        """Publish to the end, started again as often as it takes."""
        while True:
            try:
                await runtime(self.legacy, self.bus, NUMBERED).run_once()
                return
            except BrokerUnreachable:
                continue  # at the start an outage is said, not waited out

    async def killed_after(self, turns: int) -> None:
        """Broken off without a chance to end anything, after some turns of the loop."""
        task = asyncio.create_task(runtime(self.legacy, self.bus, NUMBERED, grace=0).run(asyncio.Event()))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})


@settings(max_examples=60, deadline=None)
@given(story=st.lists(st.one_of(insert, change, outage, lost, run, kill), max_size=12))
def test_every_change_is_published_once_and_in_order(story):
    """Inserts, updates, outages, lost answers and kills, as they come."""

    async def tell():
        with tempfile.TemporaryDirectory() as folder:
            source = Source(Path(folder))
            for what, number in story:
                await source.act(what, number)
            await source.run()
            seen = [int(data["temperature"]) for data in source.bus.data(TOPIC)]
            assert seen == sorted(set(seen))
            there = {number for (number,) in source.legacy.run("SELECT IZM FROM OBS")}
            assert there <= set(seen)
            assert set(seen) <= set(range(1, source.counter + 1))

    asyncio.run(tell())


events = st.lists(
    st.tuples(st.sampled_from("abc"), st.none() | st.sampled_from(["17", "26"]), st.booleans()), min_size=1, max_size=12
)


@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(st.tuples(events, st.sampled_from(["go", "kill", "outage"])), max_size=6), size=st.integers(1, 5)
)
def test_every_event_is_written_once_and_in_order(batches, size):
    """Rows, tombstones and events that do not fit, between kills and outages."""

    async def tell():
        with tempfile.TemporaryDirectory() as folder:
            await follow(Legacy(Path(folder)), MemoryBus(batch_size=size), batches)

    asyncio.run(tell())


async def follow(legacy, bus, batches):
    """Append, follow, fail; then compare the table with what the events say."""
    watch(legacy)
    told = []
    for number, (batch, how) in enumerate([*batches, ([("end", "26", True)], "go")]):
        for key, region, is_row in batch:
            told.append((key, region, is_row))
            data = {"pinfl": key, "region": region, "changed": str(number)} if is_row else None
            bus.append(FOLLOWED, data, key=key)
        await work(legacy, bus, how)
    fit = [(key, region) for key, region, is_row in told if is_row and region is not None]
    assert legacy.run("SELECT PINFL, REGION FROM WRITTEN ORDER BY NO") == fit
    unfit = [str(offset) for offset, (_, region, is_row) in enumerate(told) if is_row and region is None]
    assert [letter.details["offset"] for letter in bus.letters] == unfit
    assert [(key, region) for key, region, _ in legacy.copies()] == sorted(table_of(told).items())


def watch(legacy):
    """Let the table's own triggers count what is written."""
    legacy.run("CREATE TABLE WRITTEN (NO INTEGER PRIMARY KEY, PINFL TEXT, REGION TEXT)")
    for event in ("INSERT", "UPDATE"):
        legacy.run(
            f"CREATE TRIGGER T_{event} AFTER {event} ON COPY BEGIN "
            "INSERT INTO WRITTEN (PINFL, REGION) VALUES (NEW.PINFL, NEW.REGION); END"
        )


async def work(legacy, bus, how):
    """The adapter runs to the end of the topic, or is killed on the way."""
    adapter = runtime(legacy, bus, FOLLOWER, grace=9 if how == "go" else 0)
    stop = asyncio.Event()
    task = asyncio.create_task(adapter.run(stop))
    if how == "go":
        await until(lambda: bus.committed[-1:] == [len(bus.topics[FOLLOWED])])
        stop.set()
        await task
        return
    for turn in range(40):
        await asyncio.sleep(0)
        if how == "outage" and turn == 20:
            bus.away = 1
    task.cancel()
    await asyncio.wait({task})
    bus.away = 0


def table_of(told):
    """The rows that the events leave behind."""
    rows = {}
    for key, region, is_row in told:
        if not is_row:
            rows.pop(key, None)
        elif region is not None:
            rows[key] = region
    return rows
