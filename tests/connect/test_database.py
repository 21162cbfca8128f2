"""A database is used in its own thread, one transaction at a time, and says plainly what it cannot do."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from exchange.connect.database import Database
from exchange.connect.tables import column_of, describe, reflect, split_name, table_clause
from exchange.connect.upsert import deletion, parameter, upsert
from exchange.errors import AdapterError, DatabaseUnavailable


@pytest.fixture
async def database(legacy):
    """The legacy file, to be written."""
    database = Database(f"sqlite:///{legacy.path}", read_only=False, busy_seconds=0.01)
    yield database
    await database.close()


def copy(pinfl):
    """Work that inserts one row into COPY."""
    return lambda connection: connection.execute(text("INSERT INTO COPY VALUES (:p, '26', NULL)"), {"p": pinfl})


async def test_work_is_committed_when_it_returns(legacy, database):
    """Its result is handed on."""
    assert await database.run(lambda connection: connection.execute(text("SELECT 5")).scalar()) == 5
    await database.run(copy("1"))
    assert legacy.copies() == [("1", "26", None)]


async def test_work_that_fails_leaves_nothing(legacy, database):
    """Whatever it raises."""

    def fails(connection):
        copy("1")(connection)
        raise LookupError("half-way")

    with pytest.raises(LookupError):
        await database.run(fails)
    assert legacy.copies() == []


async def test_work_runs_beside_the_event_loop(database):
    """In one thread, which is not the loop's; in the order it came."""
    order = []

    def work(number):
        return lambda connection: order.append((number, threading.get_ident()))

    await asyncio.gather(*(database.run(work(number)) for number in range(5)))
    assert [number for number, _ in order] == list(range(5))
    assert len({thread for _, thread in order}) == 1
    assert order[0][1] != threading.get_ident()


async def test_a_constraint_is_told_without_the_row(legacy, database):
    """The message names what failed, not what was written."""
    await database.run(copy("31507850010019"))
    with pytest.raises(AdapterError, match="the database refused: IntegrityError") as refusal:
        await database.run(copy("31507850010019"))
    assert "31507850010019" not in str(refusal.value)


async def test_undecodable_text_is_told_without_the_text(legacy, database):
    """SQLite's own message would quote it."""
    legacy.run("INSERT INTO COPY VALUES (CAST(? AS TEXT), '26', NULL)", b"\xff secret")
    with pytest.raises(AdapterError, match="text that is not UTF-8") as refusal:
        await database.run(lambda connection: connection.execute(text("SELECT * FROM COPY")).fetchall())
    assert "secret" not in str(refusal.value)


async def test_a_statement_that_sqlalchemy_refuses_is_no_outage(database):
    """It would not pass by waiting."""
    with pytest.raises(AdapterError) as refusal:
        await database.run(lambda connection: connection.execute(text("SELECT :a"), {}))
    assert not isinstance(refusal.value, DatabaseUnavailable)


async def test_a_database_in_memory_is_opened_too():
    """For what has no file."""
    database = Database("sqlite://", read_only=True)
    assert database.dialect == "sqlite"
    assert await database.run(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1
    await database.close()


def test_a_name_may_have_a_schema():
    """`SCHEMA.TABLE`."""
    assert split_name("REG.PEOPLE") == ("REG", "PEOPLE")
    assert split_name("PEOPLE") == (None, "PEOPLE")
    assert table_clause("REG.PEOPLE").schema == "REG"
    assert table_clause("PEOPLE").schema is None


async def test_a_tables_columns_are_found_in_any_case(database):
    """SQLite's names are blind to case."""

    def names(connection):
        table = reflect(connection, "COPY")
        return column_of(table, "pinfl").name, column_of(table, "REGION").name

    assert await database.run(names) == ("PINFL", "REGION")
    with pytest.raises(AdapterError, match="there is no table NONE"):
        await database.run(lambda connection: reflect(connection, "NONE"))


async def test_an_empty_database_has_no_tables_to_suggest(tmp_path):
    """The message says so."""
    path = tmp_path / "empty.db"
    path.touch()
    database = Database(f"sqlite:///{path}", read_only=True)
    with pytest.raises(AdapterError, match="there is no table T; tables there are: none"):
        await database.run(lambda connection: describe(connection, "T"))
    await database.close()


async def test_unique_constraints_and_keys_are_known(legacy, database):
    """A key of two columns is not a key of one, and an index on some rows no key at all."""
    legacy.run("CREATE TABLE T (A, B, C UNIQUE, PRIMARY KEY (A, B))")
    legacy.run("CREATE UNIQUE INDEX HALF ON T (B) WHERE A > 0")
    shape = await database.run(lambda connection: describe(connection, "T"))
    assert not shape.is_unique(["B"])
    assert shape.is_unique(["A", "B"])
    assert shape.is_unique(["B", "A"])
    assert shape.is_unique(["C"])
    assert not shape.is_unique(["A"])
    assert not shape.is_unique(["A", "B", "C"])


changes = st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 99)), max_size=20)


@settings(max_examples=50)
@given(changes=changes, dialect=st.sampled_from(["sqlite", "other"]))
def test_upserts_and_deletions_do_what_a_dictionary_does(changes, dialect):
    """In one statement, and where there is none, in two."""
    engine = create_engine("sqlite://")
    put, drop = upsert(dialect, "T", ("K", "V"), ("K",)), deletion("T", ("K",))
    expected = {}
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE T (K INTEGER PRIMARY KEY, V INTEGER)")
        for key, value in changes:
            if value is None:
                drop(connection, [{parameter("K"): key}])
                expected.pop(key, None)
            else:
                put(connection, [{parameter("K"): key, parameter("V"): value}])
                expected[key] = value
        assert dict(map(tuple, connection.exec_driver_sql("SELECT K, V FROM T"))) == expected
