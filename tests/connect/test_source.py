# ruff: noqa: DTZ001  (naive times are what these tests are about)
"""A table read by its cursor: every row once, in order; and how a database's failures are told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import text

from exchange.connect.cursor import from_position, parse_cursor, to_position
from exchange.connect.database import Database
from exchange.connect.source import CursorSource
from exchange.connect.tables import describe, require_columns
from exchange.errors import AdapterError, DatabaseUnavailable


@pytest.fixture
async def database(legacy):
    """The legacy file, read-only, impatient."""
    database = Database(f"sqlite:///{legacy.path}", read_only=True, busy_seconds=0.01)
    yield database
    await database.close()


def source(database, columns=("ORIGIN", "IZM"), as_bytes=frozenset(), table="OBS", cursor="IZM"):
    """The rows of OBS."""
    return CursorSource(database, table, columns, cursor, as_bytes)


async def test_rows_come_in_the_cursors_order(legacy, database):
    """However they were inserted; rows without a cursor value are not rows yet."""
    legacy.observe(("C", 1, "1", 30), ("A", 1, "1", 10), ("-", 1, "1", None), ("B", 1, "1", 20))
    chunk = await source(database).read(None, 10)
    assert list(chunk.rows) == [("A", 10), ("B", 20), ("C", 30)]
    assert chunk.last == chunk.highest == 30


async def test_a_chunk_goes_on_beyond_the_last(legacy, database):
    """Chunk by chunk every row comes once; the last chunk is empty and keeps the place."""
    legacy.observe(*((f"S{number}", 1, "1", number) for number in range(7)))
    reader, seen, after = source(database), [], None
    while (chunk := await reader.read(after, 3)).rows:
        seen += [row[1] for row in chunk.rows]
        after = chunk.last
    assert seen == list(range(7))
    assert (chunk.last, chunk.highest) == (6, 6)


async def test_the_distance_to_the_end_is_known(legacy, database):
    """A chunk knows the highest cursor of the table."""
    legacy.observe(*((f"S{number}", 1, "1", number) for number in range(7)))
    chunk = await source(database).read(None, 3)
    assert (chunk.last, chunk.highest) == (2, 6)


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_a_cursor_in_two_rows_stops_the_reading(legacy, database, limit):
    """Also when the second would be the first of the next chunk: it would be lost without a word."""
    legacy.run("CREATE TABLE TWICE (ORIGIN TEXT, IZM INTEGER)")
    legacy.run("INSERT INTO TWICE VALUES ('A', 1), ('B', 1), ('C', 2)")
    with pytest.raises(AdapterError, match=r"TWICE.IZM has one value in two rows"):
        await source(database, table="TWICE").read(None, limit)


async def test_text_of_a_legacy_charset_arrives_as_bytes(legacy, database):
    """SQLite would fail on text that is not UTF-8; a column with a charset is read as what it is."""
    legacy.run("INSERT INTO OBS VALUES (CAST(? AS TEXT), 1, '1', 1)", "Ёлка".encode("cp1251"))
    chunk = await source(database, as_bytes=frozenset({"ORIGIN"})).read(None, 10)
    assert chunk.rows[0][0] == "Ёлка".encode("cp1251")


async def test_one_row_of_undecodable_text_does_not_stop_the_others(legacy, database):
    """Where no charset is named it arrives as bytes, which its mapping refuses."""
    legacy.observe(("A", 1, "1", 1))
    legacy.run("INSERT INTO OBS VALUES (CAST(? AS TEXT), 1, '1', 2)", b"\xff\xfe")
    chunk = await source(database).read(None, 10)
    assert list(chunk.rows) == [("A", 1), (b"\xff\xfe", 2)]


async def test_a_column_that_is_not_there_is_named(database):
    """With those there are; SQLite itself would have taken its name for a text."""
    with pytest.raises(AdapterError, match=r"no column IZMM; did you mean IZM\? columns there are: ORIGIN,"):
        await source(database, columns=("ORIGIN", "IZMM"), cursor="IZMM").verify()


async def test_a_table_that_is_not_there_is_named(database):
    """With those there are."""
    with pytest.raises(AdapterError, match=r"there is no table OBZ; did you mean OBS\? tables there are: COPY, OBS"):
        await source(database, table="OBZ").verify()


async def test_a_view_is_a_table(legacy, database):
    """A legacy system may offer a view instead."""
    legacy.run("CREATE VIEW SEEN AS SELECT ORIGIN, IZM FROM OBS")
    legacy.observe(("A", 1, "1", 1))
    reader = source(database, table="SEEN")
    await reader.verify()
    assert list((await reader.read(None, 5)).rows) == [("A", 1)]


async def test_names_in_sqlite_are_blind_to_case(database):
    """As SQLite itself is."""
    shape = await database.run(lambda connection: describe(connection, "OBS"))
    require_columns(shape, ["origin", "Izm"])
    assert shape.is_unique(["izm"])
    assert not shape.is_unique(["ORIGIN"])


async def test_a_source_cannot_write(database):
    """The file is opened read-only."""
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await database.run(lambda connection: connection.execute(text("DELETE FROM OBS")))


async def test_a_locked_database_is_away_for_now(legacy, database):
    """The error is one that may pass."""
    with closing(sqlite3.connect(legacy.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseUnavailable, match="locked") as refusal:
            await source(database).read(None, 1)
    assert refusal.value.retriable
    assert (await source(database).read(None, 1)).rows == []


async def test_a_database_that_went_away_is_away_for_now(legacy, database):
    """Also when it was there before: no deleted file is read on."""
    legacy.observe(("A", 1, "1", 1))
    await source(database).read(None, 1)
    hidden = legacy.path.rename(legacy.path.with_suffix(".away"))
    with pytest.raises(DatabaseUnavailable, match="unable to open"):
        await source(database).read(None, 1)
    hidden.rename(legacy.path)
    assert (await source(database).read(None, 1)).rows


async def test_a_table_that_was_dropped_is_no_outage(legacy, database):
    """Waiting would not bring it back."""
    legacy.run("DROP TABLE OBS")
    with pytest.raises(AdapterError, match="no such table") as refusal:
        await source(database).read(None, 1)
    assert not refusal.value.retriable


def test_a_file_that_is_not_there_is_not_created(tmp_path):
    """The message has its whole path."""
    with pytest.raises(AdapterError, match="no such file"):
        Database(f"sqlite:///{tmp_path}/missing.db", read_only=False)
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_is_not_installed_is_named():
    """And the password is not."""
    with pytest.raises(AdapterError, match="no driver for this kind of database") as refusal:
        Database("nosuch://user:secret@host/db", read_only=True)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("value", [5, "2026-01-01", datetime(2026, 1, 1, 2, 3, 4, 5), datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_position_leads_back_to_the_same_cursor(value):
    """Numbers, texts and times survive as JSON."""
    assert from_position(to_position(value, "T", "C"), "T", "C") == value
    assert from_position(None, "T", "C") is None


@pytest.mark.parametrize(("table", "column"), [("T", "D"), ("U", "C")])
def test_a_position_of_another_column_is_refused(table, column):
    """Going on from it would miss rows or send them twice."""
    with pytest.raises(AdapterError, match="give the publisher a new name to begin anew"):
        from_position(to_position(5, "T", "C"), table, column)


def test_a_cursor_needs_an_exact_order():
    """Whole decimals are whole numbers; floats, bytes and truths are refused."""
    assert parse_cursor(Decimal("12"), "T", "C") == 12
    for value in (1.5, True, b"x", Decimal("1.5"), None):
        with pytest.raises(AdapterError, match=r"T\.C holds"):
            parse_cursor(value, "T", "C")
