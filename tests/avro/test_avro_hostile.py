"""Schemas and pairs of schemas that nobody meant well by."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exchange.avro import LEVELS, Schema, check_compatibility
from exchange.errors import SchemaInvalid, ValueInvalid
from tests.avro.avro_strategies import schemas, text_of

WORDS = st.sampled_from(
    ["record", "enum", "fixed", "array", "map", "error", "string", "int", "bytes", "null", "R", "a.R", "", "a.", "1"]
)
TYPE_KEYS = ["type", "name", "namespace", "fields", "items", "values", "symbols", "size", "aliases"]
OTHER_KEYS = ["default", "order", "doc", "logicalType", "precision", "scale"]
KEYS = st.sampled_from([*TYPE_KEYS, *OTHER_KEYS])
JSON = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(JSON)
@example({"type": "record", "name": "R", "fields": [{"name": "a", "type": "R", "default": {"a": {}}}]})
@example({"type": "array", "items": {"type": "array", "items": []}})
@example({"type": "fixed", "name": "F", "size": 2, "logicalType": "decimal", "precision": 40})
@example({"type": "bytes", "logicalType": "decimal"})
@example({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 5})
@example({"type": "bytes", "logicalType": "decimal", "precision": "2"})
@example({"type": "string", "logicalType": ["uuid"]})
@example({"type": "int", "name": 5, "fields": 7, "items": {}, "symbols": None})
@example({"type": "map", "values": {"type": "null"}, "items": "nope"})
def test_any_json_is_a_schema_or_refused(value):
    """Nothing but SchemaInvalid is raised; a schema that is read can be written and compared."""
    with contextlib.suppress(SchemaInvalid):
        schema = Schema.parse(json.dumps(value))
        assert Schema.parse(schema.canonical.decode()) == schema
        assert check_compatibility(schema, [schema], "FULL_TRANSITIVE") == []
        with contextlib.suppress(ValueInvalid):
            schema.decode(b"\x02\x04ab\x00\x00")
        with contextlib.suppress(ValueInvalid):
            schema.encode({"a": 1})


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_schema_or_refused(text):
    """Text as it may come from anywhere."""
    with contextlib.suppress(SchemaInvalid):
        Schema.parse(text)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(schemas(), schemas(), st.sampled_from(LEVELS))
def test_any_two_schemas_can_be_compared(one, other, level):
    """The answer is a list of reasons, whatever the pair."""
    found = check_compatibility(Schema.parse(text_of(one)), [Schema.parse(text_of(other))], level)
    assert all(each.message and each.path.startswith("/") for each in found)


def wide(count, kind="string"):
    """A record of many fields."""
    fields = [{"name": f"f{number}", "type": kind} for number in range(count)]
    return Schema.parse(json.dumps({"type": "record", "name": "uz.R", "fields": fields}))


def enum(count):
    """An enum of many symbols."""
    return Schema.parse(json.dumps({"type": "enum", "name": "E", "symbols": [f"S{number}" for number in range(count)]}))


@pytest.mark.parametrize(
    ("new", "old", "found"),
    [
        (wide(20_000), wide(19_500), 500),
        (wide(20_000), wide(1), 1_000),
        (wide(20_000, "int"), wide(20_000), 1_000),
        (wide(20_000, ["null", "int"]), wide(20_000, "int"), 0),
        (enum(1), enum(50_000), 1),
        (enum(50_000), enum(50_000), 0),
    ],
)
def test_wide_schemas_are_compared(new, old, found):
    """The work grows with the schema, not with its square: each of these would take minutes."""
    assert len(check_compatibility(new, [old], "BACKWARD")) == found


def test_a_default_of_many_symbols_is_checked():
    """Two long lists against each other."""
    symbols = [f"S{number}" for number in range(30_000)]
    kind = {"type": "array", "items": {"type": "enum", "name": "E", "symbols": symbols}}
    fields = [{"name": "f", "type": kind, "default": symbols[::-1]}]
    text = json.dumps({"type": "record", "name": "R", "fields": fields})
    assert Schema.parse(text).field_names() == ("f",)


def test_a_union_of_many_types_is_read():
    """Names are compared once each."""
    branches = [{"type": "fixed", "name": f"F{number}", "size": 1} for number in range(5_000)]
    assert len(Schema.parse(json.dumps(branches)).raw) == 5_000
    with pytest.raises(SchemaInvalid, match="a union holds int more than once"):
        Schema.parse(json.dumps([*branches, "int", "int"]))


@pytest.mark.parametrize("depth", [2, 30, 90])
def test_a_deep_change_is_named_by_its_whole_path(depth):
    """However deep, the field is found and the path leads there."""

    def nested(kind):
        for number in range(depth):
            kind = {"type": "record", "name": f"R{number}", "fields": [{"name": "in", "type": kind}]}
        return Schema.parse(json.dumps(kind))

    [found] = check_compatibility(nested("int"), [nested("string")], "BACKWARD")
    assert found.path == "/" + "/".join(["fields/0/type"] * depth)
    assert f"field '{'.'.join(['in'] * depth)}' changed from string to int" in found.message


def test_mutually_recursive_types_are_compared():
    """Two types that hold each other end the walk where it began."""

    def pair(kind):
        person = {"type": "record", "name": "Person", "fields": [{"name": "home", "type": ["null", "Home"]}]}
        home = {
            "type": "record",
            "name": "Home",
            "fields": [{"name": "people", "type": {"type": "array", "items": person}}, {"name": "n", "type": kind}],
        }
        return Schema.parse(json.dumps(home))

    assert check_compatibility(pair("long"), [pair("int")], "BACKWARD") == []
    [found] = check_compatibility(pair("int"), [pair("long")], "BACKWARD")
    assert found.path == "/fields/1/type"
