"""What tables and columns a database has, held against what an adapter file names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, inspect
from sqlalchemy import table as light_table
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.sql.expression import TableClause

from exchange.errors import AdapterError

_CASE_BLIND = frozenset({"sqlite", "mysql", "mariadb", "mssql"})


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table or view as the database describes it."""

    name: str
    columns: tuple[str, ...]
    primary_key: tuple[str, ...]
    unique: tuple[frozenset[str], ...]
    case_blind: bool

    def lacks(self, columns: Iterable[str]) -> list[str]:
        """Those of `columns` that it does not have."""
        known = {self._form(column) for column in self.columns}
        return [column for column in columns if self._form(column) not in known]

    def is_unique(self, columns: Iterable[str]) -> bool:
        """Whether the primary key or a unique index is on exactly these columns."""
        wanted = frozenset(self._form(column) for column in columns)
        kept = [frozenset(self.primary_key), *self.unique]
        return any(frozenset(self._form(column) for column in each) == wanted for each in kept if each)

    def _form(self, column: str) -> str:
        return column.casefold() if self.case_blind else column


def split_name(table: str) -> tuple[str | None, str]:
    """`SCHEMA.TABLE` as its two parts; a name without a point has no schema."""
    schema, _, name = table.rpartition(".")
    return schema or None, name


def table_clause(table: str, *columns: Any) -> TableClause:
    """The table as SQLAlchemy writes it into statements."""
    schema, name = split_name(table)
    return light_table(name, *columns, schema=schema)


def describe(connection: Connection, table: str) -> TableShape:
    """Raises AdapterError naming the table, and those there are."""
    inspector = inspect(connection)
    schema, name = split_name(table)
    if not inspector.has_table(name, schema=schema):
        names = sorted([*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)])
        raise AdapterError(f"there is no table {table}; {_suggest(name, names, 'tables')}")
    # SQLite hides the indexes that it makes itself for UNIQUE; other dialects take no such option.
    hidden: dict[str, Any] = {"include_auto_indexes": True} if connection.dialect.name == "sqlite" else {}
    indexes = inspector.get_indexes(name, schema=schema, **hidden)
    constraints = inspector.get_unique_constraints(name, schema=schema)
    return TableShape(
        name=table,
        columns=tuple(column["name"] for column in inspector.get_columns(name, schema=schema)),
        primary_key=tuple(inspector.get_pk_constraint(name, schema=schema)["constrained_columns"]),
        unique=(
            *(frozenset(str(column) for column in each["column_names"]) for each in indexes if _is_whole(each)),
            *(frozenset(each["column_names"]) for each in constraints),
        ),
        case_blind=connection.dialect.name in _CASE_BLIND,
    )


def _is_whole(index: Any) -> bool:
    """Whether an index is unique over all rows; a partial one says nothing of the others."""
    return bool(index["unique"]) and not any(name.endswith("_where") for name in index.get("dialect_options", {}))


def require_columns(shape: TableShape, columns: Iterable[str]) -> None:
    """Raises AdapterError naming the table, the column, and what columns there are.

    SQLite takes a quoted name that is no column for a text: a column that is not there would go out as its own name.
    """
    for column in shape.lacks(columns):
        hint = _suggest(column, shape.columns, "columns")
        raise AdapterError(f"table {shape.name} has no column {column}; {hint}")


def reflect(connection: Connection, table: str) -> Table:
    """The table with its columns' types; raises AdapterError."""
    schema, name = split_name(table)
    try:
        return Table(name, MetaData(), schema=schema, autoload_with=connection, resolve_fks=False)
    except NoSuchTableError:
        raise AdapterError(f"there is no table {table}") from None


def column_of(table: Table, name: str) -> Column[Any]:
    """A reflected table's column, by its name in the adapter file."""
    found = table.columns.get(name)
    return found if found is not None else next(each for each in table.columns if each.name.lower() == name.lower())


def _suggest(name: str, known: Sequence[str], what: str) -> str:
    close = get_close_matches(name.upper(), [each.upper() for each in known], 1)
    hint = next((f"did you mean {each}? " for each in known if close and each.upper() == close[0]), "")
    return f"{hint}{what} there are: {', '.join(known) or 'none'}"
