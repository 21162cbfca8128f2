"""What an adapter file names, held against the database and the schema: tables, columns, fields, codes."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection

from exchange.connect.assembly import PublicationSchema, read_schema
from exchange.connect.config import FieldMapping, Publication, Service, Subscription
from exchange.connect.field_mapping import compile_field
from exchange.connect.fields import TargetField
from exchange.connect.file import AdapterFile
from exchange.connect.finding import Finding
from exchange.connect.places import place_of
from exchange.connect.sink import require_match
from exchange.connect.tables import TableShape, describe, require_columns
from exchange.errors import AdapterError, ExchangeError

Location = tuple[str | int, ...]


class Structure:
    """Finds what of one adapter file does not fit its database and its schemas. `root` is where schemas are."""

    def __init__(self, file: AdapterFile, root: Path) -> None:
        self._file = file
        self._root = root

    def findings(self, connection: Connection) -> Iterator[Finding]:
        """Everything that would keep the adapter from running, and what is doubtful."""
        for index, publication in enumerate(self._file.publishers):
            yield from self._publication(connection, ("publishers", index), publication)
        for index, subscription in enumerate(self._file.subscriptions):
            yield from self._subscription(connection, ("subscriptions", index), subscription)
        for index, service in enumerate(self._file.services):
            yield from self._service(connection, ("services", index), service)

    def finding(self, severity: Literal["error", "warning"], place: Location, message: str) -> Finding:
        """A finding at a place of the file."""
        return Finding(severity, place_of(self._file.path, *place), message)

    def _publication(self, connection: Connection, at: Location, publication: Publication) -> Iterator[Finding]:
        yield from self._schema(at, publication)
        shape = yield from self._shape(connection, at, publication.table)
        if shape is None:
            return
        yield from self._columns(shape, (*at, "fields"), publication.fields)
        named = [("cursor", publication.cursor), *(("key", column) for column in publication.key.columns)]
        if publication.key.pseudonym:
            named.append(("key", publication.key.pseudonym.column))
        if publication.time:
            named.append(("time", publication.time.column))
        yield from (found for part, column in named for found in self._column(shape, (*at, part), column))
        if not shape.lacks([publication.cursor]) and not shape.is_unique([publication.cursor]):
            message = (
                f"{publication.table}.{publication.cursor} has no unique index: reading is slow, and a value seen "
            )
            yield self.finding("warning", (*at, "cursor"), message + "twice stops the publisher")

    def _subscription(self, connection: Connection, at: Location, subscription: Subscription) -> Iterator[Finding]:
        shape = yield from self._shape(connection, at, subscription.table)
        if shape is None:
            return
        for column in subscription.columns:
            yield from self._column(shape, (*at, "columns", column), column)
        try:
            require_match(shape, subscription.match)
        except AdapterError as error:
            yield self.finding("error", (*at, "match"), error.message)

    def _service(self, connection: Connection, at: Location, service: Service) -> Iterator[Finding]:
        for name, mapping in service.fields.items():
            yield from self._compiles(at, name, mapping, {name: TargetField(name, "json", nullable=True)})
        shape = yield from self._shape(connection, at, service.table)
        if shape is None:
            return
        yield from self._columns(shape, (*at, "fields"), service.fields)
        key = service.individual.column
        yield from self._column(shape, (*at, "individual"), key)
        if not shape.lacks([key]) and not shape.is_unique([key]):
            message = (
                f"{service.table}.{key} has no unique index: lookups are slow, and an individual may be found twice"
            )
            yield self.finding("warning", (*at, "individual"), message)

    def _schema(self, at: Location, publication: Publication) -> Iterator[Finding]:
        try:
            schema = read_schema(publication, self._root)
        except ExchangeError as error:
            yield self.finding("error", (*at, "schema"), error.message)
            return
        for name, mapping in publication.fields.items():
            yield from self._compiles(at, name, mapping, schema.fields)
            yield from self._symbols(at, name, mapping, schema)
        for name, field in schema.fields.items():
            if name not in publication.fields and not field.has_default:
                message = f"field {name!r} of the schema has no default and is not mapped"
                yield self.finding("error", (*at, "fields"), message)

    def _compiles(
        self, at: Location, name: str, mapping: FieldMapping, fields: Mapping[str, TargetField]
    ) -> Iterator[Finding]:
        try:
            if name not in fields or mapping.columns:
                compile_field(name, mapping, fields, b"")
        except AdapterError as error:
            yield self.finding("error", (*at, "fields", name), error.message)

    def _symbols(self, at: Location, name: str, mapping: FieldMapping, schema: PublicationSchema) -> Iterator[Finding]:
        field = schema.fields.get(name)
        if field is None or field.kind != "enum":
            return
        given = [mapping.value] if "value" in mapping.model_fields_set else (mapping.codes or {}).values()
        for symbol in given:
            if symbol not in field.symbols and not (symbol is None and field.nullable):
                known = ", ".join(sorted(field.symbols))
                message = f"{symbol!r} is not a symbol of field {name!r}, which has {known}"
                yield self.finding("error", (*at, "fields", name), message)

    def _shape(self, connection: Connection, at: Location, table: str) -> Generator[Finding, None, TableShape | None]:
        try:
            return describe(connection, table)
        except AdapterError as error:
            yield self.finding("error", (*at, "table"), error.message)
            return None

    def _columns(self, shape: TableShape, at: Location, fields: Mapping[str, FieldMapping]) -> Iterable[Finding]:
        for name, mapping in fields.items():
            for column in mapping.columns:
                yield from self._column(shape, (*at, name), column)

    def _column(self, shape: TableShape, place: Location, column: str) -> Iterator[Finding]:
        try:
            require_columns(shape, [column])
        except AdapterError as error:
            yield self.finding("error", place, error.message)
