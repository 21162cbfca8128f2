"""Schemas that use the types of others, types that are used before they are written out, and types written twice."""

import json

import pytest

from exchange.avro import Schema, check_compatibility
from exchange.errors import SchemaInvalid


def record(name, *fields, **more):
    """A record of (name, type) pairs, as JSON."""
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields], **more}


def parse(schema, *referenced, **more):
    """The schema of plain data."""
    return Schema.parse(json.dumps(schema), [json.dumps(each) for each in referenced], **more)


COLOUR = {"type": "enum", "name": "art.Colour", "symbols": ["RED", "BLUE"]}
POINT = record("geo.Point", ("x", "int"), ("y", "int"))
LINE = record("geo.Line", ("from", "Point"), ("to", "geo.Point"))
DRAWING = record("art.Drawing", ("lines", {"type": "array", "items": "geo.Line"}), ("colour", "Colour"))


def test_a_referenced_type_is_written_out_where_it_is_first_used():
    """And named afterwards; what is not used is not there."""
    line = parse(LINE, POINT, COLOUR)
    assert line.raw == record("geo.Line", ("from", POINT), ("to", "geo.Point"))
    assert line.text == json.dumps(LINE)
    assert line == parse(record("geo.Line", ("from", POINT), ("to", "geo.Point")))


def test_references_may_use_those_before_them():
    """Dependencies come first, and a value of all three is written and read."""
    drawing = parse(DRAWING, POINT, LINE, COLOUR)
    value = {"lines": [{"from": {"x": 1, "y": 2}, "to": {"x": 3, "y": 4}}], "colour": "BLUE"}
    assert drawing.decode(drawing.encode(value)) == value
    assert drawing.referenced == ("geo.Point", "geo.Line", "art.Colour")


def test_a_referenced_type_is_compared_with_what_it_was():
    """A change inside a referenced type breaks those who use it."""
    other = record("geo.Point", ("x", "int"), ("y", "string"))
    found = check_compatibility(parse(LINE, POINT), [parse(LINE, other)], "BACKWARD")
    assert {each.path for each in found} == {"/fields/0/type/fields/1/type"}


def test_a_reference_alone_can_be_the_schema():
    """A name and nothing else."""
    assert parse("geo.Point", POINT).raw == POINT
    assert parse(["null", "geo.Point"], POINT).raw == ["null", POINT]


@pytest.mark.parametrize("kind", ["string", ["null", COLOUR], {"type": "map", "values": COLOUR}])
def test_a_reference_need_not_be_of_a_named_type(kind):
    """What is named inside it is known all the same."""
    assert parse(record("R", ("a", kind), ("b", "int")), kind).raw == record("R", ("a", kind), ("b", "int"))


def test_an_unknown_type_is_refused_by_name_and_place():
    """Without its reference a schema is no schema."""
    with pytest.raises(SchemaInvalid, match=r'at /fields/0/type: type "geo.Point" is not defined'):
        parse(LINE)
    with pytest.raises(SchemaInvalid, match=r'a referenced schema: .*"geo.Point" is not defined'):
        parse(DRAWING, LINE, POINT, COLOUR)


def test_a_referenced_type_may_be_written_again_if_it_is_the_same():
    """As Java has it: docs and aliases do not count, all else does."""
    again = {**POINT, "doc": "Somewhere.", "aliases": ["Place"]}
    assert parse(record("R", ("p", again), ("q", "geo.Point")), POINT).raw["fields"][1]["type"] == "geo.Point"
    for other in (
        {**POINT, "unit": "m"},
        record("geo.Point", ("x", "int"), ("y", "long")),
        record("geo.Point", ("x", "int")),
        {"type": "fixed", "name": "geo.Point", "size": 1},
    ):
        with pytest.raises(SchemaInvalid, match=r"'geo.Point' is defined more than once, and not alike"):
            parse(record("R", ("p", other)), POINT)


def test_the_same_type_may_be_written_twice_in_one_schema():
    """The second time it is its name."""
    kinds = {"type": "array", "items": ["null", {"type": "map", "values": COLOUR}]}
    twice = record(
        "R", ("a", COLOUR), ("b", COLOUR), ("c", record("S", ("k", kinds))), ("d", record("S", ("k", kinds)))
    )
    assert [field["type"] for field in parse(twice).raw["fields"]][1::2] == ["art.Colour", "S"]


def test_a_type_may_be_used_before_it_is_written_out():
    """It is written out where it is first used, and a record may come before what it holds."""
    early = parse([LINE, POINT])
    assert early.raw == [record("geo.Line", ("from", POINT), ("to", "geo.Point")), "geo.Point"]
    assert parse([record("a.A", ("b", ["null", "B"])), record("a.B", ("a", "A"))]).raw == [
        record("a.A", ("b", ["null", record("a.B", ("a", "a.A"))])),
        "a.B",
    ]


def test_a_type_without_a_namespace_can_be_used_inside_one():
    """Written out there, it says that it has none; taken out again, it does not."""
    bare = {"type": "fixed", "name": "F", "size": 2}
    inside = record("a.R", ("f", "F"))
    assert parse(inside, bare).raw == record("a.R", ("f", {**bare, "namespace": ""}))
    assert parse(record("S", ("f", "F"), ("r", "a.R")), bare, inside).raw == record("S", ("f", bare), ("r", inside))
    again = parse(inside, bare)
    assert Schema.parse(again.canonical.decode()) == again


def test_references_do_not_nest_deeper_than_types_may():
    """Each is fine by itself; written out they are too deep."""
    chain = ["int"]
    for number in range(60):
        inner = {"type": "array", "items": {"type": "array", "items": chain[-1]}}
        chain.append(record(f"R{number}", ("f", inner))["name"])
    texts = [json.dumps(record(f"R{i}", ("f", {"type": "array", "items": chain[i]}))) for i in range(60)]
    assert Schema.parse('"R40"', texts).raw["name"] == "R40"
    with pytest.raises(SchemaInvalid, match="nested more than 100 deep"):
        Schema.parse('"R59"', texts)


def test_defaults_may_be_left_unchecked():
    """As a registry keeps what others took: such a default is as good as none."""
    field = {"name": "a", "type": {"type": "array", "items": "int"}, "default": "nothing"}
    other = {"name": "b", "type": ["null", {"type": "map", "values": "int"}], "default": {"x": 1}}
    wrong = {"type": "record", "name": "R", "fields": [field, other]}
    with pytest.raises(SchemaInvalid, match="default of field 'a'"):
        parse(wrong)
    kept = parse(wrong, validate_defaults=False)
    assert kept.raw == wrong
    assert kept.decode(kept.encode({"a": [1]})) == {"a": [1], "b": {"x": 1}}


def test_the_defaults_of_references_are_theirs():
    """They were checked where they were registered."""
    point = {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int", "default": "far"}]}
    assert parse(record("R", ("p", "P")), point).decode(b"\x02") == {"p": {"x": 1}}
