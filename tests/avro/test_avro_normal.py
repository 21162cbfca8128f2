"""The form that a schema is registered in with `normalize=true`, as Confluent's registry makes it."""

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exchange.avro import Schema, check_compatibility
from exchange.errors import SchemaInvalid
from tests.avro.java_strategies import texts


def normal(schema, *referenced):
    """The normal text of plain data."""
    return Schema.parse(json.dumps(schema), [json.dumps(each) for each in referenced], False).normalized_text()


def field(default, kind):
    """A record of one field with a default."""
    return {"type": "record", "name": "R", "fields": [{"name": "a", "type": kind, "default": default}]}


COUNT = {"type": "fixed", "name": "C", "size": 12}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, '"string"'),
        ({"type": "string", "b": {"d": 1, "c": 2}, "a": [1]}, '{"type":"string","a":[1],"b":{"c":2,"d":1}}'),
        (
            {"type": "long", "x": 1, "logicalType": "timestamp-millis", "a": 1},
            '{"type":"long","logicalType":"timestamp-millis","a":1,"x":1}',
        ),
        (
            {"type": "bytes", "scale": 2, "a": 1, "precision": 9, "logicalType": "decimal"},
            '{"type":"bytes","logicalType":"decimal","precision":9,"scale":2,"a":1}',
        ),
        (
            {"type": "bytes", "scale": 20, "precision": 9, "logicalType": "decimal"},
            '{"type":"bytes","logicalType":"decimal","precision":9,"scale":20}',
        ),
        (
            {"type": "string", "logicalType": "uuid", "a": 1},
            '{"type":"string","logicalType":"uuid","a":1}',
        ),
        (
            {**COUNT, "logicalType": "duration", "doc": ""},
            '{"type":"fixed","name":"C","size":12,"logicalType":"duration"}',
        ),
        ({"type": "int", "logicalType": "uuid", "a": 1}, '{"type":"int","a":1,"logicalType":"uuid"}'),
        ({"type": "array", "z": 1, "a": 2, "items": {"type": "map", "values": "int"}}, None),
        (
            {"type": "error", "name": "R", "namespace": "a", "doc": "D.", "aliases": ["Z", "b.A", ".B"], "fields": []},
            '{"type":"record","name":"R","namespace":"a","doc":"D.","fields":[],"aliases":["B","Z","b.A"]}',
        ),
        (
            {"type": "enum", "name": "E", "default": "A", "symbols": ["B", "A"], "doc": "", "aliases": []},
            '{"type":"enum","name":"E","symbols":["B","A"],"default":"A"}',
        ),
        ({"type": "enum", "name": "E", "default": 5, "symbols": []}, '{"type":"enum","name":"E","symbols":[]}'),
        (["null", COUNT, {"type": "array", "items": "C"}], None),
    ],
)
def test_a_schema_has_one_normal_form(schema, text):
    """Attributes and aliases sorted, empty docs gone, logical types first; without a text the same as before."""
    before = Schema.parse(json.dumps(schema))
    assert normal(schema) == (text or normal(json.loads(before.java_text())))


@pytest.mark.parametrize(
    ("default", "kind", "normalized"),
    [
        (5, "int", 5),
        (5, "double", 5.0),
        (0.1, "float", 0.1),
        (0.123456789, "float", 0.12345679),
        (1e300, "float", 1e300),
        (5, ["null", "int"], ...),
        (None, ["null", "int"], None),
        ("x", "int", ...),
        ("\u00ff", "bytes", "\u00ff"),
        (True, "boolean", True),
        ({"b": 1, "a": 2}, {"type": "map", "values": "double"}, {"a": 2.0, "b": 1.0}),
        ([1, 2], {"type": "array", "items": "double"}, [1.0, 2.0]),
        ([1], ["null", {"type": "array", "items": "int"}], [1]),
        ([{"b": 1, "a": 2}], "int", [{"a": 2, "b": 1}]),
        ({"x": 1, "q": {"b": 1, "a": 2}}, {**field(0, "double"), "name": "S"}, {"q": {"a": 2, "b": 1}, "x": 1}),
        ({"a": 1}, {**field(0, "double"), "name": "S"}, {"a": 1.0}),
        ([1], [], [1]),
    ],
)
def test_a_default_is_written_by_its_type(default, kind, normalized):
    """By the first branch of a union, as Java has it: a default of another branch is dropped."""
    [made] = json.loads(normal(field(default, kind)))["fields"]
    assert made.get("default", ...) == normalized
    assert type(made.get("default", ...)) is type(normalized)


def test_what_a_schema_refers_to_stays_a_name():
    """And is written out once where it was only inside what is referred to."""
    outer = {"type": "record", "name": "x.P", "fields": [{"name": "c", "type": COUNT}]}
    user = {"type": "record", "name": "x.R", "fields": [{"name": n, "type": t} for n, t in (("p", "P"), ("c", "C"))]}
    assert normal(user, outer) == (
        '{"type":"record","name":"R","namespace":"x","fields":[{"name":"p","type":"P"},'
        '{"name":"c","type":{"type":"fixed","name":"C","size":12}}]}'
    )


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
@given(texts(), st.randoms(use_true_random=False))
def test_the_normal_form_is_one_and_the_same(text, random):
    """However attributes are ordered; it is its own normal form, and reads and is read as before."""
    try:
        schema = Schema.parse(text, (), False)
    except SchemaInvalid:
        assume(False)

    def shuffled(value):
        if isinstance(value, dict):
            items = list(value.items())
            random.shuffle(items)
            return {key: shuffled(each) for key, each in items}
        return [shuffled(each) for each in value] if isinstance(value, list) else value

    made = schema.normalized_text()
    assert Schema.parse(json.dumps(shuffled(json.loads(text))), (), False).normalized_text() == made
    again = Schema.parse(made, (), False)
    if b'[".' not in schema.canonical and b',".' not in schema.canonical:  # Java takes the dot of such an alias away
        assert again.normalized_text() == made
    if b"aliases" not in schema.canonical:  # by which one field could be two
        assert check_compatibility(again, [schema], "FULL") == []
