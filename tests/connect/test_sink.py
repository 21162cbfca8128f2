# ruff: noqa: DTZ001  (naive times are what these tests are about)
"""A sink writes rows and its place in one transaction, or neither."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import types
from sqlalchemy.dialects import mysql, postgresql

from exchange.bus import Batch, Redelivered, StoredPosition
from exchange.connect.columns import column_converter
from exchange.connect.config import Subscription
from exchange.connect.convert import Unfit
from exchange.connect.database import Database
from exchange.connect.sink import SqlSink
from exchange.connect.upsert import STATEMENTS, parameter, upsert
from exchange.envelope import Event
from exchange.errors import AdapterError, DatabaseUnavailable, SinkFenced
from exchange.ids import AgencyId
from tests.fakes.adapter_bus import TIME

GROUP = "UZ/GOV/social/benefits/copies"
TOPIC = "gov.interior.civil.residence-changed.v1"
AGENCY = AgencyId.parse("UZ/GOV/interior/civil")


def event(offset, key, data):
    """One event of the topic; None is a tombstone."""
    return Event(TOPIC, 0, offset, key, "", AGENCY, TOPIC, TIME, None, data, "p", 1, offset, None)


def moved(offset, pinfl, region="26", changed=None):
    """A change of residence."""
    return event(offset, pinfl, {"pinfl": pinfl, "region": region, "changed": changed})


def batch(*events, first=None, following=None):
    """A batch of events."""
    start = events[0].offset if first is None else first
    end = events[-1].offset + 1 if following is None else following
    return Batch(TOPIC, 0, start, end, list(events), [], f"sequences@{end}", 1)


def subscription(**parts):
    """A subscription to COPY."""
    return Subscription.model_validate(
        {
            "name": "copies",
            "topic": TOPIC,
            "table": "COPY",
            "columns": {"PINFL": "pinfl", "REGION": "region", "CHANGED": "changed"},
            "match": ["PINFL"],
            "on_tombstone": "delete",
            **parts,
        }
    )


@pytest.fixture
async def open_sink(legacy):
    """Makes sinks over one database, as one process after another would."""
    databases = []

    async def open_one(**parts):
        database = Database(f"sqlite:///{legacy.path}", read_only=False, busy_seconds=0.01)
        databases.append(database)
        sink = SqlSink(database, subscription(**parts))
        await sink.open()
        await sink.load(GROUP, TOPIC, 0)
        return sink

    yield open_one
    for database in databases:
        await database.close()


async def test_rows_and_place_are_written_together(legacy, open_sink):
    """The next process finds the offset and the sequences that go with the rows."""
    sink = await open_sink()
    assert await sink.load(GROUP, TOPIC, 0) is None
    assert await sink.apply(GROUP, batch(moved(0, "1"), moved(1, "2", "17"))) == []
    assert legacy.copies() == [("1", "26", None), ("2", "17", None)]
    again = await open_sink()
    assert await again.load(GROUP, TOPIC, 0) == StoredPosition(2, "sequences@2")


async def test_the_last_event_of_a_key_is_the_row(legacy, open_sink):
    """Within a batch and from batch to batch; columns that are not mapped stay as they are."""
    legacy.run("ALTER TABLE COPY ADD COLUMN NOTE TEXT")
    legacy.run("INSERT INTO COPY VALUES ('1', '00', NULL, 'kept')")
    sink = await open_sink()
    await sink.apply(GROUP, batch(moved(0, "1", "26"), moved(1, "1", "17")))
    await sink.apply(GROUP, batch(moved(2, "1", "18")))
    assert legacy.run("SELECT * FROM COPY") == [("1", "18", None, "kept")]


async def test_dates_and_times_become_iso_text(legacy, open_sink):
    """Moments in UTC, with Z."""
    sink = await open_sink()
    moment = dt.datetime(2026, 11, 22, 5, 0, tzinfo=dt.UTC)
    await sink.apply(GROUP, batch(moved(0, "1", changed=moment), moved(1, "2", changed=dt.date(2026, 11, 22))))
    assert [row[2] for row in legacy.copies()] == ["2026-11-22T05:00:00Z", "2026-11-22"]


async def test_a_tombstone_deletes_where_the_file_says_so(legacy, open_sink):
    """In its place among the events: what comes after it is a new row."""
    sink = await open_sink()
    await sink.apply(GROUP, batch(moved(0, "1"), moved(1, "2"), event(2, "1", None), event(3, "9", None)))
    assert legacy.copies() == [("2", "26", None)]
    await sink.apply(GROUP, batch(event(4, "2", None), moved(5, "2", "17")))
    assert legacy.copies() == [("2", "17", None)]


async def test_a_tombstone_is_ignored_where_the_file_says_so(legacy, open_sink):
    """The row stays and the place moves on."""
    sink = await open_sink(on_tombstone="ignore")
    await sink.apply(GROUP, batch(moved(0, "1"), event(1, "1", None)))
    assert legacy.copies() == [("1", "26", None)]
    assert (await sink.load(GROUP, TOPIC, 0)).next_offset == 2


async def test_a_tombstone_of_a_key_of_several_columns(legacy, open_sink):
    """The key's parts are the match columns' values, as a publisher joins them."""
    legacy.run("CREATE TABLE PAIR (A TEXT, B INTEGER, V TEXT, PRIMARY KEY (A, B))")
    legacy.run("INSERT INTO PAIR VALUES ('x/y', 7, ''), ('x', 7, '')")
    sink = await open_sink(table="PAIR", columns={"A": "a", "B": "b", "V": "v"}, match=["A", "B"])
    unfit = await sink.apply(GROUP, batch(event(0, "x%2Fy/7", None)))
    assert unfit == []
    assert legacy.run("SELECT A FROM PAIR") == [("x",)]
    refused = await sink.apply(GROUP, batch(event(1, "x", None), event(2, None, None), event(3, "x/y", None)))
    assert [each.offset for each in refused] == [1, 2, 3]


async def test_an_event_that_the_table_refuses_is_told_and_nothing_is_written(legacy, open_sink):
    """Every such event at once; the batch is applied again without them."""
    sink = await open_sink()
    events = batch(moved(0, "1"), moved(1, "2", None), moved(2, "3"), event(3, "4", {"pinfl": "4"}))
    unfit = await sink.apply(GROUP, events)
    assert [(each.offset, each.key, each.error.code) for each in unfit] == [
        (1, "2", "row_refused"),
        (3, "4", "row_refused"),
    ]
    assert "NOT NULL constraint failed: COPY.REGION" in str(unfit[0].error)
    assert "the event has no field region" in str(unfit[1].error)
    assert legacy.copies() == []
    assert await sink.load(GROUP, TOPIC, 0) is None
    assert await sink.apply(GROUP, events, frozenset({1, 3})) == []
    assert [row[0] for row in legacy.copies()] == ["1", "3"]
    assert (await sink.load(GROUP, TOPIC, 0)).next_offset == 4


async def test_events_that_letters_bring_back_are_told_apart_by_their_letters(legacy, open_sink):
    """Two partitions' events may have one offset: what is left out is the letter's, and so is the place."""
    sink = await open_sink()
    events = [moved(7, "1"), moved(7, "2", None), moved(7, "1", "17")]
    letters = [Redelivered(None, 0, 1, "retry", number) for number in (3, 5, 6)]
    again = Batch("gov.social.benefits.redeliveries", 0, 3, 7, events, [], "", 1, letters)
    assert [each.offset for each in await sink.apply(GROUP, again)] == [5]
    assert await sink.apply(GROUP, again, frozenset({5})) == []
    assert legacy.copies() == [("1", "17", None)]
    assert (await sink.load(GROUP, again.topic, 0)).next_offset == 7


async def test_a_value_that_is_no_value_of_its_column_is_refused(legacy, open_sink):
    """Without being shown."""
    legacy.run("CREATE TABLE NUMBERS (PINFL TEXT PRIMARY KEY, N INTEGER)")
    sink = await open_sink(table="NUMBERS", columns={"PINFL": "pinfl", "N": "region"})
    [unfit] = await sink.apply(GROUP, batch(moved(0, "1", "SECRET")))
    assert str(unfit.error) == "column N: str does not fit"


async def test_a_zombie_writes_nothing(legacy, open_sink):
    """A writer that lost its partition finds another offset, and rolls its rows back."""
    zombie, heir = await open_sink(), await open_sink()
    await heir.apply(GROUP, batch(moved(0, "1", "17")))
    with pytest.raises(SinkFenced):
        await zombie.apply(GROUP, batch(moved(0, "1", "99"), moved(1, "2")))
    assert legacy.copies() == [("1", "17", None)]
    await zombie.load(GROUP, TOPIC, 0)
    await zombie.apply(GROUP, batch(moved(1, "2")))
    with pytest.raises(SinkFenced):
        await heir.apply(GROUP, batch(moved(1, "2", "99")))
    assert legacy.copies() == [("1", "17", None), ("2", "26", None)]


async def test_a_batch_that_is_written_already_is_not_written_again(legacy, open_sink):
    """Its place is behind the stored one."""
    sink = await open_sink()
    await sink.apply(GROUP, batch(moved(0, "1", "17")))
    legacy.run("UPDATE COPY SET REGION = 'changed here'")
    assert await sink.apply(GROUP, batch(moved(0, "1", "17"))) == []
    assert legacy.copies() == [("1", "changed here", None)]


async def test_an_empty_batch_moves_the_place(open_sink):
    """Records that were all refused, or transaction markers, lie behind it then."""
    sink = await open_sink()
    await sink.apply(GROUP, batch(first=0, following=5))
    assert (await sink.load(GROUP, TOPIC, 0)).next_offset == 5


async def test_subscriptions_and_partitions_have_places_of_their_own(open_sink):
    """One moves, the others stay."""
    sink = await open_sink()
    await sink.apply(GROUP, batch(moved(0, "1")))
    assert await sink.load(GROUP, TOPIC, 1) is None
    assert await sink.load("UZ/GOV/social/benefits/others", TOPIC, 0) is None


async def test_a_locked_database_leaves_everything_as_it_was(legacy, open_sink):
    """The same batch is written once the lock is gone."""
    sink = await open_sink()
    with closing(sqlite3.connect(legacy.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable):
            await sink.apply(GROUP, batch(moved(0, "1")))
    assert legacy.copies() == []
    await sink.apply(GROUP, batch(moved(0, "1")))
    assert legacy.copies() == [("1", "26", None)]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"table": "NONE"}, "there is no table NONE"),
        ({"columns": {"PINFL": "pinfl", "REGIO": "region"}}, "has no column REGIO; did you mean REGION"),
        ({"match": ["REGION"]}, "neither a primary key nor a unique index"),
    ],
)
async def test_a_table_that_does_not_fit_is_refused_at_the_start(open_sink, parts, words):
    """Before any event is read."""
    with pytest.raises(AdapterError, match=words):
        await open_sink(**parts)


async def test_only_the_key_may_be_mapped(legacy, open_sink):
    """A table of keys alone is kept too."""
    legacy.run("CREATE TABLE KEYS (PINFL TEXT PRIMARY KEY)")
    sink = await open_sink(table="KEYS", columns={"PINFL": "pinfl"})
    await sink.apply(GROUP, batch(moved(0, "1"), moved(1, "1")))
    assert legacy.run("SELECT * FROM KEYS") == [("1",)]


async def test_a_database_of_another_kind_is_updated_and_then_inserted_into(legacy):
    """Where no upsert is known, the outcome is the same."""
    write = upsert("other", "COPY", ("PINFL", "REGION"), ("PINFL",))
    rows = [{parameter("PINFL"): pinfl, parameter("REGION"): region} for pinfl, region in ("1a", "2b", "1c")]
    database = Database(f"sqlite:///{legacy.path}", read_only=False)
    await database.run(lambda connection: write(connection, rows))
    await database.close()
    assert legacy.copies() == [("1", "c", None), ("2", "b", None)]


@pytest.mark.parametrize(
    ("kind", "dialect", "words"),
    [
        ("postgresql", postgresql.dialect(), 'ON CONFLICT ("K") DO UPDATE SET "V" = excluded."V"'),
        ("mysql", mysql.dialect(), "ON DUPLICATE KEY UPDATE `V` = "),
        ("mariadb", mysql.dialect(), "ON DUPLICATE KEY UPDATE `V` = "),
    ],
)
def test_each_kind_of_database_has_its_upsert(kind, dialect, words):
    """In its own words."""
    assert words in str(STATEMENTS[kind]("T", ("K", "V"), ("K",)).compile(dialect=dialect))
    assert str(STATEMENTS[kind]("T", ("K",), ("K",)).compile(dialect=dialect))


MOMENT = dt.datetime(2026, 11, 22, 10, 0, 0, 500, tzinfo=dt.timezone(dt.timedelta(hours=5)))
COLUMNS = [
    ("sqlite", types.String(), 5, "5"),
    ("sqlite", types.Text(), True, "true"),
    ("sqlite", types.Text(), Decimal("1.50"), "1.50"),
    ("sqlite", types.Text(), UUID(int=1), str(UUID(int=1))),
    ("sqlite", types.Text(), {"a": [dt.date(2026, 1, 2)]}, '{"a": ["2026-01-02"]}'),
    ("sqlite", types.Text(), dt.time(10, 30), "10:30:00"),
    ("sqlite", types.Date(), dt.date(2026, 1, 2), "2026-01-02"),
    ("sqlite", types.DateTime(), MOMENT.astimezone(dt.UTC), "2026-11-22T05:00:00.000500Z"),
    ("sqlite", types.Numeric(), Decimal("1.50"), "1.5"),
    ("sqlite", types.Boolean(), True, 1),
    ("sqlite", types.Integer(), True, 1),
    ("sqlite", types.Integer(), 7, 7),
    ("sqlite", types.Float(), 7, 7.0),
    ("sqlite", types.LargeBinary(), b"x", b"x"),
    ("sqlite", types.JSON(), [1], "[1]"),
    ("sqlite", types.NullType(), 7, 7),
    ("sqlite", types.NullType(), dt.date(2026, 1, 2), "2026-01-02"),
    ("postgresql", types.DateTime(), MOMENT, dt.datetime(2026, 11, 22, 5, 0, 0, 500)),
    ("postgresql", types.DateTime(), dt.date(2026, 1, 2), dt.datetime(2026, 1, 2)),
    ("postgresql", types.DateTime(timezone=True), MOMENT, MOMENT),
    ("postgresql", types.Date(), MOMENT, dt.date(2026, 11, 22)),
    ("postgresql", types.Date(), "2026-01-02", dt.date(2026, 1, 2)),
    ("postgresql", types.Time(), dt.time(10, 30), dt.time(10, 30)),
    ("postgresql", types.Numeric(), Decimal("1.50"), Decimal("1.5")),
    ("postgresql", types.Boolean(), True, True),
]


@pytest.mark.parametrize(("dialect", "kind", "value", "kept"), COLUMNS)
def test_values_become_what_the_column_keeps(dialect, kind, value, kept):
    """By the column's type, in what the database's driver takes."""
    converted = column_converter(kind, dialect)(value)
    assert converted == kept
    assert type(converted) is type(kept)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (types.Text(), b"x"),
        (types.Integer(), "seven"),
        (types.Date(), 5),
        (types.Time(), "10:30"),
        (types.LargeBinary(), "x"),
    ],
)
def test_values_that_a_column_cannot_keep_are_refused(kind, value):
    """Nothing is bent to fit."""
    with pytest.raises((Unfit, ValueError)):
        column_converter(kind, "postgresql")(value)
