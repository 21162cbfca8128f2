"""A schema's fields as `exchange schema show` lists them."""

import json

import pytest

from exchange.avro import Schema
from exchange.cli.instance import Instance
from exchange.cli.schema_list import fields_in_words, owner_of
from exchange.cli.schema_registry import subject_of

ADDRESS = {
    "type": "record",
    "name": "Address",
    "fields": [{"name": "street", "type": "string", "doc": "Street.", "x-classification": "personal"}],
}


def rows(*fields):
    """The rows of a record with these fields."""
    raw = Schema.parse(json.dumps({"type": "record", "name": "R", "fields": list(fields)})).raw
    return list(fields_in_words(raw))


def test_a_field_is_told_with_all_that_is_known_of_it():
    """Type in words, default as JSON, classification and doc; a dash for what is not there."""
    [known, bare] = rows(
        {"name": "a", "type": ["null", "int"], "default": None, "doc": "How many.", "x-classification": "public"},
        {"name": "b", "type": "bytes"},
    )
    assert known == {
        "field": "a",
        "type": "whole number or null",
        "default": "null",
        "classification": "public",
        "doc": "How many.",
    }
    assert bare == {"field": "b", "type": "bytes", "default": "-", "classification": "-", "doc": "-"}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ADDRESS, "record Address"),
        (["null", ADDRESS], "record Address or null"),
        ({"type": "array", "items": ADDRESS}, "list of record Address"),
        ({"type": "map", "values": ["null", ADDRESS]}, "table of names and record Address or null"),
    ],
)
def test_fields_inside_follow_under_their_whole_name(kind, words):
    """However the inner record is wrapped."""
    outer, inner = rows({"name": "home", "type": kind})
    assert (outer["field"], outer["type"]) == ("home", words)
    assert (inner["field"], inner["classification"]) == ("home.street", "personal")


def test_a_record_that_holds_itself_ends():
    """A type that is only named is not listed again."""
    assert [each["field"] for each in rows({"name": "next", "type": ["null", "R"]})] == ["next"]


def test_what_is_no_record_has_no_fields():
    """A primitive's own type says it all."""
    assert list(fields_in_words("string")) == []


def test_a_topic_s_name_stands_for_the_subject_of_its_values():
    """Any other name is a subject as it is."""
    assert subject_of("gov.interior.civil.residence-changed.v1") == "gov.interior.civil.residence-changed.v1-value"
    assert subject_of("gov.interior.civil.residence-changed.v1-key") == "gov.interior.civil.residence-changed.v1-key"
    assert subject_of("orders") == "orders"


def test_a_subject_belongs_to_its_topic_s_owner(home):
    """Of values and keys alike; a subject of no topic belongs to nobody."""
    directory = Instance(home, environment={}).directory()
    for ending in ("-value", "-key"):
        assert owner_of(directory, f"gov.customs.tariff.code-listed.v1{ending}") == "UZ/GOV/customs/tariff"
    assert owner_of(directory, "orders-value") is None
