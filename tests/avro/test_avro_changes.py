"""What changed between two versions, in words, and whom it breaks."""

import copy
import json

import pytest
from avro_strategies import schemas
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.avro import Schema, changes, check_compatibility, listed, type_in_words, value_in_words
from exchange.errors import SchemaInvalid

DATE = {"type": "int", "logicalType": "date"}
KIND = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
NEW = "readers of the new schema cannot read old events"
OLD = "present subscribers cannot read new events"


def field(name, kind="string", **more):
    """A field."""
    return {"name": name, "type": kind, **more}


def record(*fields, name="R", **more):
    """A record."""
    return {"type": "record", "name": name, "fields": [*fields], **more}


def parsed(raw):
    """The schema of plain JSON."""
    return Schema.parse(json.dumps(raw))


def said(old, new):
    """The changes as lines."""
    return [str(each) for each in changes(parsed(old), parsed(new))]


def decimal(scale, precision=10):
    """A decimal of bytes."""
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def between(before, after):
    """What is said where the one field's type changes."""
    return said(record(field("x", before)), record(field("x", after)))


def test_the_same_schema_has_no_changes():
    """However it is laid out, and whatever order its attributes have."""
    assert said(record(field("x")), {"fields": [field("x", {"type": "string"})], "name": "R", "type": "record"}) == []


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (
            [],
            [field("phone", ["null", "string"], default=None)],
            ["field phone was added; it may be left out: readers of old events see null"],
        ),
        ([], [field("phone")], [f"field phone was added, and has no default for events that lack it: {NEW}"]),
        ([field("a")], [], [f"field a was removed, and the earlier schema has no default for it: {OLD}"]),
        ([field("a", default="-")], [], ['field a was removed; readers with the earlier schema see "-"']),
        (
            [field("a")],
            [field("b", aliases=["a"])],
            [f"field a was renamed to b, and keeps its old name as an alias: {OLD}"],
        ),
        (
            [field("a", default="")],
            [field("b", default="", aliases=["a"])],
            ["field a was renamed to b, and keeps its old name as an alias"],
        ),
        ([field("a", doc="Old.")], [field("a", doc="New.")], ["the description of field a was changed"]),
        (
            [field("a", default="x")],
            [field("a")],
            ['what stands for a missing field a changed from "x" to nothing'],
        ),
        (
            [field("a")],
            [field("a", **{"x-classification": "personal"})],
            ["the classification of field a changed from not classified to personal"],
        ),
    ],
)
def test_fields_come_and_go(old, new, lines):
    """Each change of a record's fields is a sentence, and says whom it breaks."""
    assert said(record(*old), record(*new)) == lines


def test_a_field_that_is_there_is_not_renamed_by_another_s_alias():
    """An alias counts only where the new version has no field of that name."""
    lines = said(record(field("a")), record(field("a"), field("b", aliases=["a"], default="")))
    assert lines == ['field b was added; it may be left out: readers of old events see ""']


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("int", "string", f"field x changed from whole number to text: {NEW}; {OLD}"),
        ("int", "long", f"field x changed from whole number to large whole number: {OLD}"),
        ("double", "float", f"field x changed from number to number of low precision: {NEW}"),
        (DATE, "string", f"field x changed from day to text: {NEW}; {OLD}"),
        ("string", "bytes", "field x changed from text to bytes"),
        ("string", ["null", "string"], f"field x may now be null: {OLD}"),
        (["null", "string"], "string", f"field x can no longer be null: {NEW}"),
        (["null", "string"], ["null", "int"], None),
        (["null", "string"], ["null", "string", "boolean"], f"field x may now also be true or false: {OLD}"),
        (["null", "string", DATE], ["null", "string"], f"field x can no longer be day: {NEW}"),
        (["null", "int", "string"], ["null", "long", "string"], None),
        (KIND, {**KIND, "symbols": ["A", "B", "C"]}, f"field x may now be C: {OLD}"),
        ({**KIND, "default": "A"}, {**KIND, "symbols": ["A", "B", "C"], "default": "A"}, "field x may now be C"),
        (KIND, {**KIND, "symbols": ["A"]}, f"field x can no longer be B: {NEW}"),
        (KIND, {**KIND, "symbols": ["A"], "default": "A"}, "field x can no longer be B"),
        (KIND, {**KIND, "name": "K2", "aliases": ["Kind"]}, None),
        (
            {"type": "fixed", "name": "F", "size": 4},
            {"type": "fixed", "name": "F", "size": 8},
            f"field x changed from 4 bytes to 8 bytes: {NEW}; {OLD}",
        ),
        (
            {"type": "array", "items": "int"},
            {"type": "array", "items": "string"},
            f"each item of x changed from whole number to text: {NEW}; {OLD}",
        ),
        (
            {"type": "map", "values": "int"},
            {"type": "map", "values": ["null", "int"]},
            f"each value of x may now be null: {OLD}",
        ),
        (
            {"type": "array", "items": "int"},
            {"type": "map", "values": "int"},
            f"field x changed from list of whole number to table of names and whole number: {NEW}; {OLD}",
        ),
    ],
)
def test_types_change_in_words(before, after, line):
    """Each change of a type is told without Avro's words; the checker's verdict says whom it breaks."""
    lines = between(before, after)
    assert lines == [line] if line else len(lines) >= 1


def test_places_inside_are_told_in_words():
    """A field in a record in a list of a nullable record is found by its path."""

    def person(street):
        address = record(street, name="Address")
        return record(field("homes", ["null", {"type": "array", "items": address}], default=None))

    [line] = said(person(field("street")), person(field("street", "int")))
    assert line == f"field street of each item of homes changed from text to whole number: {NEW}; {OLD}"
    [change] = changes(parsed(person(field("street"))), parsed(person(field("street", "int"))))
    assert change.field == "homes"
    assert change.place.new == "/fields/0/type/1/items/fields/0/type"


def test_a_record_that_holds_itself_is_walked_once():
    """A list of itself ends, and what changed is told once."""
    old = record(field("name"), field("next", ["null", "R"], default=None))
    new = record(field("name", "bytes"), field("next", ["null", "R"], default=None))
    assert said(old, new) == ["field name changed from text to bytes"]


def test_a_type_used_twice_is_told_once():
    """What changed in a named type is told where it is used first; the use of a primitive for it is told apart."""
    old = record(field("a", KIND), field("b", "Kind"), field("c", "Kind"))
    new = record(field("a", {**KIND, "symbols": ["A"]}), field("b", "Kind"), field("c", "string"))
    assert said(old, new) == [
        f"field a can no longer be B: {NEW}",
        f"field c changed from one of A, B to text: {NEW}; {OLD}",
    ]


def test_a_renamed_type_is_told():
    """With an alias the new schema reads on, those who read with the old one do not."""
    old = record(field("x", record(name="Address")))
    renamed = record(field("x", record(name="Home")))
    [line] = said(old, renamed)
    assert line.startswith("the type of field x was renamed from Address to Home")
    alias = record(field("x", record(name="Home", aliases=["Address"])))
    breaks = {each.kind: each.breaks for each in changes(parsed(old), parsed(alias))}
    assert breaks["type_renamed"] <= {"old"}


def test_types_read_as_people_say_them():
    """Every type has words; the long ones are cut."""
    raw = parsed(
        record(
            field("a", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
            field("b", {"type": "string", "logicalType": "uuid"}),
            field("c", {"type": "string", "logicalType": "unheard-of"}),
            field("d", ["null", "int", "string"]),
            field("e", []),
            field("f", record(name="uz.Address")),
            field("g", "uz.Address"),
            field("h", {"type": "enum", "name": "Many", "symbols": [f"S{i}" for i in range(10)]}),
        )
    ).raw
    assert [type_in_words(each["type"]) for each in raw["fields"]] == [
        "decimal number (9 digits, 2 of them after the point)",
        "UUID",
        "text",
        "whole number or text or null",
        "nothing",
        "record Address",
        "record Address",
        "one of S0, S1, S2, S3, S4, S5, S6, S7 and 2 more",
    ]
    assert listed(["a", "b"]) == "a, b"
    assert len(value_in_words("x" * 1000)) == 60


@st.composite
def pairs(draw):
    """A schema and what somebody made of it: some fields dropped, changed, made optional, added or renamed."""
    old = draw(schemas())
    new = copy.deepcopy(old)
    for each in list(new["fields"]):
        what = draw(st.sampled_from(["keep", "keep", "drop", "text", "optional", "default", "rename"]))
        if what == "drop":
            new["fields"].remove(each)
        elif what == "text":
            each["type"] = "string"
        elif what == "optional" and not isinstance(each["type"], list):
            each |= {"type": ["null", each["type"]], "default": None}
        elif what == "rename":
            each |= {"name": f"{each['name']}_2", "aliases": [each["name"]]}
    if draw(st.booleans()):
        new["fields"].append(field("added_9", "int", **({"default": 0} if draw(st.booleans()) else {})))
    return old, new


@settings(max_examples=150, deadline=None)
@given(pairs())
def test_the_changes_agree_with_the_verdict(pair):
    """Where the checker refuses, some change says so in that direction; where it does not, none does."""
    try:
        old, new = (parsed(each) for each in pair)
    except SchemaInvalid:  # a dropped field took a type with it that another one names
        return
    found = changes(old, new)
    for reads, level in (("new", "BACKWARD"), ("old", "FORWARD")):
        broken = bool(check_compatibility(new, [old], level))
        assert any(reads in each.breaks for each in found) == broken


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (decimal(2), decimal(4)),
        (decimal(0), decimal(2)),
        ({"type": "long", "logicalType": "timestamp-millis"}, {"type": "long", "logicalType": "timestamp-micros"}),
        ({"type": "long", "logicalType": "time-micros"}, {"type": "long", "logicalType": "timestamp-micros"}),
    ],
)
def test_what_is_read_as_another_value_is_said(old, new):
    """Avro reads it, and takes 12.34 for 0.1234 or a second for a millisecond: nothing breaks, everything is wrong."""
    [change] = changes(parsed(record(field("f", old))), parsed(record(field("f", new))))
    assert (change.kind, change.breaks) == ("misread", frozenset())
    assert str(change).endswith("readers take old values for others")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (decimal(2, precision=4), decimal(2)),
        ("long", {"type": "long", "logicalType": "timestamp-millis"}),
        ({"type": "int", "logicalType": "date"}, "int"),
    ],
)
def test_what_is_only_said_otherwise_is_no_misreading(old, new):
    """More digits, or a logical type where there was none: the values stay what they are."""
    [change] = changes(parsed(record(field("f", old))), parsed(record(field("f", new))))
    assert change.kind == "type_changed"
