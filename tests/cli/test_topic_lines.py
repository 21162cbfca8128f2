"""Lines of JSON as events of a topic."""

from __future__ import annotations

import json

import pytest

from exchange.avro import Schema
from exchange.cli.topic_lines import KeyRule, Line, Lines
from exchange.ids import Identifier

SCHEMA = Schema.parse(
    json.dumps(
        {
            "type": "record",
            "name": "Moved",
            "fields": [{"name": "pinfl", "type": "string"}, {"name": "n", "type": "int", "default": 0}],
        }
    )
)
PEPPER = bytes(32)


def read(*lines, field=None, scheme=None, personal=False, rows=False):
    """What becomes of lines."""
    return Lines(SCHEMA, KeyRule(field, scheme, PEPPER, personal), rows=rows).read(lines)


def test_each_line_is_an_event_and_an_empty_one_is_none():
    """Lines keep their numbers."""
    good, bad = read('{"pinfl": "1"}', "", '{"pinfl": "2", "n": 5}')
    assert good == [Line(1, None, None, {"pinfl": "1"}), Line(3, None, None, {"pinfl": "2", "n": 5})]
    assert bad == []


def test_bad_lines_are_told_with_their_numbers_and_not_cited():
    """Each with its reason; the good ones are there, too."""
    good, bad = read('{"pinfl": "1"}', '{"pinfl": 30101}', "{", '{"pinfl": "1", "n": 99999999999}', "[]")
    assert [each.number for each in good] == [1]
    assert [each.number for each in bad] == [2, 3, 4, 5]
    assert bad[0].reason == "/pinfl: expected text, got a number"
    assert not any("30101" in each.reason for each in bad)


def test_a_field_is_the_key():
    """As it is: text or a whole number."""
    good, _ = read('{"pinfl": "a"}', field="pinfl")
    assert good[0].key == "a"
    good, _ = read('{"pinfl": "a", "n": 7}', field="n")
    assert good[0].key == "7"
    _, bad = read('{"pinfl": ""}', '{"pinfl": "a"}', field="pinfl")
    assert [each.reason for each in bad] == ["/pinfl: is the key, and has to be text or a whole number"]
    _, bad = read('{"pinfl": "a"}', field="n")
    assert [each.number for each in bad] == [1]


def test_a_key_about_a_person_is_a_pseudonym_and_the_subject_too():
    """The identifier itself is nowhere but in the data."""
    good, _ = read('{"pinfl": "30101900010011"}', field="pinfl", scheme="uz-pinfl", personal=True)
    pseudonym = Identifier("uz-pinfl", "30101900010011").pseudonym(PEPPER)
    assert (good[0].key, good[0].subject) == (pseudonym, pseudonym)


def test_rows_have_their_own_keys_and_may_be_tombstones():
    """As `topic tail -o json` prints them: whatever else a row has is left out."""
    good, bad = read(
        '{"key": "a", "data": {"pinfl": "1"}, "offset": 7}', '{"key": "a", "data": null}', '{"data": {"pinfl": "2"}}',
        '{"data": null}', '{"key": 5, "data": null}', '{"key": "a"}', "[]", '{"key": "a", "data": {}}', rows=True
    )  # fmt: skip
    assert good == [
        Line(1, "a", None, {"pinfl": "1"}),
        Line(2, "a", None, None),
        Line(3, None, None, {"pinfl": "2"}),
    ]
    assert [each.reason.split(":")[0] for each in bad] == [
        "a tombstone needs a key", "/key", 'expected an object with "key" and "data"',
        'expected an object with "key" and "data"', "/pinfl",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["\u2028", '{"pinfl": "\u2028"}'])
def test_a_separator_inside_a_line_does_not_break_it(text):
    """Lines end where the caller says."""
    good, bad = read(text)
    assert len(good) + len(bad) <= 1
