"""The parts of an adapter file: publishers, subscriptions, services, and where their fields come from."""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from exchange.connect.times import TimeFormat, parse_zone
from exchange.errors import IdentifierError
from exchange.ids import Identifier
from exchange.settings import Listen

Scalar = str | int | float | bool | None

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def _duration(value: Any) -> Any:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not float(match[1]):
        raise ValueError(f"{value!r} is not a duration: expected a number and a unit, e.g. 500ms, 1s or 5m")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _url(value: str) -> str:
    try:
        make_url(value)
    except ArgumentError:
        raise ValueError(
            "not a database URL: expected e.g. sqlite:///file.db or postgresql+psycopg://host/db"
        ) from None
    return value


def _charset(value: str) -> str:
    try:
        codecs.lookup(value)
    except LookupError:
        raise ValueError(f"{value!r} is not a charset: expected e.g. cp1251, koi8-r or utf-8") from None
    return value


def _format(value: str) -> str:
    TimeFormat(value)
    return value


def _zone(value: str) -> str:
    parse_zone(value)
    return value


def _scheme(value: str) -> str:
    try:
        Identifier(value, "1")
    except IdentifierError as error:
        raise ValueError(error.message) from None
    return value


def _as_column(value: Any) -> Any:
    if isinstance(value, str):
        return {"column": value}
    if not isinstance(value, dict | FieldMapping):
        raise ValueError(f"{value!r} is neither a column's name nor a mapping, e.g. {{column: TEMP, null_if: [-999]}}")
    return value


def _as_key(value: Any) -> Any:
    if isinstance(value, list):
        return {"columns": value}
    if not isinstance(value, dict | KeyMapping):
        raise ValueError(f"{value!r} is neither a list of columns nor {{pseudonym: {{scheme: …, column: …}}}}")
    return value


def _as_text(codes: Any) -> Any:
    """YAML reads `1: urban` as a number: codes are compared as text."""
    return {str(key): value for key, value in codes.items()} if isinstance(codes, dict) else codes


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Scheme = Annotated[str, AfterValidator(_scheme)]
ColumnName = Annotated[str, Field(min_length=1)]


class Model(BaseModel):
    """What all parts of the file share: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Pseudonym(Model):
    """The pseudonym (spec 1) of the identifier in `column`, instead of the identifier."""

    scheme: Scheme
    column: ColumnName


class FieldMapping(Model):
    """Where one field comes from: a column and what to do with it, a constant `value`, or a `pseudonym`."""

    column: ColumnName | None = None
    value: Scalar = None
    pseudonym: Pseudonym | None = None
    null_if: tuple[Scalar, ...] = ()
    codes: Annotated[dict[str, Scalar] | None, BeforeValidator(_as_text)] = None
    charset: Annotated[str, AfterValidator(_charset)] | None = None
    format: Annotated[str, AfterValidator(_format)] | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = self.model_fields_set & {"column", "value", "pseudonym"}
        if len(origins) != 1:
            raise ValueError("needs exactly one of column, value and pseudonym")
        extra = self.model_fields_set - origins
        if extra and "column" not in origins:
            raise ValueError(f"{', '.join(sorted(extra))} can only go with a column")
        if self.codes is not None and self.format is not None:
            raise ValueError("codes and format exclude each other")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads: one, or none for a constant."""
        column = self.pseudonym.column if self.pseudonym else self.column
        return () if column is None else (column,)


class TimeMapping(Model):
    """Where `ce_time` comes from."""

    column: ColumnName
    format: Annotated[str, AfterValidator(_format)] | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None


class KeyMapping(Model):
    """The key of events: columns joined with `/`, or the pseudonym of an identifier; null where neither is given."""

    columns: tuple[ColumnName, ...] = ()
    pseudonym: Pseudonym | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.columns and self.pseudonym:
            raise ValueError("needs either columns or a pseudonym")
        return self


Fields = Annotated[dict[str, Annotated[FieldMapping, BeforeValidator(_as_column)]], Field(min_length=1)]


class Publication(Model):
    """Rows of one table -> events on one topic."""

    name: str
    topic: str
    schema_: Path = Field(alias="schema")
    table: ColumnName
    cursor: ColumnName
    key: Annotated[KeyMapping, BeforeValidator(_as_key)] = KeyMapping()
    time: TimeMapping | None = None
    batch: int = Field(10_000, ge=1, le=100_000)
    fields: Fields


class Subscription(Model):
    """Events of one topic -> rows of one table."""

    name: str
    topic: str
    table: ColumnName
    columns: Annotated[dict[ColumnName, str], Field(min_length=1)]
    match: Annotated[tuple[ColumnName, ...], Field(min_length=1)]
    on_tombstone: Literal["delete", "ignore"] = "ignore"
    from_: Literal["beginning", "end"] = Field("beginning", alias="from")


class Service(Model):
    """Lookups answered from one table."""

    name: str
    listen: Listen
    table: ColumnName
    individual: Pseudonym
    fields: Fields


class Database(Model):
    """The legacy database: a SQLAlchemy URL, and how often it is asked for changes."""

    url: Annotated[str, AfterValidator(_url)]
    poll: Duration = timedelta(seconds=1)

    def __repr__(self) -> str:
        return f"Database(url={self.shown_url!r})"

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return make_url(self.url).render_as_string(hide_password=True)
