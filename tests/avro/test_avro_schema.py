"""Reading a schema: what is accepted, what is refused and in which words, and what it resolves to."""

import json
import math

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from exchange.avro import RegisteredSchema, Schema
from exchange.errors import SchemaInvalid
from tests.avro.avro_strategies import schemas, text_of


def parse(value):
    """The schema of plain data."""
    return Schema.parse(json.dumps(value))


def record(*fields, name="R", **more):
    """A record schema of (name, type) pairs or whole field objects."""
    made = [field if isinstance(field, dict) else {"name": field[0], "type": field[1]} for field in fields]
    return {"type": "record", "name": name, "fields": made, **more}


ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}


@pytest.mark.parametrize(
    ("schema", "place", "reason"),
    [
        ("strin", "/", 'type "strin" is not defined'),
        (None, "/", "a type is a name, an object or an array of types, not null"),
        (5, "/", "not 5"),
        ({}, "/", '"type" must be a name'),
        ({"type": {"type": "string"}}, "/", '"type" must be a name'),
        ({"type": "array"}, "/", '"items" is missing'),
        ({"type": "map"}, "/", '"values" is missing'),
        ({"type": "array", "items": "nope"}, "/items", '"nope" is not defined'),
        ({"type": "map", "values": ["int", "nope"]}, "/values/1", '"nope" is not defined'),
        (["int", "int"], "/", "a union holds int more than once"),
        (["int", ["null"]], "/", "a union holds no union directly"),
        ([ENUM, "null", "E"], "/", "a union holds E more than once"),
        ([{"type": "array", "items": "int"}, {"type": "array", "items": "long"}], "/", "array more than once"),
        ({"type": "record", "name": "R"}, "/", '"fields" is missing'),
        ({"type": "record", "name": "R", "fields": {}}, "/", '"fields" must be an array'),
        ({"type": "record", "fields": []}, "/", '"name" is missing'),
        ({"type": "record", "name": 5, "fields": []}, "/", '"name" must be text'),
        ({"type": "record", "name": "R", "namespace": "1", "fields": []}, "/", '"1" is no name of a type'),
        ({"type": "record", "name": "R", "namespace": ".a", "fields": []}, "/", '"" is no name of a type'),
        ({"type": "record", "name": "1R", "fields": []}, "/", '"1R" is no name of a type'),
        ({"type": "record", "name": "a..R", "fields": []}, "/", '"" is no name of a type'),
        ({"type": "record", "name": "a-b", "fields": []}, "/", '"a-b" is no name'),
        ({"type": "record", "name": "string", "fields": []}, "/", "'string' is the name of a primitive type"),
        ({"type": "record", "name": "R", "fields": [5]}, "/fields/0", "a field is an object"),
        ({"type": "record", "name": "R", "fields": [{"type": "int"}]}, "/fields/0", '"name" is missing'),
        ({"type": "record", "name": "R", "fields": [{"name": "a"}]}, "/fields/0", '"type" is missing'),
        (record(("a b", "int")), "/fields/0", '"a b" is no field name'),
        (record(("a", "int"), ("a", "int")), "/fields/1", "field 'a' is there more than once"),
        (record({"name": "a", "type": "int", "order": "up"}), "/fields/0", "must be one of ascending"),
        (record({"name": "a", "type": "int", "aliases": "b"}), "/fields/0", '"aliases" must be an array'),
        (record(aliases=["b c"]), "/", '"b c" is no alias'),
        (record(aliases=[5]), "/", '"aliases" must be an array of names'),
        (record(("a", record(name="R"))), "/", "type 'R' is defined more than once, and not alike"),
        (record(("a", ["null", "Later"])), "/fields/0/type/1", 'type "Later" is not defined'),
        ({"type": "enum", "name": "E"}, "/", '"symbols" is missing'),
        ({"type": "enum", "name": "E", "symbols": "AB"}, "/", '"symbols" must be an array'),
        ({"type": "enum", "name": "E", "symbols": ["A-B"]}, "/", '"A-B" is no enum symbol'),
        ({"type": "enum", "name": "E", "symbols": [1]}, "/", "1 is no enum symbol"),
        ({"type": "enum", "name": "E", "symbols": ["A", "A"]}, "/", 'symbol "A" is there more than once'),
        ({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}, "/", 'the default "B" is not one of'),
        ({"type": "fixed", "name": "F"}, "/", '"size" is missing'),
        ({"type": "fixed", "name": "F", "size": -1}, "/", '"size" must be a whole number'),
        ({"type": "fixed", "name": "F", "size": True}, "/", '"size" must be a whole number'),
        ({"type": "fixed", "name": "F", "size": "4"}, "/", '"size" must be a whole number'),
        ({"type": "fixed", "name": "F", "size": 2**31 - 8}, "/", '"size" must be a whole number'),
        (record({"name": "a", "type": "float", "default": "much"}), "/fields/0", '"much" is no number'),
    ],
)
def test_a_wrong_schema_is_refused_with_its_place_and_reason(schema, place, reason):
    """The message gives the path into the schema and what is wrong there."""
    with pytest.raises(SchemaInvalid) as refused:
        parse(schema)
    assert reason in refused.value.message
    assert f"at {place}: " in refused.value.message


@pytest.mark.parametrize("text", ["", "{", "string", '{"type": "string"', "NaN", "[1e999]", '"\\ud800"', '"\ud800"'])
def test_what_is_no_json_is_refused(text):
    """Text that is no JSON is no schema."""
    with pytest.raises(SchemaInvalid, match="not JSON"):
        Schema.parse(text)


@pytest.mark.parametrize("levels", [101, 400, 1_000, 100_000])
def test_a_schema_nested_too_deep_is_refused(levels):
    """Depth is bounded, whatever the reader's stack."""
    with pytest.raises(SchemaInvalid, match="nested more than 100 deep"):
        Schema.parse('{"type":"array","items":' * levels + '"int"' + "}" * levels)


def test_a_hundred_levels_are_read():
    """The bound itself is fine."""
    text = '{"type":"array","items":' * 100 + '"int"' + "}" * 100
    assert Schema.parse(text).text == text


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_an_attribute_nested_too_deep_is_refused(levels):
    """Depth is bounded in attributes that mean nothing to us, too."""
    with pytest.raises(SchemaInvalid, match="nested"):
        Schema.parse('{"type":"int","x":' + "[" * levels + "]" * levels + "}")


def test_a_number_past_every_double_is_refused():
    """A number that no reader of JSON could keep cannot be named by content."""
    with pytest.raises(SchemaInvalid, match="number"):
        Schema.parse('{"type":"int","x":' + "9" * 400 + "}")


DEFAULTS = [
    ("null", None, 0),
    ("boolean", True, 1),
    ("int", -5, 2**31),
    ("int", 0, 1.5),
    ("int", 7, True),
    ("long", 2**63 - 1, 2**63),
    ("float", 1.5, True),
    ("float", "1.5", [1.5]),
    ("double", "-Infinity", {}),
    ("double", 1, None),
    ("double", 0.5, False),
    ("string", "s", 5),
    ("bytes", "\u00ff", "\u0100"),
    ({"type": "fixed", "name": "F", "size": 2}, "\u0000\u00ff", "abc"),
    (ENUM, "A", "C"),
    ({"type": "array", "items": "int"}, [1, 2], [1, "2"]),
    ({"type": "array", "items": "int"}, [], {}),
    ({"type": "map", "values": "int"}, {"a": 1}, {"a": "1"}),
    ({"type": "map", "values": "int"}, {}, []),
    (["null", "int"], None, "x"),
    (["null", "int"], 5, [5]),
    (record(("a", "int"), name="S"), {"a": 1}, {}),
    (record(("a", "int"), name="S"), {"a": 1}, {"a": "1"}),
    (record({"name": "a", "type": "int", "default": 3}, name="S"), {}, []),
]


@pytest.mark.parametrize(("kind", "good", "_"), DEFAULTS)
def test_a_default_of_its_type_is_accepted(kind, good, _):
    """Defaults are written in JSON as the Avro specification says."""
    schema = parse(record({"name": "f", "type": kind, "default": good}))
    assert schema.decode(schema.encode({})).keys() == {"f"}


@pytest.mark.parametrize(("kind", "_", "bad"), DEFAULTS)
def test_a_default_of_another_type_is_refused(kind, _, bad):
    """A default that no reader could use is refused when the schema is read, by the field's name."""
    with pytest.raises(SchemaInvalid, match="default of field 'f' is invalid"):
        parse(record({"name": "f", "type": kind, "default": bad}))


def test_a_long_default_is_shortened_in_the_message():
    """A message stays readable however long the default is."""
    with pytest.raises(SchemaInvalid) as refused:
        parse(record({"name": "f", "type": "int", "default": "x" * 5000}))
    assert len(refused.value.message) < 300


def test_a_default_may_be_of_the_record_that_holds_it():
    """Defaults are checked once every type is known."""
    tree = record({"name": "next", "type": ["null", "R"], "default": {"next": None}})
    assert parse(tree).decode(parse(tree).encode({"next": None})) == {"next": None}
    with pytest.raises(SchemaInvalid, match="fits no branch"):
        parse(record({"name": "next", "type": ["null", "R"], "default": {"next": 5}}))


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "x": 1}, {"type": "string", "x": 1}),
        ({"type": "long", "logicalType": "timestamp-millis"}, {"type": "long", "logicalType": "timestamp-millis"}),
        (record(namespace="a.b"), record(name="a.b.R")),
        (record(name="x.R", namespace="a.b"), record(name="x.R")),
        (record(namespace=None), record()),
        (record(namespace="a", aliases=["Q", "z.Q"]), record(name="a.R", aliases=["a.Q", "z.Q"])),
        (
            record(("e", ENUM), ("f", "E"), namespace="a"),
            record(("e", ENUM | {"name": "a.E"}), ("f", "a.E"), name="a.R"),
        ),
        (record(("e", ENUM), ("f", {"type": "E"})), record(("e", ENUM), ("f", "E"))),
        (record(("r", ["null", "R"]), namespace="a"), record(("r", ["null", "a.R"]), name="a.R")),
        (
            record(("e", ENUM | {"namespace": ""}), ("f", "E"), namespace="a"),
            record(("e", ENUM | {"namespace": ""}), ("f", "E"), name="a.R"),
        ),
        (record(doc="Doc.", owner={"b": 1, "a": 2}), record(doc="Doc.", owner={"b": 1, "a": 2})),
        ({"type": "error", "name": "X", "fields": []}, {"type": "error", "name": "X", "fields": []}),
    ],
)
def test_names_are_resolved_and_all_else_is_kept(written, resolved):
    """The resolved schema has full names, types where they are first used, and every attribute as written."""
    assert parse(written).raw == resolved


def test_the_text_is_kept_as_it_came():
    """Whitespace and the order of keys stay in `text`."""
    text = ' {"type" : "string"}\n'
    assert Schema.parse(text).text == text


@given(schemas(), st.randoms(use_true_random=False))
def test_the_order_of_keys_and_whitespace_do_not_matter(schema, random):
    """Two ways of writing one schema are one schema."""

    def shuffled(value):
        if isinstance(value, dict):
            items = list(value.items())
            random.shuffle(items)
            return {key: shuffled(each) for key, each in items}
        return [shuffled(each) for each in value] if isinstance(value, list) else value

    one, other = Schema.parse(text_of(schema)), Schema.parse(json.dumps(shuffled(schema), indent=3))
    assert one == other
    assert hash(one) == hash(other)
    assert one.uri == other.uri


@given(schemas())
def test_the_canonical_form_is_a_schema_of_the_same_canonical_form(schema):
    """Reading a canonical form changes nothing more."""
    parsed = Schema.parse(text_of(schema))
    assert Schema.parse(parsed.canonical.decode()).canonical == parsed.canonical


@pytest.mark.parametrize(
    "other",
    [
        record(("a", "long")),
        record(("a", "int"), doc="Doc."),
        record(("a", "int"), name="S"),
        record(("a", "int"), namespace="x"),
        record({"name": "a", "type": "int", "default": 0}),
        record(("a", "int"), ("b", "int")),
    ],
)
def test_another_schema_has_another_name(other):
    """Whatever differs in content, docs included, gives another `ce_dataschema`."""
    assert parse(record(("a", "int"))).uri != parse(other).uri
    assert parse(record(("a", "int"))) != parse(other)


def test_a_schema_is_only_equal_to_a_schema():
    """A schema is not its text."""
    assert parse("int") != '"int"'


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
@example("since v1.5")
@example({"\ue000": 1, "\U00010000": 2, "\x7f\x1f": 3})
@example([2**53, 2**53 - 1, -(2**60), -0.0, 1e21, 1e16, 5e-324, 0.1])
@example(["x" * 70_000, 1.5, "\U00010000" * 20_000])
def test_the_canonical_form_is_rfc_8785(value):
    """Whatever attributes hold, the quick way to write it gives the bytes of the careful one."""

    def doubles(part):
        if isinstance(part, dict):
            return {key: doubles(each) for key, each in part.items()}
        if isinstance(part, list):
            return [doubles(each) for each in part]
        return float(part) if isinstance(part, int) and abs(part) >= 2**53 else part

    parsed = Schema.parse(json.dumps({"type": "int", "x": value}, ensure_ascii=False))
    assert parsed.canonical == rfc8785.dumps({"type": "int", "x": doubles(value)})


def test_a_schema_of_letters_that_are_not_latin_carries_values():
    """Names and symbols are any letters, as Java has them."""
    kind = {"type": "enum", "name": "Жинс", "symbols": ["ЭРКАК", "АЁЛ"], "default": "АЁЛ"}
    others = {"type": "array", "items": ["null", "Жинс"]}
    schema = parse(record(("ёш", "int"), ("жинс", kind), ("бошқалар", others), name="давлат.Оила"))
    value = {"ёш": 5, "жинс": "АЁЛ", "бошқалар": ["ЭРКАК", None]}
    assert schema.decode(schema.encode(value)) == value


@pytest.mark.parametrize(
    "wrong",
    [
        {"precision": -2},
        {"precision": "2"},
        {"precision": 2, "scale": 5},
        {"precision": 2, "scale": None},
        {"precision": True},
        {"precision": 40, "type": "fixed", "name": "F", "size": 2},
        {},
    ],
)
def test_a_decimal_that_cannot_be_is_bytes(wrong):
    """As in Java, which takes the schema and leaves the logical type out."""
    schema = parse({"type": "bytes", "logicalType": "decimal", **wrong})
    assert schema.decode(schema.encode(b"ab")) == b"ab"


def test_a_default_that_is_not_finite_is_text():
    """Java takes it for a number; a value that lacks the field gets it."""
    schema = parse(record({"name": "a", "type": "double", "default": "-Infinity"}, ("b", "int")))
    assert schema.decode(schema.encode({"b": 1})) == {"a": -math.inf, "b": 1}


def test_field_names_are_the_top_level_ones():
    """In order; none for what is no record."""
    assert parse(record(("b", "int"), ("a", record(("c", "int"), name="S")))).field_names() == ("b", "a")
    assert parse("string").field_names() == ()
    assert parse(["null", record(("a", "int"))]).field_names() == ()


def test_a_registered_schema_is_a_number_and_a_schema():
    """The pair travels together."""
    registered = RegisteredSchema(3, parse("int"))
    assert (registered.id, registered.schema) == (3, parse("int"))
    assert parse("int").uri in repr(registered)
