"""Names in generated code: the schema's, where Python can have them."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.avro.generate_names import MODULE_NAMES, attribute_names, class_names, member_names, quoted

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("full", "classes"),
    [
        (["uz.gov.Sex"], ["Sex"]),
        (["Sex"], ["Sex"]),
        (["a.Inner", "b.Inner", "c.Other"], ["AInner", "BInner", "Other"]),
        (["uz.UUID", "uz.Any"], ["UUID_", "Any_"]),
        (["a.None"], ["None_"]),
        (["a._Hidden"], ["x_Hidden"]),
        (["AInner", "a.Inner", "Inner"], ["AInner", "AInner_", "Inner"]),
    ],
)
def test_classes_have_the_last_part_of_their_types_name(full, classes):
    """More of it where two share that, an underscore where the module needs the name."""
    assert list(class_names(full).values()) == classes


@pytest.mark.parametrize(
    ("field", "attribute"),
    [
        ("pinfl", "pinfl"),
        ("flightNumber", "flightNumber"),
        ("class", "class_"),
        ("int", "int_"),
        ("Sex", "Sex_"),
        ("_id", "x_id"),
        ("__init__", "x__init__"),
        ("to_dict", "to_dict_"),
        ("ёш", "ёш"),
        ("ﬁ", "fi"),
    ],
)
def test_attributes_have_their_fields_name(field, attribute):
    """An underscore where that is a keyword, or would hide what an annotation names; as Python reads letters."""
    assert attribute_names([field], ["Sex"]) == {field: attribute}


def test_a_name_that_fits_is_kept_from_one_that_does_not():
    """`class` makes way for `class_`, wherever they stand."""
    assert attribute_names(["class", "class_"], []) == {"class": "class__", "class_": "class_"}


@pytest.mark.parametrize(
    ("symbol", "member"),
    [("URBAN", "URBAN"), ("title", "title_"), ("name", "name_"), ("mro", "mro_"), ("None", "None_"), ("_x_", "x_x_")],
)
def test_members_have_their_symbols_name(symbol, member):
    """An underscore where text has a method of that name."""
    assert member_names([symbol]) == {symbol: member}


@given(st.lists(NAMES, unique=True, max_size=8), st.lists(NAMES, unique=True, max_size=4))
def test_all_names_differ_and_are_names(fields, classes):
    """Whatever a schema calls its fields."""
    for made in (attribute_names(fields, classes), member_names(fields)):
        assert set(made) == set(fields)
        assert len(set(made.values())) == len(fields)
        assert all(each.isidentifier() and not keyword.iskeyword(each) for each in made.values())
    assert not set(attribute_names(fields, classes).values()) & {*MODULE_NAMES, *classes}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_text_is_the_text(text):
    """As a literal in a module, on one line."""
    literal = quoted(text)
    assert "\n" not in literal
    assert eval(literal) == text  # noqa: S307
