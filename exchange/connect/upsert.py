"""Statements that make a row what an event says it is, in the words of each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, column, delete, insert, update
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.expression import Executable

from exchange.connect.tables import table_clause

Parameters = Mapping[str, Any]
Write = Callable[[Connection, Sequence[Parameters]], None]
"""Applies one statement to many rows, in their order. Parameters are named `p_<column>`."""


def parameter(name: str) -> str:
    """The name under which a column's value is given."""
    return f"p_{name}"


def upsert(dialect: str, table: str, columns: Sequence[str], match: Sequence[str]) -> Write:
    """Insert, or update the row whose `match` columns are the same."""
    build = STATEMENTS.get(dialect)
    if build is None:
        return _update_then_insert(table, columns, match)
    return _statement(build(table, columns, match))


def deletion(table: str, match: Sequence[str]) -> Write:
    """Delete the row of a key; no row is no error."""
    return _statement(delete(table_clause(table, *map(column, match))).where(_is(match)))


def _statement(statement: Executable) -> Write:
    def write(connection: Connection, rows: Sequence[Parameters]) -> None:
        connection.execute(statement, list(rows))

    return write


def _conflict_insert(build: Callable[[Any], Any]) -> Callable[[str, Sequence[str], Sequence[str]], Executable]:
    """SQLite and PostgreSQL: ON CONFLICT DO UPDATE."""

    def statement(table: str, columns: Sequence[str], match: Sequence[str]) -> Executable:
        base = build(table_clause(table, *map(column, columns))).values(_values(columns))
        others = [name for name in columns if name not in match]
        elements: list[Any] = [column(name) for name in match]
        if not others:
            return base.on_conflict_do_nothing(index_elements=elements)  # type: ignore[no-any-return]
        excluded = {name: base.excluded[name] for name in others}
        return base.on_conflict_do_update(index_elements=elements, set_=excluded)  # type: ignore[no-any-return]

    return statement


def _duplicate_insert(table: str, columns: Sequence[str], match: Sequence[str]) -> Executable:
    """MySQL and MariaDB: ON DUPLICATE KEY UPDATE."""
    base = mysql_insert(table_clause(table, *map(column, columns))).values(_values(columns))
    others = [name for name in columns if name not in match] or list(match[:1])
    return base.on_duplicate_key_update({name: base.inserted[name] for name in others})


def _update_then_insert(table: str, columns: Sequence[str], match: Sequence[str]) -> Write:
    """Any other database, row by row."""
    target = table_clause(table, *map(column, columns))
    others = [name for name in columns if name not in match] or list(match)
    change = update(target).where(_is(match)).values({name: bindparam(parameter(name)) for name in others})
    addition = insert(target).values(_values(columns))

    def write(connection: Connection, rows: Sequence[Parameters]) -> None:
        for row in rows:
            if connection.execute(change, row).rowcount == 0:
                connection.execute(addition, row)

    return write


def _values(columns: Sequence[str]) -> dict[str, Any]:
    return {name: bindparam(parameter(name)) for name in columns}


def _is(match: Sequence[str]) -> Any:
    return and_(*(column(name) == bindparam(parameter(name)) for name in match))


STATEMENTS = {
    "sqlite": _conflict_insert(sqlite_insert),
    "postgresql": _conflict_insert(postgresql_insert),
    "mysql": _duplicate_insert,
    "mariadb": _duplicate_insert,
}
"""The statement of (table, columns, match), by the dialects that have one for it."""
