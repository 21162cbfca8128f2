"""JSON as people write it, typed by a schema."""

from __future__ import annotations

import base64
import datetime as dt
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.avro import JsonValues, Schema, parse_json
from exchange.errors import ValueInvalid
from tests.avro.avro_strategies import schemas, text_of, values_of

DAY = {"type": "int", "logicalType": "date"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}
PRICE = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
MOMENT = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
ID = {"type": "string", "logicalType": "uuid"}
TEXT_OF_ID = "0198c1f2-7a3b-7def-8123-456789abcdef"
INNER = {"type": "record", "name": "I", "fields": [{"name": "n", "type": "int"}]}


def reader(kind):
    """JSON of a record of one field, `f`, of a type."""
    return JsonValues(Schema.parse(text_of({"type": "record", "name": "R", "fields": [{"name": "f", "type": kind}]})))


def read(kind, text):
    """The value of a field written as JSON."""
    return reader(kind).value(parse_json(f'{{"f": {text}}}'))["f"]


def is_json(value):
    """Whether JSON can say it: no infinite number, no text that UTF-8 cannot."""
    if isinstance(value, float):
        return abs(value) != float("inf")
    if isinstance(value, dict):
        return all(map(is_json, [*value, *value.values()]))
    return all(map(is_json, value)) if isinstance(value, list) else True


@given(data=st.data())
@settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
)
def test_what_is_printed_as_json_reads_back(data):
    """Any value of any schema, as `topic tail -o json` prints it, is the same value again."""
    schema = data.draw(schemas())
    value = data.draw(values_of(schema).filter(is_json))
    printed = msgspec.json.encode(value, enc_hook=str).decode()
    assert JsonValues(Schema.parse(text_of(schema))).value(parse_json(printed)) == value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (DAY, '"2026-11-28"', dt.date(2026, 11, 28)),
        (MOMENT, '"2026-11-28T12:00:00Z"', dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)),
        (MONEY, "0.10", Decimal("0.10")),
        (MONEY, '"12345678901234567890.12"', Decimal("12345678901234567890.12")),
        (ID, f'"{TEXT_OF_ID}"', UUID(TEXT_OF_ID)),
        ("bytes", '"AP8="', b"\x00\xff"),
        ("double", "1", 1.0),
        ("double", "0.1", 0.1),
        (["null", "string"], "null", None),
        (["null", DAY, "string"], '"2026-11-28"', dt.date(2026, 11, 28)),
        (["null", DAY, "string"], '"some day"', "some day"),
        (["int", "string", {"type": "array", "items": "long"}], "[1, 2]", [1, 2]),
        ({"type": "map", "values": ["null", "int"]}, '{"a": null, "b": 2}', {"a": None, "b": 2}),
    ],
)  # fmt: skip
def test_values_are_typed_by_the_schema(kind, text, value):
    """Days, moments, decimals, bytes and unions become what Python has for them."""
    found = read(kind, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (DAY, '"28.11.2026"', "/f: expected day, got text that is none"),
        (MILLIS, '"2026-11-28T12:00:00"', "/f: expected moment, to the millisecond"),
        (PRICE, '"a lot"', "/f: expected decimal number (4 digits"),
        ("bytes", '"no base64"', "/f: expected bytes in base64, got text that is none"),
        ({"type": "fixed", "name": "H", "size": 2}, '"AAAA"', "/f: expected 2 bytes in base64"),
        ("boolean", '"no"', "/f: expected true or false, got text"),
        ("int", "1.5", "/f: expected whole number, got a number"),
        ("int", "2147483648", "/f: expected whole number, got a number"),
        ("int", "true", "/f: expected whole number, got true or false"),
        ("string", "7", "/f: expected text, got a number"),
        ("string", "null", "/f: expected text, got null"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, '"B"', "/f: expected one of A, got text"),
        ({"type": "array", "items": "int"}, '[1, "2"]', "/f/1: expected whole number, got text"),
        ({"type": "map", "values": "int"}, '{"a": "2"}', "/f/*: expected whole number, got text"),
        (["null", "int", "boolean"], '"x"', "/f: expected whole number or true or false or null, got text"),
        (INNER, "{}", "/f/n: is missing and has no default"),
        (INNER, '{"n": 1, "m": 2}', "/f/m: is not a field of I, which has n"),
        ({"type": "record", "name": "I", "fields": []}, "[]", "/f: expected record I, got an array"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_its_path_and_never_cited(kind, text, message):
    """The path, what is expected, and the kind of what is there: the value itself may be personal."""
    with pytest.raises(ValueInvalid) as caught:
        read(kind, text)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: Expecting property name"),
        ("{} {}", "not JSON: Extra data"),
        ('{"a": NaN}', "not JSON: NaN and Infinity"),
        ('{"a": 1, "a": 2}', "not JSON: an object has the same name twice"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_json_is_said_without_its_text(text, message):
    """Each reason in a line."""
    with pytest.raises(ValueInvalid) as caught:
        parse_json(text)
    assert caught.value.message.startswith(message)
    assert len(caught.value.message) < 120


def test_a_field_with_a_default_may_be_left_out():
    """The encoder puts the default in."""
    schema = Schema.parse(
        text_of({"type": "record", "name": "R", "fields": [{"name": "f", "type": "int", "default": 7}]})
    )
    assert schema.decode(schema.encode(JsonValues(schema).value({}))) == {"f": 7}


def test_base64_is_the_standard_one():
    """The alphabet and padding of RFC 4648, section 4."""
    assert read("bytes", f'"{base64.b64encode(b"??>>").decode()}"') == b"??>>"
    with pytest.raises(ValueInvalid):
        read("bytes", '"Pz8-Pg"')
