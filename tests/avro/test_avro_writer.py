"""The generated encoder: its bytes are fastavro's, and what it leaves to fastavro is written all the same."""

import datetime as dt
import io
import json
import zoneinfo

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.avro import Schema
from exchange.errors import ValueInvalid
from tests.avro.avro_strategies import NAMES, VALUES
from tests.avro.test_avro_checks import LEAVES, Moment, Object, Text, Whole, Zoneless

ZONES = [dt.UTC, dt.timezone(dt.timedelta(hours=14)), dt.timezone(-dt.timedelta(hours=3, microseconds=1))]
AWARE = st.datetimes(timezones=st.sampled_from([*ZONES, zoneinfo.ZoneInfo("Asia/Tashkent")]))
SYMBOLS = [f"S{i}" for i in range(70)]
PLAIN = {
    "null": ("null", st.none()),
    "boolean": ("boolean", st.booleans()),
    "int": ("int", VALUES["int"] | st.integers(-70, 70)),
    "long": ("long", VALUES["long"] | st.integers(0, 62).flatmap(lambda bits: st.integers(-(2**bits), 2**bits))),
    "float": ("float", st.floats(width=32) | st.integers(-5, 5)),
    "double": ("double", st.floats() | st.integers(-5, 5)),
    "bytes": ("bytes", st.binary(max_size=200) | st.binary(max_size=3).map(bytearray)),
    "string": ("string", st.text(max_size=200) | st.text().map(Text)),
    "enum": ({"type": "enum", "symbols": SYMBOLS}, st.sampled_from(SYMBOLS)),
    "fixed": ({"type": "fixed", "size": 5}, st.binary(min_size=5, max_size=5)),
    "empty": ({"type": "fixed", "size": 0}, st.just(b"")),
    "date": ({"type": "int", "logicalType": "date"}, st.dates() | st.integers(-700_000, 2_900_000)),
    "millis": ({"type": "long", "logicalType": "timestamp-millis"}, AWARE | st.integers(-(10**13), 10**14)),
    "micros": ({"type": "long", "logicalType": "timestamp-micros"}, AWARE),
    "ours": ({"type": "long", "logicalType": "of-our-own"}, VALUES["long"]),
    "uuid": ({"type": "string", "logicalType": "uuid"}, st.uuids()),
    "array": ({"type": "array", "items": "int"}, st.lists(st.integers(-9, 9), max_size=2)),
}
SIMPLE = [name for name in PLAIN if name not in ("ours", "uuid", "array")]


@st.composite
def plain_records(draw, kinds):
    """A record of plain fields, some nullable on either side, some with a default; and a value for each field."""
    fields, values = [], {}
    for i, name in enumerate(draw(st.lists(NAMES, max_size=8, unique=True))):
        leaf, value = PLAIN[draw(st.sampled_from(kinds))]
        leaf = leaf | {"name": f"T{i}"} if isinstance(leaf, dict) and leaf["type"] in ("enum", "fixed") else leaf
        shape = draw(st.sampled_from([[leaf, "null"], ["null", leaf], leaf, leaf] if leaf != "null" else [leaf]))
        has_default = isinstance(shape, list) and shape[0] == "null" and draw(st.booleans())
        fields.append({"name": name, "type": shape} | ({"default": None} if has_default else {}))
        if not has_default or draw(st.booleans()):
            values[name] = draw(st.none() | value if isinstance(shape, list) else value)
    return {"type": "record", "name": draw(st.sampled_from(["a.R", "R"])), "fields": fields}, values


def by_fastavro(raw, value):
    """The bytes that fastavro alone writes."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(raw), value)
    return buffer.getvalue()


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(st.data(), st.sampled_from([SIMPLE, SIMPLE, list(PLAIN)]))
def test_the_bytes_are_those_of_fastavro(data, kinds):
    """To the byte, whatever the plain types, their order, their nulls and their values."""
    raw, value = data.draw(plain_records(kinds))
    assert Schema.parse(json.dumps(raw)).encode(value) == by_fastavro(raw, value)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(st.data())
def test_a_field_that_does_not_fit_is_refused_as_ever(data):
    """One wrong value is refused by name, or is what fastavro would write."""
    raw, value = data.draw(plain_records(SIMPLE).filter(lambda drawn: drawn[1]))
    name = data.draw(st.sampled_from(sorted(value)))
    value[name] = data.draw(LEAVES)
    written = written_or_refused(Schema.parse(json.dumps(raw)), value)
    if isinstance(written, bytes):
        assert written == by_fastavro(raw, value)
    else:
        assert f"/{name}" in written or "cannot be written" in written


def written_or_refused(schema, value):
    """The bytes, or why there are none."""
    try:
        return schema.encode(value)
    except ValueInvalid as refused:
        return refused.message


def record(kind):
    """A schema of one field, `f`."""
    return {"type": "record", "name": "R", "fields": [{"name": "f", "type": kind}]}


EDGES = sorted({sign * 2**bits + more for bits in range(63) for more in (-1, 0, 1) for sign in (1, -1)})


def test_numbers_are_written_as_fastavro_does_wherever_a_byte_is_added():
    """Around each power of two, below and above zero."""
    raw = record("long")
    schema = Schema.parse(json.dumps(raw))
    numbers = [*EDGES, 2**63 - 1, -(2**63)]
    assert [schema.encode({"f": n}) for n in numbers] == [by_fastavro(raw, {"f": n}) for n in numbers]


@pytest.mark.parametrize("length", [0, 1, 63, 64, 127, 8191, 8192, 20_000])
@pytest.mark.parametrize(("kind", "letter"), [("string", "a"), ("string", "ʻ"), ("bytes", b"a")])
def test_texts_of_any_length_are_written(length, kind, letter):
    """Short ones, and those that are longer than the lengths we keep at hand."""
    schema, value = Schema.parse(json.dumps(record(kind))), {"f": letter * length}
    assert schema.encode(value) == by_fastavro(record(kind), value)
    assert schema.decode(schema.encode(value)) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", Text("x")),
        ("long", Whole(5)),
        (PLAIN["millis"][0], Moment(2026, 11, 22, tzinfo=dt.UTC)),
        (PLAIN["date"][0], 20_000),
        ("bytes", bytearray(b"x")),
        ("double", 5),
    ],
)
@pytest.mark.parametrize("kind_of_dict", [dict, Object])
def test_values_of_other_classes_are_written_the_same(kind, value, kind_of_dict):
    """What only fits is not refused because it is of no exact type."""
    whole = kind_of_dict(f=value)
    assert Schema.parse(json.dumps(record(kind))).encode(whole) == by_fastavro(record(kind), {"f": value})


@pytest.mark.parametrize("moment", [dt.datetime(2026, 11, 22, tzinfo=Zoneless()), dt.datetime(2026, 11, 22, 10, 0)])  # noqa: DTZ001
def test_a_time_that_is_at_no_known_instant_is_refused(moment):
    """Neither without a zone nor in one that does not say what it is."""
    with pytest.raises(ValueInvalid):
        Schema.parse(json.dumps(record(PLAIN["millis"][0]))).encode({"f": moment})


def test_an_enum_named_again_is_written_as_where_it_was_defined():
    """A later field of the same enum takes the same places, nullable or not."""
    kind = {"type": "enum", "name": "x.Kind", "symbols": ["A", "B"]}
    fields = [{"name": name, "type": each} for name, each in (("a", kind), ("b", "x.Kind"), ("c", ["x.Kind", "null"]))]
    raw, value = {"type": "record", "name": "R", "fields": fields}, {"a": "A", "b": "B", "c": "B"}
    assert Schema.parse(json.dumps(raw)).encode(value) == by_fastavro(raw, value) == b"\0\2\0\2"


@pytest.mark.parametrize("kind", ["string", "int", ["null", "int"]])
def test_a_schema_that_is_no_record_is_written_by_fastavro(kind):
    """A single value has no fields to generate source for."""
    value = "5" if kind == "string" else 5
    assert Schema.parse(json.dumps(kind)).encode(value) == by_fastavro(kind, value)
