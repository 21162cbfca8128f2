"""Rows become events: field by field, with keys and times; what does not fit says where, never what."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.avro import Schema
from exchange.connect.config import FieldMapping, Publication
from exchange.connect.fields import TargetField, fields_of
from exchange.connect.mapping import RowMapper, TableMapping
from exchange.errors import AdapterError, ValueInvalid
from exchange.ids import Identifier

PEPPER = b"p" * 32


def mapper(kind: str = "string", *, nullable: bool = False, **mapping):
    """The mapping of one column C to one field f."""
    fields = {"f": TargetField("f", kind, nullable)}
    return RowMapper({"f": FieldMapping(**{"column": "C", **mapping})}, fields, PEPPER)


def publication(**parts):
    """A publication of two fields."""
    return Publication.model_validate(
        {
            "name": "p",
            "topic": "gov.a.b.c.v1",
            "schema": "x.avsc",
            "table": "T",
            "cursor": "N",
            "fields": {"f": {"column": "A"}, "g": {"column": "B"}},
            **parts,
        }
    )


def table(**parts):
    """The mapping of that publication; columns A, B, then others."""
    fields = {"f": TargetField("f", "string", nullable=True), "g": TargetField("g", "long", nullable=True)}
    return TableMapping(publication(**parts), fields, PEPPER)


def test_a_column_becomes_a_field():
    """Values of the field's own type pass as they are."""
    assert mapper()(("a",)) == {"f": "a"}
    assert mapper("long")((7,)) == {"f": 7}


def test_null_is_null_where_the_field_allows_it():
    """A nullable field takes NULL, a required one refuses it."""
    assert mapper(nullable=True)((None,)) == {"f": None}
    with pytest.raises(ValueInvalid, match="column C, field f: NULL, and the field cannot be null"):
        mapper()((None,))


@pytest.mark.parametrize("value", ["", "NA", -999, -999.0, "-999", Decimal(-999)])
def test_null_if_takes_numbers_as_numbers_and_as_text(value):
    """Each way a system has written `no reading` becomes null."""
    assert mapper("double", nullable=True, null_if=["", "NA", -999])((value,)) == {"f": None}


def test_null_if_on_a_required_field_refuses_the_row():
    """What means NULL is NULL."""
    with pytest.raises(ValueInvalid, match="cannot be null"):
        mapper(null_if=["-"])(("-",))


@pytest.mark.parametrize(("value", "symbol"), [("1", "urban"), (1, "urban"), ("2", "rural"), (None, None)])
def test_codes_are_compared_as_text(value, symbol):
    """A code is the same code as a number and as text."""
    codes = mapper("enum", nullable=True, codes={"1": "urban", "2": "rural"})
    assert codes((value,)) == {"f": symbol}


def test_an_unknown_code_refuses_the_row_without_showing_it():
    """The message names column and field."""
    with pytest.raises(ValueInvalid, match="column C, field f: the code is not one of") as refusal:
        mapper("enum", codes={"1": "urban"})(("SECRET",))
    assert "SECRET" not in str(refusal.value)


def test_a_code_may_stand_for_any_value():
    """Codes lead to booleans and numbers as well as to text."""
    assert mapper("boolean", codes={"H": True, "Y": False})(("Y",)) == {"f": False}


def test_a_legacy_charset_is_decoded():
    """Bytes of CP1251 become text; text stays; NULL stays."""
    decoded = mapper(nullable=True, charset="cp1251")
    assert decoded(("Ташкент".encode("cp1251"),)) == {"f": "Ташкент"}
    assert decoded(("Ташкент",)) == {"f": "Ташкент"}
    assert decoded((None,)) == {"f": None}


def test_a_charset_goes_before_null_if_and_codes():
    """What is compared is the text, not its bytes."""
    assert mapper("enum", nullable=True, charset="cp1251", codes={"Ж": "F"})(("Ж".encode("cp1251"),)) == {"f": "F"}
    assert mapper(nullable=True, charset="cp1251", null_if=["нет"])(("нет".encode("cp1251"),)) == {"f": None}


def test_bytes_that_are_no_text_of_the_charset_refuse_the_row():
    """The message names the charset."""
    with pytest.raises(ValueInvalid, match="the bytes are not utf-8 text"):
        mapper(charset="utf-8")((b"\xff",))


def test_a_constant_is_the_same_in_every_row():
    """It needs no column, and null is a constant too."""
    fields = {name: TargetField(name, "string", nullable=True) for name in ("f", "g", "h")}
    mappings = {"f": FieldMapping(column="C"), "g": FieldMapping(value="UZ"), "h": FieldMapping(value=None)}
    constant = RowMapper(mappings, fields, PEPPER)
    assert constant.columns == ("C",)
    assert constant(("a",)) == {"f": "a", "g": "UZ", "h": None}


def test_one_column_may_become_two_fields():
    """It is read once."""
    fields = {name: TargetField(name, "string") for name in ("f", "g")}
    both = RowMapper({name: FieldMapping(column="C") for name in fields}, fields, PEPPER)
    assert both.columns == ("C",)
    assert both(("a",)) == {"f": "a", "g": "a"}


def test_a_columns_charset_holds_wherever_the_column_is_read():
    """In the key, in the pseudonym, in another field of the same column."""
    fields = {"f": {"column": "A", "charset": "cp1251"}, "g": {"column": "A"}}
    targets = {name: TargetField(name, "string") for name in fields}
    raw = "Ёлка".encode("cp1251")
    one = TableMapping(publication(fields=fields, key={"columns": ["A"]}), targets, PEPPER)
    assert one((raw, 1)) == ({"f": "Ёлка", "g": "Ёлка"}, "Ёлка", None, None)
    two = TableMapping(publication(fields=fields, key={"columns": ["A", "N"]}), targets, PEPPER)
    assert two((raw, 1)).key == "Ёлка/1"
    person = {"pseudonym": {"scheme": "uz-pinfl", "column": "A"}}
    third = TableMapping(publication(fields={**fields, "g": person}, key=person), targets, PEPPER)
    assert third((b"31507850010019", 1)).key == Identifier("uz-pinfl", "31507850010019").pseudonym(PEPPER)
    assert third((b"31507850010019", 1)).data["g"] == third((b"31507850010019", 1)).key


def test_a_pseudonym_takes_the_identifiers_place():
    """The field holds the pseudonym of spec 1, and nothing of the number."""
    fields = {"f": TargetField("f", "string")}
    mapping = {"f": FieldMapping.model_validate({"pseudonym": {"scheme": "uz-pinfl", "column": "P"}})}
    expected = Identifier("uz-pinfl", "31507850010019").pseudonym(PEPPER)
    assert RowMapper(mapping, fields, PEPPER)((31507850010019,)) == {"f": expected}


def test_an_identifier_that_is_none_is_refused_without_showing_it():
    """An empty number has no pseudonym."""
    fields = {"f": TargetField("f", "string")}
    mapping = {"f": FieldMapping.model_validate({"pseudonym": {"scheme": "uz-pinfl", "column": "P"}})}
    with pytest.raises(ValueInvalid, match="column P, field f"):
        RowMapper(mapping, fields, PEPPER)(("",))


@given(value=st.text(min_size=3).filter(lambda text: not text.strip().lstrip("+-").replace("_", "").isdigit()))
def test_a_refusal_never_shows_the_value(value):
    """Whatever a column holds, the message is the same."""
    with pytest.raises(ValueInvalid) as refusal:
        mapper("long")((value,))
    assert str(refusal.value) == "column C, field f: str does not fit"


@pytest.mark.parametrize("kind", ["long", "double", "boolean", "bytes", "decimal"])
def test_values_of_strange_types_refuse_the_row_only(kind):
    """Not even a value that cannot be hashed stops the adapter."""
    with pytest.raises(ValueInvalid):
        mapper(kind, nullable=True, null_if=["x"])(([1],))


def test_the_first_column_that_does_not_fit_is_named():
    """Of several the first in the file's order."""
    fields = {"f": TargetField("f", "long"), "g": TargetField("g", "long")}
    two = RowMapper({"f": FieldMapping(column="A"), "g": FieldMapping(column="B")}, fields, PEPPER)
    with pytest.raises(ValueInvalid, match="column B, field g"):
        two((1, "x"))
    with pytest.raises(ValueInvalid, match="column A, field f"):
        two(("x", "x"))


def test_a_lookup_field_of_a_date_is_iso_text():
    """Format and zone make ISO 8601 of what plain JSON has no type for."""
    assert mapper("json", format="%d.%m.%Y")(("22.11.2026",)) == {"f": "2026-11-22"}
    assert mapper("json", format="%d.%m.%Y %H:%M", zone="Asia/Tashkent")(("22.11.2026 10:00",)) == {
        "f": "2026-11-22T05:00:00Z"
    }
    assert mapper("json", format="%d.%m.%Y %H:%M")(("22.11.2026 10:00",)) == {"f": "2026-11-22T10:00:00"}


@pytest.mark.parametrize(
    ("kind", "mapping", "words"),
    [
        ("array", {}, "of type array"),
        ("record", {}, "of type record"),
        ("timestamp-millis", {"format": "%Y-%m-%d %H:%M"}, "has no %z, so give a zone"),
        ("date", {"format": "%H:%M"}, "names none"),
        ("long", {"format": "%Y"}, "format and zone are for dates and times"),
    ],
)
def test_a_mapping_that_could_never_fit_is_refused_before_any_row(kind, mapping, words):
    """It is the file that is wrong, not the rows."""
    with pytest.raises(AdapterError, match=words):
        mapper(kind, **mapping)


def test_a_field_that_the_schema_does_not_have_is_refused():
    """The message lists those it has."""
    with pytest.raises(AdapterError, match="field 'g' is not in the schema, which has f"):
        RowMapper({"g": FieldMapping(column="C")}, {"f": TargetField("f", "string")}, PEPPER)


def test_a_key_of_one_column_is_its_text():
    """Numbers and text alike; slashes are nobody else's business."""
    key = table(key={"columns": ["A"]})
    assert key(("a/b", 1, 1)).key == "a/b"
    assert key((7, 1, 1)).key == "7"


def test_a_key_of_several_columns_is_joined():
    """In the order of the file, with a slash."""
    assert table(key={"columns": ["B", "A"]})(("a", 1, 1)).key == "1/a"


@given(
    one=st.tuples(st.text(alphabet="a/%2F"), st.text(alphabet="a/%2F")),
    two=st.tuples(st.text(alphabet="a/%2F"), st.text(alphabet="a/%2F")),
)
def test_different_rows_have_different_keys(one, two):
    """A slash inside a value cannot make two entities one."""
    fields = {"f": TargetField("f", "string"), "g": TargetField("g", "string")}
    keys = TableMapping(publication(key={"columns": ["A", "B"]}), fields, PEPPER)
    assert (keys((*one, 1)).key == keys((*two, 1)).key) == (one == two)


def test_a_row_without_a_key_is_refused():
    """NULL is no key, alone or as a part."""
    for columns in (["A"], ["A", "B"]):
        with pytest.raises(ValueInvalid, match="column A, the key"):
            table(key={"columns": columns})((None, 1, 1))
    assert table(key={"columns": ["A", "B"]}).key_of((None, 1, 1)) is None


def test_without_a_key_events_have_none():
    """Null keys go round robin."""
    assert table()(("a", 1, 1)).key is None


def test_events_about_persons_have_the_pseudonym_as_key_and_subject():
    """The number itself is in neither."""
    event = table(key={"pseudonym": {"scheme": "uz-pinfl", "column": "A"}})(("31507850010019", 1, 1))
    assert event.key == event.subject == Identifier("uz-pinfl", "31507850010019").pseudonym(PEPPER)
    assert table(key={"columns": ["A"]})(("a", 1, 1)).subject is None


def test_the_events_time_comes_from_its_column():
    """In UTC; without a column there is none."""
    mapping = table(time={"column": "T", "format": "%d.%m.%Y %H:%M", "zone": "Asia/Tashkent"})
    assert mapping.columns == ("A", "B", "N", "T")
    assert mapping(("a", 1, 9, "22.11.2026 10:00")).time == datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert table()(("a", 1, 9)).time is None
    with pytest.raises(ValueInvalid, match="column T, the event's time"):
        mapping(("a", 1, 9, "yesterday"))


def test_the_cursor_is_read_though_no_field_needs_it():
    """It is among the columns, once."""
    mapping = table()
    assert mapping.columns == ("A", "B", "N")
    assert mapping.cursor_place == 2
    assert table(cursor="B").columns == ("A", "B")


SCHEMA = Schema.parse(
    """{"type": "record", "name": "R", "namespace": "a.b", "fields": [
      {"name": "text", "type": "string"},
      {"name": "maybe", "type": ["null", "int"], "default": null},
      {"name": "on", "type": {"type": "int", "logicalType": "date"}},
      {"name": "money", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
      {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
      {"name": "again", "type": ["null", "Kind"], "default": null},
      {"name": "either", "type": ["null", "int", "string"], "default": null},
      {"name": "list", "type": {"type": "array", "items": "string"}, "default": []}]}"""
)


def test_a_schemas_fields_are_known_by_their_kind():
    """Logical types by their name, named types by what they are, unions by their other branch."""
    fields = fields_of(SCHEMA)
    assert {name: each.kind for name, each in fields.items()} == {
        "text": "string",
        "maybe": "int",
        "on": "date",
        "money": "decimal",
        "kind": "enum",
        "again": "enum",
        "either": "union",
        "list": "array",
    }
    assert fields["maybe"].nullable
    assert fields["maybe"].has_default
    assert not fields["text"].has_default
    assert fields["again"].symbols == {"A", "B"}


def test_a_schema_that_is_no_record_cannot_take_rows():
    """It is refused."""
    with pytest.raises(AdapterError, match="not a record"):
        fields_of(Schema.parse('"string"'))


@given(
    rows=st.lists(
        st.tuples(
            st.text(),
            st.none() | st.integers(-(2**31), 2**31 - 1),
            st.dates(date(1, 1, 1)),
            st.decimals(-(10**9), 10**9, places=2),
            st.sampled_from("12"),
        )
    )
)
def test_whatever_is_mapped_is_encoded_and_read_back(rows):
    """Mapping and schema agree: no row that maps is refused by the codec, or changed by it."""
    mappings = {
        "text": FieldMapping(column="A"),
        "maybe": FieldMapping(column="B"),
        "on": FieldMapping(column="C", format="%Y-%m-%d"),
        "money": FieldMapping(column="D"),
        "kind": FieldMapping(column="E", codes={"1": "A", "2": "B"}),
    }
    mapped = RowMapper(mappings, fields_of(SCHEMA), PEPPER)
    for text, maybe, on, money, kind in rows:
        data = mapped((text, maybe, on.isoformat(), str(money), kind))
        read = SCHEMA.decode(SCHEMA.encode({**data, "either": None, "again": None, "list": []}))
        assert (read["text"], read["maybe"], read["on"]) == (text, maybe, on)
        assert read["money"] == money
        assert read["kind"] == {"1": "A", "2": "B"}[kind]
