"""From an adapter file to the parts that run: schemas read, mappings compiled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exchange.avro import Schema
from exchange.connect.config import Publication
from exchange.connect.database import Database
from exchange.connect.field_mapping import charsets_of
from exchange.connect.fields import TargetField, fields_of
from exchange.connect.mapping import TableMapping
from exchange.connect.source import CursorSource
from exchange.errors import SchemaInvalid, SettingsError


@dataclass(frozen=True, slots=True)
class PublicationSchema:
    """A publication's Avro schema and its fields."""

    schema: Schema
    fields: dict[str, TargetField]


def read_schema(publication: Publication, root: Path) -> PublicationSchema:
    """The schema file of a publication, relative to `root`; raises SettingsError, SchemaInvalid or AdapterError."""
    path = root / publication.schema_
    try:
        schema = Schema.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"schema {path}: no such file, or not readable as UTF-8") from None
    except SchemaInvalid as error:
        raise SchemaInvalid(f"{path}: {error.message}") from None
    return PublicationSchema(schema, fields_of(schema))


def source_of(publication: Publication, mapping: TableMapping, database: Database) -> CursorSource:
    """The rows of a publication, in the columns of its mapping."""
    raw = frozenset(charsets_of(publication.fields.values()))
    return CursorSource(database, publication.table, mapping.columns, publication.cursor, raw)
