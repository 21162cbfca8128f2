"""Compatibility: the verdict, and the words for it."""

import io
import json

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.avro import LEVELS, Schema, check_compatibility
from exchange.errors import SchemaInvalid
from tests.avro.avro_strategies import schemas, text_of, values_of


def record(*fields, name="uz.gov.R", **more):
    """A record of (name, type) pairs or whole field objects."""
    made = [field if isinstance(field, dict) else {"name": field[0], "type": field[1]} for field in fields]
    return {"type": "record", "name": name, "fields": made, **more}


def check(new, old, level="BACKWARD"):
    """The messages of one change."""
    found = check_compatibility(Schema.parse(json.dumps(new)), [Schema.parse(json.dumps(old))], level)
    return [each.message for each in found]


def field(name, kind, **more):
    """A field object."""
    return {"name": name, "type": kind, **more}


def enum(*symbols, name="Kind", **more):
    """An enum."""
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size, name="F"):
    """A fixed."""
    return {"type": "fixed", "name": name, "size": size}


A = ("a", "string")
READ = "so records written before cannot be read"
LATE = "so those who read with the earlier version cannot read new records"


@pytest.mark.parametrize(
    ("new", "old", "level"),
    [
        (record(A, field("b", "int", default=0)), record(A), "BACKWARD"),
        (record(A, field("b", ["null", "int"], default=None)), record(A), "FULL"),
        (record(A), record(A, ("b", "int")), "BACKWARD"),
        (record(A, ("b", "int")), record(A), "FORWARD"),
        (record(A), record(A, field("b", "int", default=0)), "FULL"),
        (record(("a", "long")), record(("a", "int")), "BACKWARD"),
        (record(("a", "double")), record(("a", "int")), "BACKWARD"),
        (record(("a", "float")), record(("a", "long")), "BACKWARD"),
        (record(("a", "int")), record(("a", "long")), "FORWARD"),
        (record(("a", "bytes")), record(A), "FULL"),
        (record(("a", ["null", "string"])), record(A), "BACKWARD"),
        (record(A), record(("a", ["string"])), "BACKWARD"),
        (record(("a", ["null", "long"])), record(("a", ["int", "null"])), "BACKWARD"),
        (record(field("b", "string", aliases=["a"])), record(A), "BACKWARD"),
        (record(A, name="uz.gov.S", aliases=["R"]), record(A), "BACKWARD"),
        (record(A, name="S", namespace="x", aliases=["uz.gov.R"]), record(A), "BACKWARD"),
        (record(A, name="other.R"), record(A), "FULL"),
        (record(("e", enum("A", "B"))), record(("e", enum("A"))), "BACKWARD"),
        (record(("e", enum("A", default="A"))), record(("e", enum("A", "B"))), "BACKWARD"),
        (
            record(("l", {"type": "array", "items": "long"})),
            record(("l", {"type": "array", "items": "int"})),
            "BACKWARD",
        ),
        (record(("l", {"type": "map", "values": "long"})), record(("l", {"type": "map", "values": "int"})), "BACKWARD"),
        (record(("f", fixed(2))), record(("f", fixed(2))), "FULL"),
        (record(A, doc="New words."), record(A), "FULL_TRANSITIVE"),
        (record(("n", ["null", "uz.gov.R"])), record(("n", ["null", "uz.gov.R"]), ("b", "int")), "BACKWARD"),
        ({**record(A), "type": "error"}, record(A), "FULL"),
        (record(("t", {"type": "long", "logicalType": "timestamp-micros"})), record(("t", "long")), "FULL"),
        (record(("m", {"type": "long", "logicalType": "our-own"})), record(("m", "long")), "FULL"),
        (record(A), {"type": "int"}, "NONE"),
        ("string", "string", "FULL"),
    ],
)
def test_a_change_that_breaks_nobody_is_compatible(new, old, level):
    """Nothing is found."""
    assert check(new, old, level) == []


@pytest.mark.parametrize(
    ("new", "old", "level", "said"),
    [
        (
            record(A, ("region_code", "int")),
            record(A),
            "BACKWARD",
            [f"field 'region_code' was added without a default, {READ}"],
        ),
        (record(), record(A), "FORWARD", [f"field 'a' was removed without a default in the earlier version, {LATE}"]),
        (record(("a", "int")), record(A), "BACKWARD", [f"field 'a' changed from string to int, {READ}"]),
        (
            record(("a", "int")),
            record(A),
            "FULL",
            [f"field 'a' changed from string to int, {LATE}", f"field 'a' changed from string to int, {READ}"],
        ),
        (record(("a", "int")), record(("a", "long")), "BACKWARD", [f"field 'a' changed from long to int, {READ}"]),
        (
            record(("a", fixed(2))),
            record(("a", "bytes")),
            "BACKWARD",
            [f"field 'a' changed from bytes to fixed uz.gov.F, {READ}"],
        ),
        (record(A), record(("a", ["null", "string"])), "BACKWARD", [f"field 'a' no longer takes null, {READ}"]),
        (record(("a", ["null", "string"])), record(A), "FORWARD", [f"field 'a' now also takes null, {LATE}"]),
        (
            record(("a", ["null", "int"])),
            record(("a", ["null", "string"])),
            "BACKWARD",
            [f"field 'a' no longer takes string, {READ}"],
        ),
        (record(("a", ["null", "int"])), record(A), "BACKWARD", [f"field 'a' no longer takes string, {READ}"]),
        (
            record(("a", ["null", "string"])),
            record(("a", {"type": "array", "items": "int"})),
            "BACKWARD",
            [f"field 'a' no longer takes array, {READ}"],
        ),
        (
            record(("e", enum("A"))),
            record(("e", enum("A", "B"))),
            "BACKWARD",
            [f"field 'e' lost the symbol B and its enum has no default, {READ}"],
        ),
        (
            record(("e", enum("A", "B", "C"))),
            record(("e", enum("A"))),
            "FORWARD",
            [f"field 'e' gained the symbols B, C and its enum has no default, {LATE}"],
        ),
        (
            record(("f", fixed(4))),
            record(("f", fixed(2))),
            "BACKWARD",
            [f"field 'f' changed its size from 2 to 4 bytes, {READ}"],
        ),
        (
            record(A, name="uz.gov.S"),
            record(A),
            "BACKWARD",
            [f"the type of the schema was renamed from uz.gov.R to uz.gov.S without an alias, {READ}"],
        ),
        (
            record(("e", enum("A", name="L"))),
            record(("e", enum("A"))),
            "BACKWARD",
            [f"the type of field 'e' was renamed from uz.gov.Kind to uz.gov.L without an alias, {READ}"],
        ),
        (
            record(("in", record(("x", "int"), name="I"))),
            record(("in", record(("x", "string"), ("y", "int"), name="I"))),
            "BACKWARD",
            [f"field 'in.x' changed from string to int, {READ}"],
        ),
        (
            record(("l", {"type": "array", "items": "int"})),
            record(("l", {"type": "array", "items": "string"})),
            "BACKWARD",
            [f"field 'l' changed from string to int, {READ}"],
        ),
        (
            record(("m", {"type": "map", "values": record(("x", "int"), name="I")})),
            record(("m", {"type": "map", "values": record(name="I")})),
            "BACKWARD",
            [f"field 'm.x' was added without a default, {READ}"],
        ),
        (
            record(A, ("b", "int"), ("c", "int")),
            record(A),
            "BACKWARD",
            [f"field 'b' was added without a default, {READ}", f"field 'c' was added without a default, {READ}"],
        ),
        (
            record(("e", enum("A", default="A"))),
            record(),
            "BACKWARD",
            [f"field 'e' was added without a default, {READ}"],
        ),
        (
            record(("n", ["null", "uz.gov.R"]), ("b", "int")),
            record(("n", ["null", "uz.gov.R"])),
            "BACKWARD",
            [f"field 'b' was added without a default, {READ}"],
        ),
        ("int", "string", "BACKWARD", [f"the schema changed from string to int, {READ}"]),
        (record(A), "string", "BACKWARD", [f"the schema changed from string to record uz.gov.R, {READ}"]),
        (["int"], ["int", "string"], "BACKWARD", [f"the schema no longer takes string, {READ}"]),
        (["int"], [], "BACKWARD", []),
        ("int", ["int"], "BACKWARD", []),
        (
            record(("e", enum(*(f"S{i}" for i in range(3))))),
            record(("e", enum(*(f"S{i}" for i in range(15))))),
            "BACKWARD",
            [
                "field 'e' lost the symbols S3, S4, S5, S6, S7, S8, S9, S10, S11, S12 and 2 more "
                f"and its enum has no default, {READ}"
            ],
        ),
    ],
)
def test_a_change_that_breaks_someone_is_named(new, old, level, said):
    """Each message says which field, what changed, and who cannot read what."""
    assert check(new, old, level) == said


def test_a_type_without_a_namespace_is_named_as_it_is():
    """Messages show names as they were written."""
    assert check(record(A, name="S"), record(A, name="R")) == [
        f"the type of the schema was renamed from R to S without an alias, {READ}"
    ]


@pytest.mark.parametrize(
    ("new", "old", "kind", "path", "detail"),
    [
        (record(("b", "int")), record(), "READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/0", "b"),
        (
            record(("a", "int")),
            record(A),
            "TYPE_MISMATCH",
            "/fields/0/type",
            "reader type: INT not compatible with writer type: STRING",
        ),
        (
            record(("e", enum("A"))),
            record(("e", enum("A", "B"))),
            "MISSING_ENUM_SYMBOLS",
            "/fields/0/type/symbols",
            "[B]",
        ),
        (record(name="S"), record(), "NAME_MISMATCH", "/name", "expected: uz.gov.R"),
        (
            record(("f", fixed(4))),
            record(("f", fixed(2))),
            "FIXED_SIZE_MISMATCH",
            "/fields/0/type/size",
            "expected: 2, found: 4",
        ),
        (
            record(("a", ["null", "int"])),
            record(("a", ["null", "string"])),
            "MISSING_UNION_BRANCH",
            "/fields/0/type/1",
            "reader union lacking writer type: STRING",
        ),
        (
            record(("a", ["null", "int"])),
            record(A),
            "MISSING_UNION_BRANCH",
            "/fields/0/type",
            "reader union lacking writer type: STRING",
        ),
    ],
)
def test_each_finding_has_avros_own_name_and_path(new, old, kind, path, detail):
    """Programs branch on the names that Avro's Java library uses, and find the place by its pointer."""
    [found] = check_compatibility(Schema.parse(json.dumps(new)), [Schema.parse(json.dumps(old))], "BACKWARD")
    assert (found.type, found.path, found.detail, found.reads, found.earlier) == (kind, path, detail, "new", 0)


@pytest.mark.parametrize(
    ("new", "old", "reader", "writer"),
    [
        ("int", "string", "int", "string"),
        (record(field("b", "int", doc="Doc.")), record(A), field("b", "int"), {"type": "record", "name": "uz.gov.R"}),
        (record(("f", fixed(4))), record(("f", fixed(2))), fixed(4, "uz.gov.F"), fixed(2, "uz.gov.F")),
        (enum("A"), enum(*(f"S{i}" for i in range(30))), enum("A"), enum(*(f"S{i}" for i in range(20)))),
        (["int"], ["int", record(A)], ["int"], ["int", {"type": "record", "name": "uz.gov.R"}]),
        (
            {"type": "map", "values": "int", "x": 1},
            {"type": "array", "items": {"type": "map", "values": [record(A)]}},
            {"type": "map", "values": "int"},
            {"type": "array", "items": {"type": "map", "values": []}},
        ),
        (
            {"type": "int", "logicalType": "date", "size": 5},
            {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2, "doc": "x"},
            {"type": "int", "logicalType": "date"},
            {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
        ),
    ],
)
def test_each_finding_has_the_parts_that_do_not_fit(new, old, reader, writer):
    """As short JSON: types by their names, without fields and docs, however large they are."""
    [found] = check_compatibility(Schema.parse(json.dumps(new)), [Schema.parse(json.dumps(old))], "BACKWARD")
    assert (json.loads(found.reader), json.loads(found.writer)) == (reader, writer)


def test_a_field_that_could_be_read_from_two_is_named():
    """Java fails there, and we say why; even where the schema is the same."""
    both = record(field("b", "int", aliases=["a"]), ("a", "int"))
    assert check(both, both, "BACKWARD") == [
        f"field 'b' has aliases (a) by which more than one field can be meant, {READ}"
    ]
    [found] = check_compatibility(Schema.parse(json.dumps(both)), [Schema.parse(json.dumps(both))], "BACKWARD")
    assert (found.type, found.path) == ("AMBIGUOUS_FIELD", "/fields/0")
    assert found.detail.startswith("Reader record field b type:INT pos:0 matches multiple fields in writer record")


@pytest.mark.parametrize("count", [3, 40])
def test_a_large_union_reads_what_a_small_one_reads(count):
    """By name without namespace, by alias, and by promotion; what no branch can read is named."""
    branches = [fixed(1, f"x.F{i}") for i in range(count)] + [fixed(2, "y.G") | {"aliases": ["z.H"]}, "long", "null"]
    for readable in (fixed(1, "other.F1"), fixed(2, "z.H"), "int", "null", fixed(2, "G")):
        assert check(branches, readable) == []
    for unreadable in (fixed(2, "F1"), fixed(2, "H"), "string", fixed(1, "G"), {"type": "map", "values": "int"}):
        assert len(check(branches, unreadable)) == 1


def versions(*kinds):
    """Schemas of one field each."""
    return [Schema.parse(json.dumps(record(("a", kind)))) for kind in kinds]


@pytest.mark.parametrize(
    ("level", "broken_with"),
    [
        ("NONE", None),
        ("BACKWARD", None),
        ("BACKWARD_TRANSITIVE", 0),
        ("FORWARD", 1),
        ("FORWARD_TRANSITIVE", 1),
        ("FULL", 1),
        ("FULL_TRANSITIVE", 1),
    ],
)
def test_a_level_says_which_versions_count(level, broken_with):
    """Without `_TRANSITIVE` only the newest; with it all, the newest that breaks first."""
    *earlier, new = versions("string", "int", "long")
    found = check_compatibility(new, earlier, level)
    assert ({each.earlier for each in found} or {None}) == {broken_with}


def test_the_first_version_of_all_is_compatible():
    """There is nothing to break."""
    for level in LEVELS:
        assert check_compatibility(versions("int")[0], [], level) == []


def test_an_unknown_level_is_refused():
    """The message lists what would be right."""
    with pytest.raises(SchemaInvalid, match="'SIDEWAYS' is no compatibility level: expected one of NONE, BACKWARD"):
        check_compatibility(versions("int")[0], versions("int"), "SIDEWAYS")


@given(schemas())
def test_a_schema_is_compatible_with_itself(raw):
    """At every level."""
    schema, again = Schema.parse(text_of(raw)), Schema.parse(text_of({**raw, "doc": "Other words."}))
    assert check_compatibility(again, [schema], "FULL_TRANSITIVE") == []


def resolved(old, new, value):
    """A value of one schema, written, and read with another by fastavro; None where Avro's own rules differ from it."""
    written = Schema.parse(text_of(old)).encode(value)
    try:
        return [fastavro.schemaless_reader(io.BytesIO(written), fastavro.parse_schema(old), fastavro.parse_schema(new))]
    except UnicodeDecodeError:  # Avro calls bytes readable as a string, whatever they are
        return None


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=200)
@given(st.data())
def test_what_is_called_compatible_can_be_read(data):
    """Where the verdict is that a new version reads what an earlier one wrote, fastavro reads every value of it."""
    old = data.draw(schemas(logical=False))
    new = _changed(data, old)
    if not check_compatibility(Schema.parse(text_of(new)), [Schema.parse(text_of(old))], "BACKWARD"):
        resolved(old, new, data.draw(values_of(old)))


SCALARS = ["boolean", "int", "long", "float", "double", "string", "bytes"]
LEAVES = st.sampled_from(
    [*SCALARS, enum("A", "B"), enum("B", "C"), enum("B", default="B"), fixed(1), fixed(2), fixed(2, "G")]
)
KINDS = LEAVES | st.lists(
    LEAVES | st.just("null"), min_size=1, max_size=3, unique_by=lambda kind: str(kind)[:30]
).filter(lambda kinds: sum(isinstance(each, dict) and each["type"] == "enum" for each in kinds) < 2)


def readable(new, old, value):
    """Whether fastavro reads this value."""
    try:
        return resolved(record(("f", old)), record(("f", new)), {"f": value}) is not None
    except Exception:
        return False


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None, max_examples=400)
@given(KINDS, KINDS, st.data())
def test_the_verdict_is_what_fastavro_can_read(new, old, data):
    """Compatible: each value is read. Incompatible: of what the reasons name, some value is not.

    fastavro goes its own way in three cases, and Java's is ours: it reads bytes as text only where they are UTF-8; it
    does not hold enums and fixed to their names; and a fixed it reads as one of another size, cut or with what follows.
    """
    if not check(record(("f", new)), record(("f", old))):
        value = data.draw(values_of(old))
        assert readable(new, old, value) or isinstance(value, bytes)
        return
    branches = old if isinstance(old, list) else [old]
    named = [each for each in branches if check(record(("f", new)), record(("f", each)))]
    assert named
    for each in named:
        if isinstance(each, str):
            assert not readable(new, old, data.draw(values_of(each)))
        elif each["type"] == "enum" and isinstance(new, dict) and new["type"] == "enum":
            assert not readable(new, old, next(symbol for symbol in each["symbols"] if symbol not in new["symbols"]))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_refusal_has_a_reason(data):
    """FORWARD and BACKWARD are each other's mirror, and each finding has words and a path."""
    old = data.draw(schemas(logical=False))
    one, other = Schema.parse(text_of(_changed(data, old))), Schema.parse(text_of(old))
    backward, forward = check_compatibility(one, [other], "BACKWARD"), check_compatibility(other, [one], "FORWARD")
    assert [each.path for each in backward] == [each.path for each in forward]
    assert all(each.path.startswith("/") and each.message.endswith(READ) for each in backward)


def _changed(data, old):
    """A schema with one field of another type, one gone, or one new."""
    fields = list(old["fields"])
    place = data.draw(st.integers(0, len(fields) - 1))
    change = data.draw(st.sampled_from(["type", "gone", "new", "new with default"]))
    if change == "gone":
        del fields[place]
    elif change == "type":
        kind = data.draw(st.sampled_from(["int", "long", "double", "string", "bytes", ["null", "string"]]))
        fields[place] = {"name": fields[place]["name"], "type": kind}
    else:
        fields.append(field("added", "int", **({"default": 1} if "default" in change else {})))
    return {**old, "fields": fields}
