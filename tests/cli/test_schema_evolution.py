"""What `schema evolve` promises of any change, held against generated ones."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.avro import Schema, check_compatibility
from exchange.cli.schema_evolve import evolved
from exchange.cli.schema_steps import Needs
from exchange.cli.schema_text import SchemaText

NAMES = ["a", "b", "c", "d"]
PLAIN = ["int", "long", "float", "double", "string", "bytes", "boolean"]


def _enum(symbols):
    return {"type": "enum", "name": f"K{len(symbols)}", "symbols": sorted(symbols)}


ENUMS = st.sets(st.sampled_from(["A", "B", "C"]), min_size=1).map(_enum)
LISTS = st.sampled_from(PLAIN).map(lambda each: {"type": "array", "items": each})
UNIONS = st.lists(st.sampled_from(["null", *PLAIN]), min_size=1, max_size=3, unique=True)
TYPES = st.one_of(st.sampled_from(PLAIN), ENUMS, LISTS, UNIONS)


@st.composite
def records(draw):
    """A record of some of four fields, each type once in it."""
    fields, seen = [], set()
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        kind = draw(TYPES)
        if isinstance(kind, dict) and "name" in kind:
            if kind["name"] in seen:
                continue
            seen.add(kind["name"])
        fields.append({"name": name, "type": kind})
        if isinstance(kind, list) and kind[0] == "null" and draw(st.booleans()):
            fields[-1]["default"] = None
    return {"type": "record", "name": "R", "fields": fields}


def text_of(raw, indent):
    """A record's text as one person or another would write it."""
    return json.dumps(raw, indent=indent, ensure_ascii=indent is None)


@settings(max_examples=200, deadline=None)
@given(records(), records(), st.sampled_from(["BACKWARD", "FORWARD", "FULL", "NONE"]), st.sampled_from([None, 2, "\t"]))
def test_what_is_complete_is_compatible(old, new, level, indent):
    """Whatever changed: where nothing is left to decide, the level takes the result; else it had reason to ask."""
    before = Schema.parse(text_of(old, indent))
    found = evolved(before, text_of(new, indent), Needs(level, lambda field: ()))
    reasons = check_compatibility(Schema.parse(found.text), [before], level)
    assert found.is_complete == (not reasons)
    if not found.done:
        assert found.text == text_of(new, indent)


@settings(max_examples=100, deadline=None)
@given(records(), records())
def test_a_field_that_somebody_reads_is_never_lost(old, new):
    """Every field of the earlier version that is read is there in the end, or a person is asked about it."""
    before = Schema.parse(text_of(old, 2))
    found = evolved(before, text_of(new, 2), Needs("BACKWARD", lambda field: ("UZ/GOV/social/benefits",)))
    kept = Schema.parse(found.text).field_names()
    for name in before.field_names():
        assert name in kept or any(f"keep field {name}:" in each for each in found.open)


@pytest.mark.parametrize(
    ("pointer", "source"),
    [
        ("", '{"a": [1, {"b": "x\\"}]"}], "type": -1.5e3, "n": {}, "e": []}'),
        ("/a/1/b", '"x\\"}]"'),
        ("/type", "-1.5e3"),
        ("/e", "[]"),
        ("/a/7", None),
        ("/a/x", None),
        ("/none/at/all", None),
    ],
)
def test_a_value_is_found_where_it_is_written(pointer, source):
    """Pointers lead to the text of a value, whatever quotes and brackets are inside; or to nothing."""
    text = SchemaText('{"a": [1, {"b": "x\\"}]"}], "type": -1.5e3, "n": {}, "e": []}')
    node = text.at(pointer)
    assert (text.source(node) if node else None) == source


def test_a_member_that_is_there_is_replaced():
    """Setting a member twice leaves one."""
    text = SchemaText('{"name": "a"}')
    once = text.with_member(text.at(""), "default", "1")
    assert once.with_member(once.at(""), "default", "2").text == '{"name": "a", "default": 2}'
