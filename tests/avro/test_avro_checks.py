"""The generated check: what it says is what the closures say, for any value there is."""

import datetime as dt
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.avro import Schema, checks
from exchange.errors import ValueInvalid
from tests.avro.avro_strategies import schemas, values_of


class Text(str):
    """A str of another class."""


class Whole(int):
    """An int of another class."""


class Moment(dt.datetime):
    """A datetime of another class."""


class Object(dict):
    """A dict of another class, which makes up what it does not have."""

    def __missing__(self, key):
        """Nothing is missing."""
        return 0


class Zoneless(dt.tzinfo):
    """A zone that does not say how far from UTC it is."""

    def utcoffset(self, moment):
        """Unknown."""


EDGES = [0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**400]
NUMBERS = [float("nan"), float("inf"), -float("inf"), 3.5e38, -3.5e38, 3.4028234663852886e38, 1e308, 0.5]
LEAVES = (
    st.none()
    | st.booleans()
    | st.sampled_from(EDGES)
    | st.sampled_from(EDGES).map(Whole)
    | st.sampled_from(NUMBERS)
    | st.text(max_size=3)
    | st.text(max_size=3).map(Text)
    | st.binary(max_size=9)
    | st.binary(max_size=3).map(bytearray)
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=5)), Zoneless()]))
    | st.datetimes().map(lambda moment: Moment(*moment.timetuple()[:6], tzinfo=dt.UTC))
    | st.uuids()
    | st.decimals()
)
KEYS = st.text(max_size=3) | st.integers() | st.text(max_size=3).map(Text)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3).map(Object)
    ),
    max_leaves=6,
)


def disturbed(data, schema):
    """A value of a record, in which some of this and that has been changed."""
    value = data.draw(values_of(schema))
    for field in data.draw(st.lists(st.sampled_from(schema["fields"]), max_size=3)):
        name, kind = field["name"], field["type"]
        change = data.draw(st.sampled_from(["replace", "remove", "rename", "add", "inside"]))
        if change == "replace":
            value[name] = data.draw(LEAVES | ANYTHING)
        elif change == "add":
            value[data.draw(KEYS)] = data.draw(LEAVES)
        elif change == "inside" and isinstance(kind, dict) and kind["type"] == "record":
            value[name] = disturbed(data, kind)
        elif change in ("remove", "rename") and name in value:
            kept = value.pop(name)
            value |= {Text(name) if data.draw(st.booleans()) else "other": kept} if change == "rename" else {}
    return data.draw(st.sampled_from([value, value, value, Object(value)]))


def with_defaults(data, schema):
    """A record some of whose nullable fields have a default."""
    fields = [
        field | ({"default": None} if isinstance(field["type"], list) and data.draw(st.booleans()) else {})
        for field in schema["fields"]
    ]
    return schema | {"fields": fields}


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=250)
@given(st.data())
def test_the_generated_check_says_what_the_closures_say(data):
    """Whatever the value: of another class, with keys missing or too many, or no record at all."""
    raw = Schema.parse(json.dumps(with_defaults(data, data.draw(schemas())))).raw
    by_source = checks.compile_check(raw)
    by_closures = checks.compile_check(raw, generate=False)
    value = data.draw(ANYTHING) if data.draw(st.integers(0, 9)) == 0 else disturbed(data, raw)
    assert by_source(value) is by_closures(value)


LEAF_TYPES = [
    *("null", "boolean", "int", "long", "float", "double", "bytes", "string"),
    {"type": "enum", "name": "E", "symbols": ["", "a"]},
    {"type": "fixed", "name": "F", "size": 2},
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "of-our-own"},
    {"type": "string", "logicalType": "uuid"},
]


def both_checks(kind):
    """The generated check and the closures of a record of one field."""
    raw = {"type": "record", "name": "R", "fields": [{"name": "f", "type": kind}]}
    return checks.compile_check(raw), checks.compile_check(raw, generate=False)


SHAPES = [*LEAF_TYPES, *(["null", leaf] for leaf in LEAF_TYPES[1:]), *([leaf, "null"] for leaf in LEAF_TYPES[1:])]
FIELDS = [both_checks(kind) for kind in SHAPES]


@given(values=st.lists(LEAVES, min_size=20, max_size=20))
def test_a_field_fits_as_its_closure_says(values):
    """Each type by itself, null or not, against each value."""
    for found, expected in FIELDS:
        assert [found({"f": value}) for value in values] == [expected({"f": value}) for value in values]


def test_a_wrong_value_deep_inside_costs_no_more_than_a_right_one():
    """A value nested sixty deep that is wrong at its end is refused: each level is looked at once."""
    fields = [{"name": "next", "type": ["null", "Node"]}, {"name": "code", "type": "int"}]
    schema = Schema.parse(json.dumps({"type": "record", "name": "Node", "fields": fields}))
    value = {"next": None, "code": "one"}
    for _ in range(60):
        value = {"next": value, "code": 1}
    with pytest.raises(ValueInvalid, match="expected int, got text"):
        schema.encode(value)


@pytest.mark.parametrize("width", [0, 1000, 1001])
def test_a_record_of_any_number_of_fields_is_carried(width):
    """None, as many as source is generated for, and one more."""
    fields = [{"name": f"f{i}", "type": ["null", "string"]} for i in range(width)]
    schema = Schema.parse(json.dumps({"type": "record", "name": "Wide", "fields": fields}))
    value = {f"f{i}": str(i) for i in range(width)}
    assert schema.decode(schema.encode(value)) == value


@pytest.mark.parametrize("name", ["value", "check", "type", "x0", "fits0", "None", "import", "__class__"])
def test_a_field_may_have_any_name_that_a_program_has(name):
    """Names of fields are literals in generated source, and nothing but that."""
    schema = Schema.parse(json.dumps({"type": "record", "name": "R", "fields": [{"name": name, "type": "int"}]}))
    assert schema.decode(schema.encode({name: 5})) == {name: 5}
    with pytest.raises(ValueInvalid, match=f"/{name}: expected int, got text"):
        schema.encode({name: "5"})
