"""Schemas and pairs of schemas that nobody meant well by."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exchange.avro import LEVELS, Schema, check_compatibility
from exchange.errors import SchemaInvalid, ValueInvalid
from tests.avro.avro_strategies import schemas, text_of

WORDS = st.sampled_from(
    ["record", "enum", "fixed", "array", "map", "error", "string", "int", "bytes", "null", "R", "a.R", "", "a.", "1"]
)
TYPE_KEYS = ["type", "name", "namespace", "fields", "items", "values", "symbols", "size", "aliases"]
OTHER_KEYS = ["default", "order", "doc", "logicalType", "precision", "scale"]
KEYS = st.sampled_from([*TYPE_KEYS, *OTHER_KEYS])
JSON = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(JSON)
@example({"type": "record", "name": "R", "fields": [{"name": "a", "type": "R", "default": {"a": {}}}]})
@example({"type": "array", "items": {"type": "array", "items": []}})
@example({"type": "fixed", "name": "F", "size": 2, "logicalType": "decimal", "precision": 40})
@example({"type": "bytes", "logicalType": "decimal"})
@example({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 5})
@example({"type": "bytes", "logicalType": "decimal", "precision": "2"})
@example({"type": "string", "logicalType": ["uuid"]})
@example({"type": "int", "name": 5, "fields": 7, "items": {}, "symbols": None})
@example({"type": "map", "values": {"type": "null"}, "items": "nope"})
def test_any_json_is_a_schema_or_refused(value):
    """Nothing but SchemaInvalid is raised; a schema that is read can be written and compared."""
    with contextlib.suppress(SchemaInvalid):
        schema = Schema.parse(json.dumps(value))
        assert Schema.parse(schema.canonical.decode()) == schema
        assert check_compatibility(schema, [schema], "FULL_TRANSITIVE") == []
        with contextlib.suppress(ValueInvalid):
            schema.decode(b"\x02\x04ab\x00\x00")
        with contextlib.suppress(ValueInvalid):
            schema.encode({"a": 1})


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_schema_or_refused(text):
    """Text as it may come from anywhere."""
    with contextlib.suppress(SchemaInvalid):
        Schema.parse(text)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(schemas(), schemas(), st.sampled_from(LEVELS))
def test_any_two_schemas_can_be_compared(one, other, level):
    """The answer is a list of reasons, whatever the pair."""
    found = check_compatibility(Schema.parse(text_of(one)), [Schema.parse(text_of(other))], level)
    assert all(each.message and each.path.startswith("/") for each in found)


def wide(count, kind="string"):
    """A record of many fields."""
    fields = [{"name": f"f{number}", "type": kind} for number in range(count)]
    return Schema.parse(json.dumps({"type": "record", "name": "uz.R", "fields": fields}))


def enum(count):
    """An enum of many symbols."""
    return Schema.parse(json.dumps({"type": "enum", "name": "E", "symbols": [f"S{number}" for number in range(count)]}))


@pytest.mark.parametrize(
    ("new", "old", "found"),
    [
        (wide(20_000), wide(19_500), 500),
        (wide(20_000), wide(1), 1_000),
        (wide(20_000, "int"), wide(20_000), 1_000),
        (wide(20_000, ["null", "int"]), wide(20_000, "int"), 0),
        (enum(1), enum(50_000), 1),
        (enum(50_000), enum(50_000), 0),
    ],
)
def test_wide_schemas_are_compared(new, old, found):
    """The work grows with the schema, not with its square: each of these would take minutes."""
    assert len(check_compatibility(new, [old], "BACKWARD")) == found


def test_a_default_of_many_symbols_is_checked():
    """Two long lists against each other."""
    symbols = [f"S{number}" for number in range(30_000)]
    kind = {"type": "array", "items": {"type": "enum", "name": "E", "symbols": symbols}}
    fields = [{"name": "f", "type": kind, "default": symbols[::-1]}]
    text = json.dumps({"type": "record", "name": "R", "fields": fields})
    assert Schema.parse(text).field_names() == ("f",)


def test_a_union_of_many_types_is_read():
    """Names are compared once each."""
    branches = [{"type": "fixed", "name": f"F{number}", "size": 1} for number in range(5_000)]
    assert len(Schema.parse(json.dumps(branches)).raw) == 5_000
    with pytest.raises(SchemaInvalid, match="a union holds int more than once"):
        Schema.parse(json.dumps([*branches, "int", "int"]))


@pytest.mark.parametrize("depth", [2, 30, 90])
def test_a_deep_change_is_named_by_its_whole_path(depth):
    """However deep, the field is found and the path leads there."""

    def nested(kind):
        for number in range(depth):
            kind = {"type": "record", "name": f"R{number}", "fields": [{"name": "in", "type": kind}]}
        return Schema.parse(json.dumps(kind))

    [found] = check_compatibility(nested("int"), [nested("string")], "BACKWARD")
    assert found.path == "/" + "/".join(["fields/0/type"] * depth)
    assert f"field '{'.'.join(['in'] * depth)}' changed from string to int" in found.message


def test_mutually_recursive_types_are_compared():
    """Two types that hold each other end the walk where it began."""

    def pair(kind):
        person = {"type": "record", "name": "Person", "fields": [{"name": "home", "type": ["null", "Home"]}]}
        home = {
            "type": "record",
            "name": "Home",
            "fields": [{"name": "people", "type": {"type": "array", "items": person}}, {"name": "n", "type": kind}],
        }
        return Schema.parse(json.dumps(home))

    assert check_compatibility(pair("long"), [pair("int")], "BACKWARD") == []
    [found] = check_compatibility(pair("int"), [pair("long")], "BACKWARD")
    assert found.path == "/fields/1/type"


def fields(count, kind, **more):
    """A record of many fields of one kind, as JSON."""
    made = [{"name": f"field_{i}", "type": kind, **more} for i in range(count)]
    return {"type": "record", "name": "R", "fields": made}


def nested(depth, kind, padding=0):
    """Records inside each other."""
    for number in range(depth):
        doc = "x" * padding
        kind = {"type": "record", "name": f"R{number}", "fields": [{"name": "in", "type": kind, "doc": doc}]}
    return kind


def doubling(count, kind):
    """Records that each hold the one before twice: written out they would be of 2 ^ count fields."""
    fields = [{"name": "a", "type": kind}]
    made = []
    for number in range(count):
        made.append({"type": "record", "name": f"R{number}", "fields": fields})
        fields = [{"name": name, "type": f"R{number}"} for name in "ab"]
    return made


def fixeds(count, size, namespace="x"):
    """A union of many fixed."""
    return [{"type": "fixed", "name": f"{namespace}.F{number}", "size": size} for number in range(count)]


def alike(kind):
    """A union of records that go by one name, but for their namespaces: any could be read as any."""
    made = [{"name": f"a{number}", "type": kind} for number in range(20)]
    return [{"type": "record", "name": f"n{number}.R", "fields": made} for number in range(1_900)]


def many_unions(size):
    """A record of many fields of one large union."""
    names = [f"x.F{number}" for number in range(200)]
    first = {"name": "first", "type": fixeds(200, size)}
    others = [{"name": f"field_{i}", "type": names} for i in range(900)]
    return {"type": "record", "name": "R", "fields": [first, *others]}


MEGABYTES = {
    "fields of another type": (fields(40_000, "int"), fields(40_000, "string"), 1_000),
    "nullable fields of another type": (fields(28_000, ["null", "int"]), fields(28_000, ["null", "string"]), 1_000),
    "docs that look like numbers": (fields(20_000, "int", doc="since v1.5"), fields(20_000, "int", doc="v1.6"), 0),
    "doubles": (fields(20_000, "double", default=1.5), fields(20_000, "double", default=2.5), 0),
    "records in records": (nested(90, "int", 20_000), nested(90, "string", 20_000), 1),
    "records that hold the one before twice": (doubling(9_000, "int"), doubling(9_000, "string"), 1_000),
    "unions of many fixed": (fixeds(36_000, 1), fixeds(36_000, 2, "y"), 1_000),
    "many unions of many fixed": (many_unions(1), many_unions(2), 1_000),
    "many symbols": (
        {"type": "enum", "name": "E", "symbols": [f"S{i}" for i in range(100_000)]},
        {"type": "enum", "name": "E", "symbols": [f"T{i}" for i in range(100_000)]},
        1,
    ),
    "many aliases": (
        {**fields(0, "int"), "aliases": [f"a.B{i}" for i in range(150_000)]},
        {**fields(0, "int"), "name": "B", "namespace": "a"},
        1,
    ),
    "attributes": ({"type": "int", "x": [{"a": 1.5}] * 100_000}, {"type": "string", "x": [1e300] * 200_000}, 1),
}


@pytest.mark.parametrize("case", MEGABYTES)
def test_megabytes_are_read_compared_and_written(case):
    """Each takes a second or less; what is found is listed up to the first thousand."""
    new, old, count = MEGABYTES[case]
    reader, writer = Schema.parse(json.dumps(new)), Schema.parse(json.dumps(old))
    found = check_compatibility(reader, [writer], "BACKWARD")
    assert len(found) == count
    assert count < 1_000 or found[-1].message.endswith("(no more than 1000 are listed)")
    assert max((len(each.reader) + len(each.writer) + len(each.message) for each in found), default=0) < 10_000
    assert Schema.parse(reader.java_text(), (), False) == Schema.parse(reader.resolved_text(), (), False)
    assert Schema.parse(reader.normalized_text(), (), False).raw


def test_what_is_too_much_to_compare_is_refused():
    """Nineteen hundred records that could each be any of nineteen hundred others; alone they are fine."""
    one, other = Schema.parse(json.dumps(alike("int"))), Schema.parse(json.dumps(alike("string")))
    with pytest.raises(SchemaInvalid, match="cannot be compared: more than 500000 pairs"):
        check_compatibility(one, [other], "BACKWARD")
    assert check_compatibility(one, [one], "BACKWARD") == []


def test_names_that_lead_too_deep_are_refused():
    """Types that lead from one to the next by name, thousands of times; some hundreds are fine."""

    def chain(length, kind):
        first = {"type": "record", "name": "R0", "fields": [{"name": "a", "type": kind}]}
        rest = [
            {"type": "record", "name": f"R{i}", "fields": [{"name": "a", "type": f"R{i - 1}"}]}
            for i in range(1, length)
        ]
        parts = [{"name": "all", "type": [first, *rest]}, {"name": "last", "type": f"R{length - 1}"}]
        return Schema.parse(json.dumps({"type": "record", "name": "R", "fields": parts}))

    with pytest.raises(SchemaInvalid, match="cannot be compared: their types lead too deep"):
        check_compatibility(chain(3_000, "long"), [chain(3_000, "int")], "BACKWARD")
    assert check_compatibility(chain(100, "long"), [chain(100, "int")], "BACKWARD") == []


def test_a_default_inside_unions_of_records_is_looked_at_once():
    """Each record could be either of two at every level: two to the power of the depth ways, were they all tried."""
    both = [
        {
            "type": "record",
            "name": name,
            "fields": [{"name": "a", "type": ["null", "A", "B"]}, {"name": last, "type": "int"}],
        }
        for name, last in (("A", "x"), ("B", "y"))
    ]
    default = {"x": "no", "y": "no", "a": None}
    for _ in range(60):
        default = {"x": 1, "y": 1, "a": default}
    made = {"type": "record", "name": "R", "fields": [{"name": "f", "type": ["null", *both], "default": default}]}
    with pytest.raises(SchemaInvalid, match="fits no branch of the union"):
        Schema.parse(json.dumps(made))


def test_items_that_take_no_bytes_are_found_once():
    """Records that hold the one before twice, and nothing else, in an array that could be of any length."""
    made = doubling(40, "null")
    made.append({"type": "array", "items": "R39"})
    with pytest.raises(ValueInvalid, match="items that take no bytes"):
        Schema.parse(json.dumps(made)).decode(b"\x00")


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "\udc00x"])
def test_odd_characters_are_refused_in_names_and_never_raise_anything_else(odd):
    """NUL and lone surrogates: a doc or a default may hold NUL, for JSON can."""
    for place in ("name", "namespace"):
        with pytest.raises(SchemaInvalid):
            Schema.parse(json.dumps({"type": "record", "name": "R", "fields": [], place: f"a{odd}"}))
    for kept in ({"doc": odd}, {"default": odd, "type": "string"}, {"aliases": [odd]}, {odd: odd}):
        text = json.dumps(fields(1, "int") | {"fields": [{"name": "a", "type": "string"} | kept]})
        with contextlib.suppress(SchemaInvalid):
            assert Schema.parse(Schema.parse(text).java_text()) == Schema.parse(text)


@pytest.mark.parametrize(
    "number", ["9" * 400, "-" + "9" * 5_000, "1e400", "1" + "0" * 308 + ".5", "1e-400", "-0", "1" * 4_300]
)
def test_huge_numbers_are_kept_or_refused(number):
    """In attributes, sizes and defaults."""
    for text in (
        f'{{"type":"int","x":{number}}}',
        f'{{"type":"fixed","name":"F","size":{number}}}',
        f'{{"type":"record","name":"R","fields":[{{"name":"a","type":"double","default":{number}}}]}}',
        f'{{"type":"bytes","logicalType":"decimal","precision":{number}}}',
    ):
        with contextlib.suppress(SchemaInvalid):
            schema = Schema.parse(text)
            assert Schema.parse(schema.java_text()) == schema
            assert Schema.parse(schema.normalized_text()).raw
            with contextlib.suppress(ValueInvalid):
                schema.decode(b"\x00")
