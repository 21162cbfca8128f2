"""A table as a source of changes: rows beyond a cursor, in its order, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import ge
from typing import Any

from sqlalchemy import Connection, LargeBinary, Select, bindparam, cast, column, func, select
from sqlalchemy.exc import OperationalError

from exchange.connect.cursor import Cursor, parse_cursor
from exchange.connect.database import Database, is_undecodable
from exchange.connect.mapping import Row
from exchange.connect.tables import describe, require_columns, table_clause
from exchange.errors import AdapterError

_READS_BYTES = frozenset({"sqlite", "mysql", "mariadb"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows in the cursor's order; `last` is the cursor of the last of them, `highest` that of the whole table."""

    rows: Sequence[Row]
    last: Cursor | None
    highest: Cursor | None


class CursorSource:
    """Reads one table. The cursor column must grow with every insert and update, in the order of commits."""

    def __init__(
        self, database: Database, table: str, columns: Sequence[str], cursor: str, as_bytes: frozenset[str]
    ) -> None:
        """`as_bytes`: columns of a legacy charset, whose text the database must not decode."""
        self._database = database
        self._table = table
        self._columns = tuple(columns)
        self._cursor = cursor
        self._place = self._columns.index(cursor)
        raw = as_bytes if database.dialect in _READS_BYTES else frozenset()
        self._first = _statement(table, columns, cursor, raw)
        self._next = self._first.where(column(cursor) > bindparam("after"))
        self._highest: Select[Any] = select(func.max(column(cursor))).select_from(table_clause(table))

    async def verify(self) -> None:
        """Raises AdapterError where the table or a column is not there, naming what there is."""
        await self._database.run(lambda connection: require_columns(describe(connection, self._table), self._columns))

    async def has_rows_without_cursor(self) -> bool:
        """Whether there are rows that are never read, for want of a cursor value; raises as `read` does."""
        where = column(self._cursor).is_(None)
        query: Select[Any] = select(column(self._cursor)).select_from(table_clause(self._table)).where(where).limit(1)
        return await self._database.run(lambda connection: connection.execute(query).first() is not None)

    async def read(self, after: Cursor | None, limit: int) -> Chunk:
        """At most `limit` rows beyond `after`; raises DatabaseUnavailable, or AdapterError for a cursor seen twice."""
        return await self._database.run(lambda connection: self._read(connection, after, limit))

    def _read(self, connection: Connection, after: Cursor | None, limit: int) -> Chunk:
        # One row more than asked for: of two rows with one cursor value, `> last` would lose the second.
        rows = self._fetch(connection, after, limit + 1)
        cursors = [row[self._place] for row in rows]
        if any(map(ge, cursors, cursors[1:])):
            raise AdapterError(
                f"{self._table}.{self._cursor} has one value in two rows: a cursor must differ in every row, and grow "
                "with every change"
            )
        del rows[limit:]
        if not rows:
            return Chunk(rows, after, after)
        highest = connection.execute(self._highest).scalar() if len(cursors) > limit else cursors[-1]
        return Chunk(rows, self._parse(rows[-1][self._place]), self._parse(highest))

    def _fetch(self, connection: Connection, after: Cursor | None, limit: int) -> list[Row]:
        statement = self._first if after is None else self._next
        values: dict[str, Any] = {"size": limit} if after is None else {"size": limit, "after": after}
        try:
            return list(connection.execute(statement, values))
        except OperationalError as error:
            if not is_undecodable(error):
                raise
            _take_undecodable(connection)
            return list(connection.execute(statement, values))

    def _parse(self, value: Any) -> Cursor:
        return parse_cursor(value, self._table, self._cursor)


def _statement(table: str, columns: Sequence[str], cursor: str, raw: frozenset[str]) -> Any:
    """Rows in the cursor's order; those without a cursor value are not rows yet."""
    chosen = [cast(column(each), LargeBinary).label(each) if each in raw else column(each) for each in columns]
    source = select(*chosen).select_from(table_clause(table))
    return source.where(column(cursor).is_not(None)).order_by(column(cursor)).limit(bindparam("size"))


def _take_undecodable(connection: Connection) -> None:
    """Let this connection return text that is not UTF-8 as bytes: one such row then fails alone, in its mapping."""
    driver: Any = connection.connection.driver_connection
    driver.text_factory = _text_or_bytes


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
