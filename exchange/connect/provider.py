"""Lookups answered from a table: one individual, the granted fields, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, LargeBinary, bindparam, cast, column, select
from sqlalchemy.sql.expression import ColumnClause

from exchange.connect.columns import column_converter
from exchange.connect.config import Service
from exchange.connect.convert import Convert
from exchange.connect.database import Database
from exchange.connect.field_mapping import FAILURES, charsets_of
from exchange.connect.fields import TargetField
from exchange.connect.mapping import RowMapper
from exchange.connect.tables import column_of, describe, reflect, require_columns, table_clause
from exchange.errors import AccessDenied, LookupFailed, ValueInvalid
from exchange.ids import AgencyId, Identifier, ServiceId


class LookupTable:
    """One service's table. `open` first."""

    def __init__(self, database: Database, agency: AgencyId, service: Service, pepper: bytes) -> None:
        """Raises AdapterError where a field cannot be had from its column."""
        self.id = ServiceId(agency, service.name)
        self.fields = tuple(service.fields)
        self._database = database
        self._service = service
        self._charsets = charsets_of(service.fields.values())
        self._mappers = {
            name: RowMapper({name: mapping}, {name: TargetField(name, "json", nullable=True)}, pepper, self._charsets)
            for name, mapping in service.fields.items()
        }
        self._as_value: Convert | None = None

    async def open(self) -> None:
        """Look at the table; raises AdapterError naming what is not there, or DatabaseUnavailable."""
        self._as_value = await self._database.run(self._open)

    async def find(self, individual: Identifier, fields: Sequence[str]) -> dict[str, Any]:
        """The individual's `fields`, as plain JSON values.

        Raises AccessDenied (`field_unknown`), LookupFailed (`individual_scheme_mismatch`, `individual_not_found`,
        `individual_ambiguous`, `value_invalid`) and DatabaseUnavailable.
        """
        for field in fields:
            if field not in self._mappers:
                raise AccessDenied(
                    f"{self.id} has no field {field}; it has {', '.join(self.fields)}", code="field_unknown"
                )
        expected = self._service.individual.scheme
        if individual.scheme != expected:
            raise LookupFailed(f"{self.id} finds individuals by {expected}", code="individual_scheme_mismatch")
        columns = tuple(dict.fromkeys(name for field in fields for name in self._mappers[field].columns))
        row = await self._row(individual, columns)
        return {field: self._value(field, dict(zip(columns, row, strict=True))) for field in fields}

    async def _row(self, individual: Identifier, columns: Sequence[str]) -> Sequence[Any]:
        value = self._convert(individual)
        rows = await self._database.run(lambda connection: self._fetch(connection, value, columns))
        if not rows:
            raise self._not_found()
        if len(rows) > 1:
            raise LookupFailed(f"{self.id} has more than one record of the individual", code="individual_ambiguous")
        return rows[0]

    def _convert(self, individual: Identifier) -> Any:
        """The identifier as the column's type has it; text that cannot be one is nobody's."""
        assert self._as_value is not None, "open first"  # noqa: S101
        try:
            return self._as_value(individual.value)
        except FAILURES:
            raise self._not_found() from None

    def _value(self, field: str, row: dict[str, Any]) -> Any:
        mapper = self._mappers[field]
        try:
            return mapper([row[name] for name in mapper.columns])[field]
        except ValueInvalid as error:
            raise LookupFailed(f"{self.id}: {error.message}", code="value_invalid") from None

    def _open(self, connection: Connection) -> Convert:
        key = self._service.individual.column
        shape = describe(connection, self._service.table)
        require_columns(shape, [key, *(name for mapper in self._mappers.values() for name in mapper.columns)])
        kind = column_of(reflect(connection, self._service.table), key).type
        return column_converter(kind, connection.dialect.name)

    def _fetch(self, connection: Connection, value: Any, columns: Sequence[str]) -> Sequence[Sequence[Any]]:
        chosen = [
            cast(column(name), LargeBinary).label(name) if name in self._charsets else column(name) for name in columns
        ]
        key: ColumnClause[Any] = column(self._service.individual.column)
        # Two are enough to know that it is not one.
        query = (
            select(key, *chosen).select_from(table_clause(self._service.table)).where(key == bindparam("individual"))
        )
        return [tuple(row)[1:] for row in connection.execute(query.limit(2), {"individual": value})]

    def _not_found(self) -> LookupFailed:
        return LookupFailed(f"{self.id} has no record of the individual", code="individual_not_found")
