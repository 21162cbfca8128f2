"""Tables are published: every row once, whatever fails in between; rows that do not fit are dead letters."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest
from prometheus_client import REGISTRY

from exchange.errors import AdapterError, BrokerUnreachable, PublisherFenced
from tests.connect.world import ADAPTER, TOPIC, runtime

PUBLISHER = "UZ/GOV/hydromet/observations/hourly"


def stations(bus):
    """Which stations were published, in order."""
    return [data["station"] for data in bus.data(TOPIC)]


async def until(condition):
    """Give the loop its turns until something holds."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0)
        await asyncio.sleep(0.0005)
    raise AssertionError("it never held")


async def test_a_table_is_published_to_its_end(legacy, bus):
    """Every row is an event, in the cursor's order, in transactions of the batch's size."""
    legacy.observe(*((f"S{number:02}", number, "1", number) for number in range(25)))
    assert await runtime(legacy, bus).run_once() == {"hourly": 25}
    assert stations(bus) == [f"S{number:02}" for number in range(25)]
    assert bus.data(TOPIC)[3] == {"station": "S03", "temperature": 3.0, "kind": "urban"}
    assert bus.commits == 3
    assert bus.positions[PUBLISHER]["cursor"] == 24


async def test_a_second_run_goes_on_with_the_next_row(legacy, bus):
    """New rows and changed rows only."""
    legacy.observe(("A", 1, "1", 1), ("B", 2, "1", 2))
    await runtime(legacy, bus).run_once()
    assert await runtime(legacy, bus).run_once() == {"hourly": 0}
    legacy.observe(("C", 3, "2", 3))
    legacy.run("UPDATE OBS SET TEMP = 9, IZM = 4 WHERE ORIGIN = 'A'")
    assert await runtime(legacy, bus).run_once() == {"hourly": 2}
    assert stations(bus) == ["A", "B", "C", "A"]


async def test_a_row_that_does_not_fit_is_a_dead_letter_and_the_rest_go_on(legacy, bus):
    """The letter says table, cursor and reason, and nothing of the row but its key."""
    legacy.observe(("A", 1, "1", 1), ("B", "SECRET", "1", 2), ("C", 3, "9", 3), (None, 4, "1", 4), ("E", 5, "1", 5))
    assert await runtime(legacy, bus).run_once() == {"hourly": 2}
    assert stations(bus) == ["A", "E"]
    assert [(letter.code, letter.key, letter.details["cursor"]) for letter in bus.letters] == [
        ("value_invalid", "B", "2"),
        ("value_invalid", "C", "3"),
        ("value_invalid", None, "4"),
    ]
    assert bus.letters[0].details["table"] == "OBS"
    assert "column TEMP, field temperature" in bus.letters[0].message
    assert "SECRET" not in str(bus.letters)


async def test_a_row_that_only_the_schema_refuses_is_a_dead_letter_too(legacy, bus):
    """A symbol that the enum does not have passes the codes of a careless file."""
    legacy.observe(("A", 1, "urban", 1), ("B", 1, "suburban", 2))
    text = ADAPTER.replace("{column: KIND, codes: {1: urban, 2: rural}}", "KIND")
    assert await runtime(legacy, bus, text).run_once() == {"hourly": 1}
    assert [letter.key for letter in bus.letters] == ["B"]


async def test_dead_letters_are_not_written_again(legacy, bus):
    """They travel in the transaction of the position."""
    legacy.observe(("A", "x", "1", 1))
    await runtime(legacy, bus).run_once()
    await runtime(legacy, bus).run_once()
    assert len(bus.letters) == 1


async def test_a_commit_whose_answer_was_lost_is_not_repeated(legacy, bus):
    """The position says that it held."""
    legacy.observe(*((f"S{number:02}", number, "1", number) for number in range(25)))
    bus.lose_answer = True
    await runtime(legacy, bus).run_once()
    assert stations(bus) == [f"S{number:02}" for number in range(25)]


async def test_an_outage_of_kafka_is_waited_out(legacy, bus):
    """Once it has begun; nothing is lost and nothing twice."""
    legacy.observe(("A", 1, "1", 1))
    stop, adapter = asyncio.Event(), runtime(legacy, bus)
    task = asyncio.create_task(adapter.run(stop))
    await until(lambda: stations(bus) == ["A"])
    before = REGISTRY.get_sample_value("exchange_adapter_errors_total", {"code": "broker_unreachable"}) or 0
    bus.away = 3
    legacy.observe(("B", 1, "1", 2), ("C", 1, "1", 3))
    await until(lambda: stations(bus) == ["A", "B", "C"])
    stop.set()
    await task
    assert REGISTRY.get_sample_value("exchange_adapter_errors_total", {"code": "broker_unreachable"}) == before + 3


async def test_kafka_that_is_not_there_at_the_start_is_said_at_once(legacy, bus):
    """Waiting would hide a wrong address."""
    bus.away = 1
    with pytest.raises(BrokerUnreachable):
        await runtime(legacy, bus).run_once()


async def test_a_locked_database_is_waited_out(legacy, bus):
    """What another process keeps locked is read when it lets go."""
    legacy.observe(("A", 1, "1", 1))
    stop, adapter = asyncio.Event(), runtime(legacy, bus)
    task = asyncio.create_task(adapter.run(stop))
    await until(lambda: stations(bus) == ["A"])
    hidden = legacy.path.rename(legacy.path.with_suffix(".away"))
    await until(lambda: (adapter.not_ready() or "") == "not ready: hourly")
    with closing(sqlite3.connect(hidden)) as connection, connection:
        connection.execute("INSERT INTO OBS VALUES ('B', 1, '1', 2)")
    hidden.rename(legacy.path)
    await until(lambda: stations(bus) == ["A", "B"])
    assert adapter.not_ready() is None
    stop.set()
    await task


async def test_rows_are_found_as_they_come(legacy, bus):
    """The table is looked at again and again."""
    stop = asyncio.Event()
    task = asyncio.create_task(runtime(legacy, bus).run(stop))
    for number in range(3):
        legacy.observe((f"S{number}", 1, "1", number))
        await until(lambda number=number: len(stations(bus)) == number + 1)
    stop.set()
    await task


async def test_a_publisher_that_was_taken_over_ends(legacy, bus):
    """A second adapter of the same file fences the first, which says so and writes no more."""
    legacy.observe(("A", 1, "1", 1))
    first = asyncio.create_task(runtime(legacy, bus).run(asyncio.Event()))
    await until(lambda: stations(bus) == ["A"])
    await runtime(legacy, bus).run_once()
    legacy.observe(("B", 1, "1", 2))
    with pytest.raises(PublisherFenced):
        await first
    assert stations(bus) == ["A"]
    await runtime(legacy, bus).run_once()
    assert stations(bus) == ["A", "B"]


async def test_a_cursor_that_is_not_unique_stops_the_publisher(legacy, bus):
    """Before anything of its chunk is published."""
    legacy.run("CREATE TABLE TWICE (ORIGIN TEXT, TEMP, KIND TEXT, IZM INTEGER)")
    legacy.run("INSERT INTO TWICE VALUES ('A', 1, '1', 1), ('B', 1, '1', 1)")
    with pytest.raises(AdapterError, match="has one value in two rows"):
        await runtime(legacy, bus, ADAPTER.replace("table: OBS", "table: TWICE")).run_once()
    assert stations(bus) == []


async def test_a_changed_cursor_column_is_refused(legacy, bus):
    """The last position would mean something else."""
    legacy.observe(("A", 1, "1", 1))
    await runtime(legacy, bus).run_once()
    legacy.run("ALTER TABLE OBS ADD COLUMN SEQ INTEGER")
    with pytest.raises(AdapterError, match=r"the last position is of OBS\.IZM"):
        await runtime(legacy, bus, ADAPTER.replace("cursor: IZM", "cursor: SEQ")).run_once()


async def test_position_lag_and_rows_are_counted(legacy, bus):
    """By agency, table and publisher, never by anything of a row."""
    agency = "UZ/GOV/hydromet/observations"
    rows = {"agency": agency, "table": "OBS", "direction": "out"}
    before = REGISTRY.get_sample_value("exchange_adapter_rows_total", rows) or 0
    legacy.observe(("A", 1, "1", 1), ("B", "x", "1", 2), ("C", 1, "1", 30))
    await runtime(legacy, bus).run_once()
    assert REGISTRY.get_sample_value("exchange_adapter_rows_total", rows) == before + 2
    position = {"agency": agency, "publisher": "hourly"}
    assert REGISTRY.get_sample_value("exchange_adapter_position", position) == 30
    assert REGISTRY.get_sample_value("exchange_adapter_lag_rows", {"agency": agency, "table": "OBS"}) == 0
