"""What we say of schemas is what Avro's own Java library says, which is asked here."""

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exchange.avro import Schema, check_compatibility
from exchange.errors import SchemaInvalid
from tests.avro.java_strategies import pairs, texts

ASKED = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)
READABLE = "the default of field"


def ours(text, referenced=(), validate_defaults=True):
    """The schema, or why it is none."""
    try:
        return Schema.parse(text, referenced, validate_defaults)
    except SchemaInvalid as error:
        return error.message


def found(reader, writer, referenced=()):
    """What we find, in Java's terms."""
    reads, wrote = Schema.parse(reader, referenced, False), Schema.parse(writer, referenced, False)
    return [(each.type, each.path, each.detail) for each in check_compatibility(reads, [wrote], "BACKWARD")]


def of_java(answer):
    """What Java finds; one thing where it fails."""
    if "error" in answer:
        return [("AMBIGUOUS_FIELD", None, answer["error"])]
    return [(each["type"], each["location"], each["message"]) for each in answer["incompatibilities"]]


def agree(mine, theirs):
    """Whether both find the same; Java gives no place where it fails."""
    return [each if theirs and theirs[0][1] else (each[0], None, each[2]) for each in mine] == theirs


@ASKED
@given(texts(), st.booleans())
def test_java_and_we_take_the_same_schemas(java, text, validate_defaults):
    """But for defaults that we hold to the specification where Java asks for any text, or fails.

    Those are: a symbol that the enum has not, bytes past 255, another size of fixed; and a record as a default inside
    itself, which Java looks at before it is complete.
    """
    mine, theirs = ours(text, (), validate_defaults), java.parse(text, (), validate_defaults)
    if validate_defaults and isinstance(mine, str) and READABLE in mine and "error" not in theirs:
        assert any(word in mine for word in ("is no symbol of", "is no bytes", "is no fixed", "fits no branch"))
    elif theirs.get("error") != "Schema fields not set yet":
        assert isinstance(mine, str) == ("error" in theirs), (mine, theirs)


@ASKED
@given(texts())
def test_our_text_of_a_schema_is_javas(java, text):
    """Byte for byte: it is what Confluent's registry keeps and answers."""
    mine = ours(text, (), False)
    assume(isinstance(mine, Schema))
    assert mine.java_text() == mine.resolved_text() == java.parse(text, (), False)["text"]


@ASKED
@given(pairs(), st.booleans())
def test_our_verdict_is_javas(java, pair, turned):
    """The same reasons, in the same order, at the same places, in the same words."""
    reader, writer = pair[::-1] if turned else pair
    assume(isinstance(ours(reader, (), False), Schema) and isinstance(ours(writer, (), False), Schema))
    theirs = java.check(reader, writer)
    assert agree(found(reader, writer), of_java(theirs)), theirs


def record(*fields, name="R", **more):
    """A record of (name, type) pairs or whole field objects."""
    made = [each if isinstance(each, dict) else {"name": each[0], "type": each[1]} for each in fields]
    return {"type": "record", "name": name, "fields": made, **more}


def enum(*symbols, name="E", **more):
    """An enum."""
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size, name="F", **more):
    """A fixed."""
    return {"type": "fixed", "name": name, "size": size, **more}


def decimal(precision, scale, base):
    """A decimal of bytes or of a fixed."""
    base = {"type": base} if isinstance(base, str) else base
    return {**base, "logicalType": "decimal", "precision": precision, "scale": scale}


def two(name, *fields):
    """A record that has another of the given name twice."""
    inner = record(*fields, name=name)
    return record(("a", inner), ("b", name))


def mutual(kind):
    """Two records that hold each other."""
    return record(("b", ["null", record(("a", ["null", "R"]), ("x", kind), name="B")]))


PAIRS = {
    "the same type": ("int", "int"),
    **{
        f"{writer} read as {reader}": (reader, writer)
        for reader in ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
        for writer in ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
    },
    "string read as enum": (enum("A"), "string"),
    "enum read as string": ("string", enum("A")),
    "bytes read as fixed": (fixed(2), "bytes"),
    "record read as map": ({"type": "map", "values": "int"}, record(("a", "int"))),
    "array read as map": ({"type": "map", "values": "int"}, {"type": "array", "items": "int"}),
    "promotion inside array": ({"type": "array", "items": "long"}, {"type": "array", "items": "int"}),
    "demotion inside array": ({"type": "array", "items": "int"}, {"type": "array", "items": "long"}),
    "demotion inside map": ({"type": "map", "values": "int"}, {"type": "map", "values": "long"}),
    "type into union": (["null", "string"], "string"),
    "type into union by promotion": (["null", "double"], "int"),
    "type into union that lacks it": (["null", "string"], "int"),
    "type into empty union": ([], "int"),
    "union into type": ("string", ["string"]),
    "union into type that takes one branch": ("long", ["int", "string", "null"]),
    "empty union into type": ("string", []),
    "empty union into empty union": ([], []),
    "union into union in another order": (["string", "null"], ["null", "string"]),
    "union into union that lacks two": (["null"], ["null", "int", "string"]),
    "union of records into union of records": (
        ["null", record(("a", "int"), name="A"), record(name="B")],
        [record(name="B"), record(("a", "string"), name="A")],
    ),
    "union branch is incompatible inside": (["null", record(("a", "int"))], ["null", record(("a", "string"))]),
    "union reads record that is found again": (
        record(("u", ["null", record(("x", "int"), name="I")]), ("i", "I")),
        record(("u", ["null", record(("x", "string"), name="I")]), ("i", "I")),
    ),
    "record into union of two": ([record(name="A"), record(name="B")], record(("x", "int"), name="B")),
    "record of another name": (record(name="S"), record()),
    "record of another namespace": (record(name="x.R"), record(name="y.R")),
    "record renamed with alias": (record(name="S", aliases=["R"]), record()),
    "record renamed with alias in its namespace": (record(name="x.S", aliases=["R"]), record(name="x.R")),
    "record renamed with alias of another namespace": (record(name="x.S", aliases=["R"]), record(name="y.R")),
    "record renamed with full alias": (record(name="x.S", aliases=["y.R"]), record(name="y.R")),
    "record that left no namespace with alias": (record(name="x.S", aliases=[".R"]), record(name="R")),
    "alias inherits the namespace of what encloses it": (
        record(("a", record(name="S", aliases=["R"])), name="x.Outer"),
        record(("a", record(name="x.R")), name="x.Outer"),
    ),
    "alias inherits the wrong namespace": (
        record(("a", record(name="S", namespace="y", aliases=["R"])), name="x.Outer"),
        record(("a", record(name="x.R")), name="x.Outer"),
    ),
    "writer's alias counts for nothing": (record(name="R"), record(name="S", aliases=["R"])),
    "enum renamed with alias": (enum("A", name="G", aliases=["E"]), enum("A")),
    "enum of another name": (enum("A", name="G"), enum("A", "B")),
    "fixed renamed with alias": (fixed(2, "G", aliases=["F"]), fixed(2)),
    "fixed of another name and size": (fixed(2, "G"), fixed(3)),
    "fixed of another size": (fixed(2), fixed(3)),
    "error read as record": ({**record(("a", "int")), "type": "error"}, record(("a", "int"))),
    "record read as error": (record(("a", "int")), {**record(("a", "int")), "type": "error"}),
    "field without default": (record(("a", "int"), ("b", "int")), record(("a", "int"))),
    "field with default": (record({"name": "b", "type": "int", "default": 1}), record()),
    "field with null default": (record({"name": "b", "type": ["null", "int"], "default": None}), record()),
    "field by alias": (record({"name": "b", "type": "int", "aliases": ["a"]}), record(("a", "int"))),
    "field by its second alias": (record({"name": "c", "type": "long", "aliases": ["b", "a"]}), record(("a", "int"))),
    "field by alias of another type": (record({"name": "b", "type": "int", "aliases": ["a"]}), record(("a", "string"))),
    "field by two names": (
        record({"name": "b", "type": "int", "aliases": ["a"]}),
        record(("a", "int"), ("b", "int")),
    ),
    "field by its own name as alias": (record({"name": "a", "type": "int", "aliases": ["a"]}), record(("a", "int"))),
    "field by two names inside a union": (
        ["null", record({"name": "b", "type": "int", "aliases": ["a"]})],
        record(("a", "int"), ("b", "int")),
    ),
    "fields in another order": (record(("b", "int"), ("a", "string")), record(("a", "string"), ("b", "int"))),
    "many things at once": (
        record(("a", "int"), ("b", "int"), ("c", enum("A")), ("d", fixed(1))),
        record(("a", "string"), ("c", enum("B", "A")), ("d", fixed(2))),
    ),
    "symbol gone": (enum("A"), enum("A", "B", "AA")),
    "symbol gone with default": (enum("A", default="A"), enum("A", "B")),
    "symbols added": (enum("A", "B"), enum("A")),
    "no symbols": (enum(), enum("A")),
    "enum field with enum default is missing": (record(("e", enum("A", default="A"))), record()),
    "enum default of no text": (enum("A", default=5), enum("B")),
    "two places of one type": (two("I", ("x", "int")), two("I", ("x", "string"))),
    "recursive": (record(("n", ["null", "R"]), ("x", "long")), record(("n", ["null", "R"]), ("x", "int"))),
    "recursive and broken": (record(("n", ["null", "R"]), ("x", "int")), record(("n", ["null", "R"]), ("x", "long"))),
    "mutually recursive": (mutual("long"), mutual("int")),
    "mutually recursive and broken": (mutual("int"), mutual("long")),
    "list into tree": (
        record(("n", ["null", "R"]), ("m", {"type": "array", "items": "R"})),
        record(("n", ["null", "R"])),
    ),
    "decimal of another scale": (decimal(9, 2, "bytes"), decimal(9, 4, "bytes")),
    "decimal of another precision": (decimal(20, 2, "bytes"), decimal(9, 2, "bytes")),
    "decimal of fixed of another scale": (decimal(9, 2, fixed(8)), decimal(9, 4, fixed(8))),
    "decimal of fixed read from bytes": (decimal(9, 2, fixed(8)), decimal(9, 2, "bytes")),
    "decimal read as bytes": ("bytes", decimal(9, 2, "bytes")),
    "decimal read as string": ("string", decimal(9, 2, "bytes")),
    "moment of another unit": (
        {"type": "long", "logicalType": "timestamp-micros"},
        {"type": "long", "logicalType": "timestamp-millis"},
    ),
    "day read as moment": ({"type": "long", "logicalType": "timestamp-millis"}, {"type": "int", "logicalType": "date"}),
    "uuid read as text": ("string", {"type": "string", "logicalType": "uuid"}),
    "a name that JSON pointers escape": (record(("a", "int"), name="x.R~"), record(("a", "int"))),
}
REFUSED = {"a name that JSON pointers escape"}


@pytest.mark.parametrize("case", sorted(PAIRS.keys() - REFUSED))
def test_each_case_of_resolution_is_javas(java, case):
    """Named, one by one, in both directions."""
    one, other = map(json.dumps, PAIRS[case])
    assert agree(found(one, other), of_java(java.check(one, other)))
    assert agree(found(other, one), of_java(java.check(other, one)))


SCHEMAS = {
    **dict.fromkeys(REFUSED, PAIRS["a name that JSON pointers escape"][0]),
    "a name of letters that are not Latin": record(("ёш", "int"), name="давлат.Оила"),
    "a name of two letters in one": record(("\U00010400", "int")),
    "a name with a digit of another script": record(("a\u0661", "int")),
    "a name that starts with one": record(("\u0661a", "int")),
    "a symbol of letters that are not Latin": enum("ЭРКАК", "АЁЛ"),
    "a NUL in a name": record(("a\0", "int")),
    "a NUL in a namespace": record(name="R", namespace="a\0"),
    "a NUL in a doc": record(doc="a\0b"),
    "a NUL in a field's alias": record({"name": "a", "type": "int", "aliases": ["\0"]}),
    "a NUL in a default": record({"name": "a", "type": "string", "default": "\0"}),
    "a namespace that is no text": record(name="R", namespace=5),
    "a namespace that ends in a dot": record(namespace="a."),
    "a namespace of two dots": record(namespace="a..b"),
    "a namespace with a hyphen": record(namespace="a-b"),
    "a namespace that starts with a digit": record(namespace="a.1b"),
    "a namespace of a space": record(namespace=" "),
    "a name with a dot in front": record(name=".R", namespace="a"),
    "a name that is only a dot": record(name="."),
    "a name of a primitive type": record(name="int"),
    "a name of a primitive type in a namespace": record(("a", "int"), ("b", "x.int"), name="int", namespace="x"),
    "a name of a kind of types": record(("a", ["null", "record"]), name="record", namespace="x"),
    "an alias of another namespace that is none": record(aliases=["a-b.R"]),
    "an alias that is no name": record(aliases=["a-b"]),
    "an alias without text": record(aliases=[""]),
    "aliases twice": record(aliases=["A", "A", "B"]),
    "no aliases": record(aliases=[]),
    "aliases of null": record(aliases=None),
    "a field's alias that is no name": record({"name": "a", "type": "int", "aliases": ["b c", "b c"]}),
    "a doc that is no text": record({"name": "a", "type": "int", "doc": 5}, doc={"a": 1}),
    "an order in capitals": record({"name": "a", "type": "int", "order": "DESCENDING"}),
    "an order that is none": record({"name": "a", "type": "int", "order": "up"}),
    "an order of null": record({"name": "a", "type": "int", "order": None}),
    "fields twice": record(("a", "int"), ("a", "int")),
    "symbols twice": enum("A", "A"),
    "no symbol": enum(),
    "a default that is no symbol": enum("A", default="B"),
    "a type twice": record(("a", enum("A")), ("b", enum("B"))),
    "a type twice alike": record(("a", enum("A", doc="One.")), ("b", enum("A", doc="Two."))),
    "a type twice with another attribute": record(("a", enum("A", z=1)), ("b", enum("A", z=2))),
    "a type twice with another default": record(("a", enum("A", default="A")), ("b", enum("A"))),
    "a record twice with another default": record(
        ("a", record({"name": "x", "type": "int", "default": 1}, name="I")),
        ("b", record({"name": "x", "type": "int", "default": 2}, name="I")),
    ),
    "an empty union": [],
    "a union in a union": ["null", ["int"]],
    "a union of arrays": [{"type": "array", "items": "int"}, {"type": "array", "items": "long"}],
    "a union of logical types": ["int", {"type": "int", "logicalType": "date"}],
    "a union of one name twice": [fixed(1), fixed(1)],
    "a union of one name in two namespaces": [fixed(1, "x.F"), fixed(1, "y.F")],
    "a union of a type and its name": [fixed(1), "F"],
    "a type before it is written": record(("a", "E"), ("b", enum("A"))),
    "a type inside itself only": record(("a", "R")),
    "a type that is nowhere": record(("a", "Q")),
    "a type in the namespace around it": record(("a", record(("b", "R"), name="S")), name="x.R"),
    "a type without namespace inside one": record(("a", fixed(1, namespace="")), ("b", "F"), name="x.R"),
    "a wrong decimal": {"type": "bytes", "logicalType": "decimal", "precision": -2},
    "a decimal that its fixed is too small for": decimal(40, 2, fixed(2)),
    "a type in a type": {"type": {"type": "int"}},
    "a union in a type": {"type": ["int"]},
    "a primitive with attributes": {"type": "string", "avro.java.string": "String", "name": "x", "items": 5},
    "a default of text for a double": record({"name": "a", "type": "double", "default": " 1.5d "}),
    "a default of text that is not finite": record({"name": "a", "type": {"type": "float"}, "default": "-Infinity"}),
    "a default of text that is past every double": record({"name": "a", "type": "double", "default": "1e999"}),
    "a default of text that is no number": record({"name": "a", "type": "float", "default": "much"}),
    "a default of the second branch": record({"name": "a", "type": ["null", "int"], "default": 5}),
    "a default of no branch": record({"name": "a", "type": ["null", "int"], "default": "x"}),
    "a default of null that fits": record({"name": "a", "type": ["null", "int"], "default": None}),
    "a default of null that does not": record({"name": "a", "type": "int", "default": None}),
    "a default past int": record({"name": "a", "type": "int", "default": 2**31}),
    "a default past long": record({"name": "a", "type": "long", "default": 2**63}),
    "a default of 1.0 for an int": record({"name": "a", "type": "int", "default": 1.0}),
    "a size of 1.0": fixed(1.0),
    "no size": {"type": "fixed", "name": "F"},
    "the greatest size": fixed(2**31 - 9),
    "a size past it": fixed(2**31 - 8),
    "numbers of all sizes": {"type": "int", "z": [0.001, 9999999.0, 1e7, 1e-4, 123.456, 2**62, -1.5e300, 1e22]},
}


@pytest.mark.parametrize("case", SCHEMAS)
@pytest.mark.parametrize("validate_defaults", [True, False])
def test_each_case_of_parsing_is_javas(java, case, validate_defaults):
    """Taken or refused, and the text."""
    text = json.dumps(SCHEMAS[case])
    mine, theirs = ours(text, (), validate_defaults), java.parse(text, (), validate_defaults)
    assert (None if isinstance(mine, str) else mine.java_text()) == theirs.get("text"), (mine, theirs)


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "int", "type": "string"}',
        '{"type": "record", "name": "R", "fields": [], "doc": "a", "z": 1, "doc": "b", "z": 2}',
        '/* A comment. */ {"type": /* "int" */ "string"} // not after it',
        '// First.\n{"type": "string", "doc": "/* kept */ // too", "z": "\\"/*"}',
        '{"type": "string"} /* not here */',
        '{"type": "string"}\u0000\n',
        '"string" "int"',
        "string",
        "",
        "//",
        "{}",
        "null",
        '{"type": "int", "z": 01}',
        '{"type": "int", "z": NaN}',
        '{"type": "int", "z": -0}',
        '{"type": "int", "z": 1.0e+2}',
        "{'type': 'int'}",
        '{"type": "int",}',
        '{"type": "string", "z": "\\u00e9\\u2028\\/\\u001f"}',
    ],
)
def test_each_way_to_write_json_is_javas(java, text):
    """Comments before the end, keys written twice, escapes."""
    mine = ours(text)
    assert (None if isinstance(mine, str) else mine.java_text()) == java.parse(text).get("text"), mine


POINT = record(("f", fixed(2, "geo.F")), name="geo.P")
REFERRING = [
    (record(("p", "P"), ("f", "geo.F"), ("g", "F"), name="geo.R"), [POINT]),
    ("geo.P", [POINT]),
    ("geo.F", [POINT]),
    (["null", "geo.F", "geo.P"], [POINT]),
    (record(("f", "geo.F"), ("p", "geo.P")), [POINT]),
    (record(("f", "Q"), ("p", "geo.F")), [POINT, record(("f", "geo.F"), ("p", "geo.P"), name="Q")]),
    (record(("p", POINT), ("f", "geo.F")), [POINT]),
    (record(("p", {**POINT, "fields": []})), [POINT]),
    (record(("p", "Q"), name="x.R"), [fixed(1, "Q")]),
    (record(("p", "int")), ["string", ["null", "int"], {"type": "array", "items": POINT}]),
    (record(("p", "geo.F")), [{"type": "array", "items": POINT}]),
    (record(("p", "geo.Q")), [POINT]),
    (record(("p", "geo.P")), [record(("f", "geo.F"), name="geo.P")]),
    (POINT, [POINT]),
    (record(("t", "Tree")), [record(("l", ["null", "Tree"]), name="Tree")]),
    (record(("l", ["null", "Tree"]), name="Tree"), [record(("l", ["null", "Tree"]), name="Tree")]),
]


@pytest.mark.parametrize(("schema", "referenced"), REFERRING)
def test_references_are_javas(java, schema, referenced):
    """What a schema refers to stays a name in its text, but what is only inside that is written out."""
    text, others = json.dumps(schema), [json.dumps(each) for each in referenced]
    mine, theirs = ours(text, others), java.parse(text, others)
    texts_of = (None, None) if isinstance(mine, str) else (mine.java_text(), mine.resolved_text())
    assert texts_of == (theirs.get("text"), theirs.get("resolved")), mine
