"""Events -> rows: upserts and deletions of a batch and the sink's own place, in one transaction of the target database.

The place is moved first, by compare-and-set: a writer that lost its partition and does not know it waits for the
row's lock, finds another offset and rolls back. SIGKILL at any line leaves rows and place of the same offset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import unquote

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InternalError, StatementError

from exchange.bus import Batch, StoredPosition, number_of
from exchange.connect.columns import column_converter
from exchange.connect.config import Subscription
from exchange.connect.convert import Convert
from exchange.connect.database import Database
from exchange.connect.field_mapping import FAILURES, say
from exchange.connect.ports import UnfitEvent
from exchange.connect.sink_position import create_position_table, load_position, move_position
from exchange.connect.tables import TableShape, column_of, describe, reflect, require_columns
from exchange.connect.upsert import Parameters, Write, deletion, parameter, upsert
from exchange.envelope import Event
from exchange.errors import AdapterError

UNFIT = "row_refused"
"""The code of an event that verified and that the table does not take."""

_REFUSALS = (IntegrityError, DataError, InternalError)


@dataclass(frozen=True, slots=True)
class _Change:
    """One event as a statement's parameters; `number` is the offset it was read at."""

    number: int
    key: str | None
    write: Write
    parameters: Parameters


class _Rollback(Exception):
    """Leaves the transaction without committing it."""


class SqlSink:
    """One subscription's table; a `PositionStore` of the bus. `open` first."""

    def __init__(self, database: Database, subscription: Subscription) -> None:
        self._database = database
        self._subscription = subscription
        self._table = subscription.table
        self._upsert = upsert(database.dialect, self._table, tuple(subscription.columns), subscription.match)
        self._delete = deletion(self._table, subscription.match)
        self._converters: dict[str, Convert] = {}
        self._expected: dict[tuple[str, str, int], int | None] = {}

    async def open(self) -> None:
        """Look at the table, and create EXCHANGE_POSITION; raises AdapterError, DatabaseUnavailable."""
        self._converters = await self._database.run(self._open)

    async def load(self, group: str, topic: str, partition: int) -> StoredPosition | None:
        """The stored place; raises DatabaseUnavailable."""
        stored = await self._database.run(lambda connection: load_position(connection, group, topic, partition))
        self._expected[group, topic, partition] = None if stored is None else stored.next_offset
        return stored

    async def apply(self, group: str, batch: Batch, without: frozenset[int] = frozenset()) -> list[UnfitEvent]:
        """Write a batch and its place, leaving out the offsets of `without`; those events that do not fit.

        Where there are any, nothing was written: keep them as dead letters, then apply again without them.
        Raises SinkFenced, DatabaseUnavailable or AdapterError, and nothing was written.
        """
        place = (group, batch.topic, batch.partition)
        expected = self._expected.get(place)
        if expected is not None and batch.next_offset <= expected:
            return []
        numbered = [(number_of(batch, index), event) for index, event in enumerate(batch.events)]
        events = [each for each in numbered if each[0] not in without]
        following = StoredPosition(batch.next_offset, batch.sequences)
        unfit: list[UnfitEvent] = []

        def write(connection: Connection) -> None:
            move_position(connection, *place, expected, following)
            unfit.extend(self._write(connection, events))
            if unfit:
                raise _Rollback

        try:
            await self._database.run(write)
        except _Rollback:
            return unfit
        self._expected[place] = batch.next_offset
        return []

    def _open(self, connection: Connection) -> dict[str, Convert]:
        shape = describe(connection, self._table)
        require_columns(shape, self._subscription.columns)
        require_match(shape, self._subscription.match)
        create_position_table(connection)
        table, dialect = reflect(connection, self._table), connection.dialect.name
        return {name: column_converter(column_of(table, name).type, dialect) for name in self._subscription.columns}

    def _write(self, connection: Connection, events: Sequence[tuple[int, Event]]) -> list[UnfitEvent]:
        changes: list[_Change] = []
        unfit: list[UnfitEvent] = []
        for number, event in events:
            try:
                changes += self._changes(number, event)
            except AdapterError as error:
                unfit.append(UnfitEvent(number, event.key, error))
        for write, run in groupby(changes, key=lambda change: change.write):
            unfit += _execute(connection, write, list(run))
        return sorted(unfit, key=lambda each: each.offset)

    def _changes(self, number: int, event: Event) -> list[_Change]:
        if event.data is not None:
            return [_Change(number, event.key, self._upsert, self._row(event))]
        if self._subscription.on_tombstone == "ignore":
            return []
        return [_Change(number, event.key, self._delete, self._key(event))]

    def _row(self, event: Event) -> dict[str, object]:
        data = event.data or {}
        row: dict[str, object] = {}
        for column, field in self._subscription.columns.items():
            if field not in data:
                raise AdapterError(f"column {column}: the event has no field {field}", code=UNFIT)
            row[parameter(column)] = self._convert(column, data[field])
        return row

    def _key(self, event: Event) -> dict[str, object]:
        match = self._subscription.match
        parts = [event.key] if len(match) == 1 else [unquote(part) for part in (event.key or "").split("/")]
        if event.key is None or len(parts) != len(match):
            raise AdapterError(f"the tombstone's key does not have the {len(match)} part(s) of match", code=UNFIT)
        return {parameter(column): self._convert(column, part) for column, part in zip(match, parts, strict=True)}

    def _convert(self, column: str, value: object) -> object:
        try:
            return None if value is None else self._converters[column](value)
        except FAILURES as error:
            raise AdapterError(f"column {column}: {say(error, value)}", code=UNFIT) from None


def require_match(shape: TableShape, match: Sequence[str]) -> None:
    """Raises AdapterError unless the table holds at most one row for a value of the match columns."""
    if not shape.is_unique(match):
        kept = ", ".join(shape.primary_key) or "none"
        raise AdapterError(
            f"table {shape.name} has neither a primary key nor a unique index on match ({', '.join(match)}); its "
            f"primary key: {kept}"
        )


def _execute(connection: Connection, write: Write, changes: list[_Change]) -> list[UnfitEvent]:
    """All at once; only where the database refuses one, each by itself."""
    if _fits(connection, write, changes) is None:
        return []
    reasons = [(change, _fits(connection, write, [change])) for change in changes]
    return [UnfitEvent(change.number, change.key, reason) for change, reason in reasons if reason is not None]


def _fits(connection: Connection, write: Write, changes: list[_Change]) -> AdapterError | None:
    try:
        with connection.begin_nested():
            write(connection, [change.parameters for change in changes])
    except StatementError as error:
        if isinstance(error, DBAPIError) and not isinstance(error, _REFUSALS):
            raise
        return AdapterError(_say(connection, error), code=UNFIT)
    return None


def _say(connection: Connection, error: StatementError) -> str:
    """SQLite names the constraint and no value; other databases quote values, so only their error's name is kept."""
    quiet = connection.dialect.name == "sqlite" and isinstance(error, IntegrityError)
    return f"the table refused the row: {error.orig if quiet else type(error.orig or error).__name__}"
