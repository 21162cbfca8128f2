"""The demo's Avro schemas: documented to the last field, classified, and evolving as the rules want."""

import json
from itertools import pairwise

import fastavro
import pytest
from demo_files import ROOT

from exchange.avro import Schema, check_compatibility

FILES = sorted((ROOT / "schemas").rglob("*.v*.avsc"))
RESIDENCE = ROOT / "schemas" / "interior" / "residence-changed.v1.avsc"
INCOMPATIBLE = ROOT / "deploy" / "demo" / "story" / "incompatible-residence-changed.avsc"
NAMESPACES = {
    "statistics": "uz.gov.statistics.territory",
    "customs": "uz.gov.customs.tariff",
    "transport": "uz.gov.transport.flights",
    "hydromet": "uz.gov.hydromet.observations",
    "interior": "uz.gov.interior.civil",
}


def plain(path):
    """The schema as plain JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def schema(path):
    """The schema, parsed by the exchange."""
    return Schema.parse(path.read_text(encoding="utf-8"))


def enums(path):
    """The enums that a record's fields define."""
    types = [field["type"] for field in plain(path)["fields"]]
    return [each for each in types if isinstance(each, dict) and each["type"] == "enum"]


@pytest.mark.parametrize("path", [*FILES, INCOMPATIBLE], ids=lambda path: path.name)
def test_a_schema_is_avro(path):
    """Two readers of Avro take it: ours and fastavro."""
    fastavro.parse_schema(plain(path))
    assert schema(path).field_names()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_record_is_named_after_agency_and_event(path):
    """The namespace is the agency's, the name the event's of the file."""
    record = plain(path)
    assert record["namespace"] == NAMESPACES[path.parent.name]
    assert record["name"] == path.name.partition(".")[0].title().replace("-", "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_everything_is_documented(path):
    """The record, every field and every enum says in a sentence what it is."""
    record = plain(path)
    for part in (record, *record["fields"], *enums(path)):
        assert part["doc"].endswith(".")
        assert len(part["doc"]) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_may_be_missing_defaults_to_null(path):
    """A nullable field names null first and has it as its default, so it may be added and removed."""
    for field in plain(path)["fields"]:
        if isinstance(field["type"], list):
            assert field["type"][0] == "null"
            assert field["default"] is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_enums_can_grow(path):
    """An enum has a default, so that readers survive a symbol of a later version."""
    for each in enums(path):
        assert each["default"] in each["symbols"]


def test_every_field_about_a_person_is_classified():
    """Each field of a resident's event is marked personal or an identifier."""
    for path in (RESIDENCE, RESIDENCE.with_name("residence-changed.v1.1.avsc")):
        marks = {field["name"]: field["x-classification"] for field in plain(path)["fields"]}
        assert set(marks.values()) == {"personal", "identifier"}
        assert {name for name, mark in marks.items() if mark == "identifier"} == {
            "pinfl",
            "document_number",
            "registration_number",
        }


@pytest.mark.parametrize("path", [each for each in FILES if "interior" not in each.parts], ids=lambda path: path.name)
def test_what_is_about_nobody_is_not_classified(path):
    """Territories, codes, flights and weather are not personal data."""
    assert not any("x-classification" in field for field in plain(path)["fields"])


def test_the_revision_is_compatible_both_ways():
    """Version 1.1 reads what version 1 wrote, and the other way round."""
    revised = schema(RESIDENCE.with_name("residence-changed.v1.1.avsc"))
    assert set(revised.field_names()) - set(schema(RESIDENCE).field_names()) == {"registered_until"}
    for newer, older in pairwise([revised, schema(RESIDENCE), revised]):
        assert check_compatibility(newer, [older], "FULL_TRANSITIVE") == []


def test_the_story_s_change_breaks_two_fields():
    """The incompatible schema changes one field's type and adds one without a default: the answer names both."""
    found = check_compatibility(schema(INCOMPATIBLE), [schema(RESIDENCE)], "BACKWARD")
    assert {each.type for each in found} == {"TYPE_MISMATCH", "READER_FIELD_MISSING_DEFAULT_VALUE"}
    messages = " ".join(each.message for each in found)
    assert "district_code" in messages
    assert "household_number" in messages
