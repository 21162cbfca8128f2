"""One field's mapping, compiled: charset -> null_if -> NULL or not -> codes -> the field's kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from exchange.connect.config import FieldMapping, Pseudonym, TimeMapping
from exchange.connect.convert import CONVERTERS, NATIVE, TIME_KINDS, Convert, Unfit, time_converter, to_text
from exchange.connect.fields import TargetField
from exchange.connect.times import TimeFormat
from exchange.errors import AdapterError, IdentifierError
from exchange.ids import Identifier

FAILURES = (ValueError, TypeError, KeyError, ArithmeticError, AttributeError, IdentifierError)
"""What a converter raises for a value that does not fit."""

_UNMAPPABLE = frozenset({"record", "array", "map", "null"})


@dataclass(frozen=True, slots=True)
class CompiledField:
    """`convert` takes whatever the database gives; where a value is exactly of class `native`, and not one of
    `nulls`, `fast` gives the same in less time (None: the value as it is).
    """

    convert: Convert
    native: type | None = None
    fast: Convert | None = None
    nulls: frozenset[Any] = frozenset()


def compile_field(
    name: str, mapping: FieldMapping, fields: Mapping[str, TargetField], pepper: bytes, charset: str | None = None
) -> CompiledField:
    """The functions of a field whose column is of `charset` (None: of the database's own).

    Raises AdapterError where the field is not in the schema, or a column cannot become one.
    """
    field = fields.get(name)
    if field is None:
        raise AdapterError(f"field {name!r} is not in the schema, which has {', '.join(fields)}")
    if field.kind in _UNMAPPABLE:
        raise AdapterError(f"field {name!r} is of type {field.kind}: a column cannot become one")
    if mapping.pseudonym is not None:
        pseudonym = nullable(pseudonym_converter(mapping.pseudonym, pepper), field.nullable)
        return CompiledField(decoded(pseudonym, charset))
    after_null, native, fast = _after_null(mapping, field)
    nulls = _nulls(mapping)
    convert = nullable(after_null, field.nullable)
    convert = _null_if(convert, nulls) if nulls else convert
    if charset:
        return CompiledField(decoded(convert, charset))
    return CompiledField(convert, native, fast, nulls)


def _after_null(mapping: FieldMapping, field: TargetField) -> tuple[Convert, type | None, Convert | None]:
    """The converter of values that are not NULL, and its short cut: a class, and what to do with values of it."""
    if mapping.codes is not None:
        return _codes(mapping.codes), str, mapping.codes.__getitem__
    if field.kind in TIME_KINDS:
        convert, of_text = moment_converter(mapping, field)
        return convert, str, of_text
    if mapping.format or mapping.zone:
        return _json_time(mapping, field), None, None
    return CONVERTERS[field.kind], NATIVE.get(field.kind), None


def moment_converter(mapping: FieldMapping | TimeMapping, field: TargetField) -> tuple[Convert, Convert]:
    """As `time_converter`, for a kind of time; raises AdapterError where the format cannot give one."""
    form = TimeFormat(mapping.format) if mapping.format else None
    zone = ZoneInfo(mapping.zone) if mapping.zone else None
    needs_zone = field.kind.startswith("timestamp-") and form is not None and not form.has_zone
    if needs_zone and zone is None:
        raise AdapterError(f"field {field.name!r} is a moment: format {mapping.format!r} has no %z, so give a zone")
    if form is not None and not form.has_day and not field.kind.startswith("time-"):
        raise AdapterError(f"field {field.name!r} needs a day: format {mapping.format!r} names none")
    return time_converter(field.kind, form, zone)


def _json_time(mapping: FieldMapping, field: TargetField) -> Convert:
    """Of a field without a kind of time (lookups, text fields): the ISO 8601 form of what the format names."""
    if field.kind not in ("json", "string"):
        raise AdapterError(f"field {field.name!r} is of type {field.kind}: format and zone are for dates and times")
    form = TimeFormat(mapping.format) if mapping.format else None
    kind = "date" if form and not form.has_time else "timestamp-micros" if mapping.zone else "local-timestamp-micros"
    parse, _ = moment_converter(mapping, TargetField(field.name, kind))
    return lambda value: parse(value).isoformat().replace("+00:00", "Z")


def _codes(codes: Mapping[str, Any]) -> Convert:
    def convert(value: Any) -> Any:
        try:
            return codes[value if value.__class__ is str else to_text(value)]
        except KeyError:
            raise Unfit("the code is not one of the mapping's codes") from None

    return convert


def _nulls(mapping: FieldMapping) -> frozenset[Any]:
    """The values that mean NULL; numbers also as text, for columns that keep numbers as text."""
    return frozenset({*mapping.null_if, *(str(value) for value in mapping.null_if if isinstance(value, int | float))})


def _null_if(convert: Convert, nulls: frozenset[Any]) -> Convert:
    return lambda value: convert(None if value in nulls else value)


def nullable(convert: Convert, allowed: bool) -> Convert:
    """`convert`, with NULL left as it is, or refused."""
    if allowed:
        return lambda value: None if value is None else convert(value)

    def required(value: Any) -> Any:
        if value is None:
            raise Unfit("NULL, and the field cannot be null")
        return convert(value)

    return required


def charsets_of(mappings: Iterable[FieldMapping]) -> dict[str, str]:
    """The charset of each column that has one: what one field says of a column holds wherever the column is read."""
    return {str(each.column): each.charset for each in mappings if each.charset}


def decoded(convert: Convert, charset: str | None) -> Convert:
    """`convert`, with bytes decoded before it."""
    if charset is None:
        return convert

    def decode(value: Any) -> Any:
        if value is None or value.__class__ is str:
            return convert(value)
        try:
            return convert(bytes(value).decode(charset))
        except UnicodeDecodeError:
            raise Unfit(f"the bytes are not {charset} text") from None

    return decode


def pseudonym_converter(pseudonym: Pseudonym, pepper: bytes) -> Convert:
    """Identifier -> pseudonym (spec 1)."""
    scheme = pseudonym.scheme
    return lambda value: Identifier(scheme, to_text(value)).pseudonym(pepper)


def say(error: Exception, value: Any) -> str:
    """Why a value did not fit, without the value."""
    return str(error) if isinstance(error, Unfit) else f"{type(value).__name__} does not fit"
