"""Encoding and decoding: strict, and never anything but ValueInvalid."""

import contextlib
import datetime as dt
import io
import json
import uuid
from decimal import Decimal

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.avro import Schema
from exchange.errors import ValueInvalid
from tests.avro.avro_strategies import schemas, text_of, values_of

ENUM = {"type": "enum", "name": "x.Kind", "symbols": ["urban", "rural"]}
FIXED = {"type": "fixed", "name": "x.F", "size": 2}
DATE = {"type": "int", "logicalType": "date"}
TIME = {"type": "int", "logicalType": "time-millis"}
MOMENT = {"type": "long", "logicalType": "timestamp-millis"}
LOCAL = {"type": "long", "logicalType": "local-timestamp-micros"}
UUID = {"type": "string", "logicalType": "uuid"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
FIXED_MONEY = {"type": "fixed", "name": "M", "size": 3, "logicalType": "decimal", "precision": 4, "scale": 2}
NODE = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
NOW = dt.datetime(2026, 11, 22, 10, 0, 0, 123000, dt.UTC)
NAIVE = NOW.replace(tzinfo=None)


def of(kind, **more):
    """A schema of one record with the one field `f`."""
    fields = [{"name": "f", "type": kind, **more}]
    return Schema.parse(json.dumps({"type": "record", "name": "x.R", "fields": fields}))


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("null", 0, "expected null, got whole number"),
        ("boolean", "no", "expected boolean, got text"),
        ("boolean", 1, "expected boolean, got whole number"),
        ("int", 1.5, "expected int, got number"),
        ("int", True, "expected int, got boolean"),
        ("int", "5", "expected int, got text"),
        ("int", None, "expected int, got null"),
        ("int", 2**31, "expected int, got whole number out of range"),
        ("long", -(2**63) - 1, "expected long, got whole number out of range"),
        ("float", 1e300, "expected float, got number out of range"),
        ("float", "1", "expected float, got text"),
        ("double", True, "expected double, got boolean"),
        ("double", 10**400, "expected double, got whole number out of range"),
        ("string", b"x", "expected string, got bytes of 1 bytes"),
        ("string", 5, "expected string, got whole number"),
        ("bytes", "x", "expected bytes, got text"),
        (FIXED, b"abc", "expected fixed x.F of 2 bytes, got bytes of 3 bytes"),
        (FIXED, "ab", "got text"),
        (ENUM, "Rural", "expected enum x.Kind of urban, rural, got text"),
        (ENUM, 1, "got whole number"),
        ({"type": "array", "items": "string"}, "abc", "expected array of string, got text"),
        ({"type": "map", "values": "int"}, [1], "expected map of int, got array"),
        ({"type": "map", "values": "int"}, {1: 1}, "a map's keys are text, one is whole number"),
        ([], 1, "expected nothing (an empty union), got whole number"),
        (["null", "int", "string"], 1.5, "expected null or int or string, got number"),
        (["int", "string"], None, "expected int or string, got null"),
        (DATE, "2026-11-22", "expected int (date), got text"),
        (DATE, NOW, "expected int (date), got datetime"),
        (DATE, 10**7, "got whole number out of range"),
        (TIME, 86_400_000, "got whole number out of range"),
        (MOMENT, NAIVE, "expected long (timestamp-millis), got datetime without a time zone"),
        (MOMENT, NOW.date(), "got date"),
        (MOMENT, 2**60, "out of range"),
        (LOCAL, NOW, "expected long (local-timestamp-micros), got datetime"),
        (UUID, "not one", "expected string (uuid), got text"),
        (MONEY, 1.5, "expected bytes (decimal, 4 digits, 2 after the point), got number"),
        (MONEY, Decimal("123.45"), "got Decimal"),
        (MONEY, Decimal("1.234"), "got Decimal"),
        (MONEY, Decimal("NaN"), "got Decimal"),
        (MONEY, Decimal("1E+5"), "got Decimal"),
        (FIXED_MONEY, b"1", "expected fixed x.M of 3 bytes (decimal"),
    ],
)
def test_a_value_of_another_type_is_refused_with_both_types(kind, value, words):
    """The message names the field, what is expected and what is there."""
    with pytest.raises(ValueInvalid) as refused:
        of(kind).encode({"f": value})
    assert "/f: " in refused.value.message
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("kind", "value", "back"),
    [
        ("null", None, None),
        ("boolean", False, False),
        ("int", -(2**31), -(2**31)),
        ("long", 2**63 - 1, 2**63 - 1),
        ("float", 5, 5.0),
        ("float", float("inf"), float("inf")),
        ("double", 5, 5.0),
        ("string", "Toʻytepa", "Toʻytepa"),
        ("bytes", bytearray(b"x"), b"x"),
        (FIXED, b"ab", b"ab"),
        (ENUM, "rural", "rural"),
        ({"type": "array", "items": "int"}, (1, 2), [1, 2]),
        ({"type": "array", "items": "int"}, [], []),
        ({"type": "map", "values": "int"}, {"a": 1}, {"a": 1}),
        (["null", "int"], None, None),
        (["null", "int"], 5, 5),
        (["int", "string"], "5", "5"),
        (["null", "int", "string"], None, None),
        (["null", "int", "string"], "x", "x"),
        (DATE, dt.date(2026, 11, 22), dt.date(2026, 11, 22)),
        (DATE, 0, dt.date(1970, 1, 1)),
        (TIME, dt.time(10, 0), dt.time(10, 0)),
        (MOMENT, NOW, NOW),
        (MOMENT, 0, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
        (LOCAL, NAIVE, NAIVE),
        (UUID, "0198c1f2-7a3b-7def-8123-456789abcdef", uuid.UUID("0198c1f2-7a3b-7def-8123-456789abcdef")),
        (UUID, uuid.UUID(int=5), uuid.UUID(int=5)),
        (MONEY, Decimal("12.34"), Decimal("12.34")),
        (MONEY, Decimal("-5"), Decimal("-5.00")),
        (MONEY, b"\x01", Decimal("0.01")),
        (FIXED_MONEY, Decimal("-0.01"), Decimal("-0.01")),
        ({"type": "long", "logicalType": "of-our-own"}, 5, 5),
        ({"type": "int", "logicalType": 5}, 5, 5),
    ],
)
def test_a_value_of_its_type_comes_back(kind, value, back):
    """What fits is written and read again, logical types as Python's own."""
    schema = of(kind)
    assert schema.decode(schema.encode({"f": value})) == {"f": back}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "/f: is missing and has no default: expected int"),
        ({"f": 1, "g": 2}, "/g: is not a field of x.R, which has f"),
        ({"g": 2}, "/f: is missing"),
        ({"f": 1, 5: 2}, "/'int': is not a field"),
        ([1], "/: expected record x.R, got array"),
        (None, "/: expected record x.R, got null"),
    ],
)
def test_a_record_has_exactly_its_fields(value, words):
    """A field that is missing, and a key that is no field, are refused by name."""
    with pytest.raises(ValueInvalid) as refused:
        of("int").encode(value)
    assert words in refused.value.message


def test_a_nullable_field_is_not_optional():
    """Null must be said, unless it is the default."""
    with pytest.raises(ValueInvalid, match="/f: is missing and has no default: expected null or int"):
        of(["null", "int"]).encode({})
    assert of(["null", "int"], default=None).decode(of(["null", "int"], default=None).encode({})) == {"f": None}


@pytest.mark.parametrize(
    ("kind", "default", "value"),
    [
        ("bytes", "\u00ff\u0000", b"\xff\x00"),
        (FIXED, "ab", b"ab"),
        (["null", "bytes"], "\u00ff", b"\xff"),
        ({"type": "array", "items": "bytes"}, ["\u0001"], [b"\x01"]),
        ({"type": "map", "values": FIXED}, {"a": "ab"}, {"a": b"ab"}),
        ({"type": "record", "name": "S", "fields": [{"name": "b", "type": "bytes"}]}, {"b": "x"}, {"b": b"x"}),
        (ENUM, "rural", "rural"),
        (DATE, 0, dt.date(1970, 1, 1)),
        (MONEY, "\u0001", Decimal("0.01")),
    ],
)
def test_a_missing_field_is_written_as_its_default(kind, default, value):
    """Defaults are JSON in the schema and values in the record."""
    schema = of(kind, default=default)
    assert schema.decode(schema.encode({})) == {"f": value}


NESTED = {"type": "record", "name": "In", "fields": [{"name": "code", "type": "int"}, {"name": "x", "type": "string"}]}


@pytest.mark.parametrize(
    ("kind", "value", "place"),
    [
        (NESTED, {"code": 1, "x": 5}, "/f/x: expected string"),
        (NESTED, {"code": 1, "x": "a", "y": 1}, "/f/y: is not a field of x.In, which has code, x"),
        (["null", NESTED], {"code": "1", "x": "a"}, "/f/code: expected int"),
        (["null", NESTED], 5, "/f: expected record x.In, got whole number"),
        (["int", NESTED], {"code": "1", "x": "a"}, "/f: expected int or record x.In, got object"),
        (["null", {"type": "array", "items": "int"}], "x", "/f: expected array of int, got text"),
        (["null", {"type": "map", "values": "int"}], "x", "/f: expected map of int, got text"),
        ({"type": "array", "items": NESTED}, [{"code": 1, "x": "a"}, {"code": 1}], "/f/1/x: is missing"),
        ({"type": "map", "values": NESTED}, {"k": {"code": None, "x": "a"}}, "/f/*/code: expected int, got null"),
        ({"type": "array", "items": ["null", "int"]}, [None, 1, "x"], "/f/2: expected int, got text"),
    ],
)
def test_the_path_leads_to_the_first_thing_wrong(kind, value, place):
    """Fields by name, items by number, a map's keys as `*` (they may be personal)."""
    with pytest.raises(ValueInvalid) as refused:
        of(kind).encode({"f": value})
    assert place in refused.value.message


@pytest.mark.parametrize("value", ["secret-31405850170012", 31405850170012])
def test_the_message_never_holds_the_value(value):
    """A value may be personal data: the message names types only."""
    with pytest.raises(ValueInvalid) as refused:
        of("boolean").encode({"f": value})
    assert "31405850170012" not in refused.value.message


def test_text_that_is_no_unicode_is_refused():
    """A lone surrogate cannot be written."""
    with pytest.raises(ValueInvalid, match="cannot be written"):
        of("string").encode({"f": "\ud800"})


def test_a_value_that_holds_itself_is_refused():
    """A cycle ends as an error, not as a crash."""
    value = {}
    value["next"] = value
    with pytest.raises(ValueInvalid, match="nested too deep, or holds itself"):
        Schema.parse(json.dumps(NODE)).encode(value)


def test_a_recursive_value_comes_back():
    """A record may hold another of its kind."""
    schema = Schema.parse(json.dumps(NODE))
    value = {"next": {"next": {"next": None}}}
    assert schema.decode(schema.encode(value)) == value


def test_a_wrong_value_inside_a_recursive_one_is_named():
    """The path goes through types named again."""
    with pytest.raises(ValueInvalid, match="/next/next: expected record Node, got whole number"):
        Schema.parse(json.dumps(NODE)).encode({"next": {"next": 5}})


def test_a_type_named_again_is_checked_as_where_it_was_defined():
    """A later field of the same enum takes the same symbols."""
    fields = [{"name": "a", "type": ENUM}, {"name": "b", "type": "x.Kind"}]
    schema = Schema.parse(json.dumps({"type": "record", "name": "R", "fields": fields}))
    assert schema.decode(schema.encode({"a": "urban", "b": "rural"})) == {"a": "urban", "b": "rural"}
    with pytest.raises(ValueInvalid, match=r"/b: expected enum x[.]Kind of urban, rural"):
        schema.encode({"a": "urban", "b": "none"})


def test_a_type_without_namespace_inside_one_is_its_own():
    """The empty namespace can be named from inside another."""
    inner = {"type": "enum", "name": "E", "namespace": "", "symbols": ["A"]}
    fields = [{"name": "a", "type": inner}, {"name": "b", "type": "E"}]
    schema = Schema.parse(json.dumps({"type": "record", "name": "R", "namespace": "n", "fields": fields}))
    assert schema.decode(schema.encode({"a": "A", "b": "A"})) == {"a": "A", "b": "A"}


@pytest.mark.parametrize("data", [b"\x02" * 1_000_000, b"\x02" * 5_000])
def test_bytes_that_nest_without_end_are_refused(data):
    """Bytes made to exhaust the stack are refused; the process lives."""
    with pytest.raises(ValueInvalid):
        Schema.parse(json.dumps(NODE)).decode(data)


@pytest.mark.parametrize(
    "items",
    [
        "null",
        {"type": "fixed", "name": "Z", "size": 0},
        {"type": "record", "name": "Z", "fields": []},
        {"type": "record", "name": "Z", "fields": [{"name": "n", "type": "null"}]},
    ],
)
def test_an_array_whose_length_no_bytes_bound_is_not_carried(items):
    """Five bytes cannot become a billion items."""
    schema = of({"type": "array", "items": items})
    with pytest.raises(ValueInvalid, match="items that take no bytes"):
        schema.decode(b"\xfe\xff\xff\xff\x0f\x00")
    with pytest.raises(ValueInvalid, match="items that take no bytes"):
        schema.encode({"f": []})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the 0 bytes end before the value does"),
        (b"\x08ab", "the 3 bytes end before the value does"),
        (b"\x04ab\x00", "1 bytes trail the value"),
        (b"\x04\xff\xfe", "are no value of the schema"),
        (b"\x03", "no value of the schema|end before"),
        (b"\xff" * 12, "no value of the schema|end before"),
    ],
)
def test_bytes_that_are_no_value_are_refused(data, words):
    """Cut short, trailed by more, or not the schema's at all."""
    with pytest.raises(ValueInvalid, match=words):
        of("string").decode(data)


def test_a_view_is_decoded_as_bytes_are():
    """The payload of a framed value needs no copy."""
    schema = of("string")
    assert schema.decode(memoryview(b"xx\x04ab")[2:]) == {"f": "ab"}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_value_of_a_schema_comes_back_equal(data):
    """Encoding and decoding are inverse."""
    raw = data.draw(schemas())
    schema = Schema.parse(text_of(raw))
    value = data.draw(values_of(raw))
    assert schema.decode(schema.encode(value)) == value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_our_bytes_are_those_of_any_avro(data):
    """What is written is plain Avro binary: another reader gets the same value."""
    raw = data.draw(schemas())
    value = data.draw(values_of(raw))
    written = Schema.parse(text_of(raw)).encode(value)
    assert fastavro.schemaless_reader(io.BytesIO(written), fastavro.parse_schema(raw), None) == value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(schemas(), st.binary(max_size=80))
def test_random_bytes_are_a_value_or_refused(raw, data):
    """Nothing but ValueInvalid is ever raised."""
    schema = Schema.parse(text_of(raw))
    with contextlib.suppress(ValueInvalid):
        schema.decode(data)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_python_value_is_written_or_refused(data):
    """A value of the wrong shape raises ValueInvalid, and nothing else."""
    raw = data.draw(schemas())
    schema = Schema.parse(text_of(raw))
    names = [field["name"] for field in raw["fields"]]
    value = data.draw(st.fixed_dictionaries(dict.fromkeys(names, ANYTHING)) | ANYTHING)
    with contextlib.suppress(ValueInvalid):
        assert isinstance(schema.encode(value), bytes)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_bytes_with_one_changed_are_a_value_or_refused(data):
    """A damaged record decodes to something or is refused; it never breaks the reader."""
    raw = data.draw(schemas())
    schema = Schema.parse(text_of(raw))
    written = bytearray(schema.encode(data.draw(values_of(raw))))
    if written:
        written[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ValueInvalid):
        schema.decode(bytes(written))
