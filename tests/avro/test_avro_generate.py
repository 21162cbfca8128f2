"""Classes generated from schemas: they mean what the schema means, and read as if a careful person had written them."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.avro import Schema, generate_classes
from exchange.errors import SchemaError
from tests.avro.avro_strategies import schemas, text_of, values_of
from tests.avro.generated import CASES, DAY, HASH, KIND, POINT, SPAN, STYLES, TOPIC, class_of, module_of, record

both_styles = pytest.mark.parametrize("style", STYLES)
every_case = pytest.mark.parametrize("case", CASES)


def carried(schema, value, style):
    """A value into an object, through Avro, and out again; says that nothing was changed on the way."""
    parsed, made = Schema.parse(text_of(schema)), class_of(schema, style)
    one = made.from_dict(value)
    assert one.to_dict() == value
    other = made.from_dict(parsed.decode(parsed.encode(one.to_dict())))
    assert other == one
    return one


@both_styles
@given(data=st.data())
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_value_of_any_schema_goes_through_its_class(style, data):
    """Value, object, dict, bytes, dict and object again: the same, for generated schemas."""
    schema = data.draw(schemas())
    carried(schema, data.draw(values_of(schema)), style)


@both_styles
@every_case
@given(data=st.data())
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_python_could_stumble_over_goes_through_its_class(style, case, data):
    """Reserved words, names that share a name, unions, defaults, containers and types that hold themselves."""
    schema = CASES[case]
    known = definitions(schema)
    carried(schema, data.draw(values(schema, known, 3)), style)


def definitions(schema, namespace="uz.x"):
    """Every named type, by full name."""
    found = {}
    if isinstance(schema, list):
        for each in schema:
            found |= definitions(each)
    elif isinstance(schema, dict):
        if "name" in schema:
            found[schema["name"] if "." in schema["name"] else f"{namespace}.{schema['name']}"] = schema
        inner = [schema.get("items"), schema.get("values"), *(each["type"] for each in schema.get("fields", ()))]
        for each in inner:
            found |= definitions(each)
    return found


def values(schema, known, depth):
    """Values as `values_of`, of named types as well, nested as deep as is told."""
    if isinstance(schema, str) and schema in known:
        return st.deferred(lambda: values(known[schema], known, depth - 1))
    if isinstance(schema, list):
        branches = [each for each in schema if depth > 0 or each == "null" or not str(each).startswith("uz.x")]
        return st.one_of(*(values(each, known, depth) for each in branches or schema))
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        return st.fixed_dictionaries({each["name"]: values(each["type"], known, depth) for each in schema["fields"]})
    if kind == "array":
        return st.lists(values(schema["items"], known, depth), max_size=2 if depth > 0 else 0)
    if kind == "map":
        return st.dictionaries(st.text(max_size=3), values(schema["values"], known, depth), max_size=2)
    if isinstance(schema, dict) and schema.get("logicalType") in ("x", "duration", "local-timestamp-millis"):
        return {
            "x": st.integers(-(2**63), 2**63 - 1),
            "duration": st.binary(min_size=12, max_size=12),
            "local-timestamp-millis": st.datetimes().map(lambda each: each.replace(microsecond=0)),
        }[schema["logicalType"]]
    return values_of(schema)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every case in both styles, as files."""
    folder = tmp_path_factory.mktemp("generated")
    for style in STYLES:
        for name, schema in CASES.items():
            text = generate_classes(Schema.parse(text_of(schema)), source=f"{name}.avsc", topic=TOPIC, style=style)
            (folder / f"{name}_{style}.py").write_text(text, encoding="utf-8")
    return folder


def run(*command, cwd):
    """What a checker prints; nothing where it finds nothing."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_strictest_type_checker_finds_nothing(folder):
    """mypy --strict takes every generated module."""
    assert run("mypy", "--strict", "--no-incremental", *map(str, sorted(folder.glob("*.py"))), cwd=folder) == ""


def test_formatter_and_linter_find_nothing(folder):
    """ruff would change nothing, at any width; nothing is imported in vain, nothing unknown is used."""
    for width in ("80", "120"):
        assert run("ruff", "format", "--check", "--isolated", "--line-length", width, ".", cwd=folder) == ""
    rules = ["--target-version", "py311", "--select", "E4,E7,E9,F,I,UP,B,C4,PIE,RET,W", "--ignore", "E741"]
    assert run("ruff", "check", "--isolated", "--ignore-noqa", *rules, ".", cwd=folder) == ""


@every_case
def test_the_same_schema_gives_the_same_text(case, folder):
    """Generated again, nothing changes: a build can compare."""
    text = generate_classes(Schema.parse(text_of(CASES[case])), source=f"{case}.avsc", topic=TOPIC)
    assert text == (folder / f"{case}_dataclass.py").read_text(encoding="utf-8")
    assert text.startswith(f"# Generated from {case}.avsc by `exchange schema generate`")


@both_styles
def test_the_class_knows_its_topic_and_its_schema(style):
    """What `Publisher.open` needs is on the class, the schema to the letter."""
    made = class_of(CASES["unions"], style)
    assert made.__topic__ == TOPIC
    assert made.__schema__ == text_of(CASES["unions"])


@both_styles
def test_defaults_are_values_of_their_types(style):
    """An object made of nothing has each default, and not the one list of all of them."""
    made = class_of(CASES["defaults"], style)
    one, other = made(), made()
    assert (one.a, one.b, one.d, one.f, one.g, one.o) == (True, -7, 1.5, b"\xff'\"", 'a"\\\n\u2028ё', b"abc")
    assert one.e != one.e  # NaN
    assert (one.i, one.j, one.k) == (Decimal("-0.001"), dt.date(1970, 1, 2), dt.time(0, 1, 1, 1))
    assert one.l == dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)
    assert one.m == dt.datetime(1970, 1, 1, 0, 0, 0, 1000)  # noqa: DTZ001  (a local time has no zone)
    assert one.n == UUID("0198c1f2-7a3b-7def-8123-456789abcdef")
    assert (one.p.months, one.p.days, one.p.milliseconds) == (1, 2, 3)
    assert (one.q, one.s, one.t, one.u) == ("URBAN", ["OTHER"], {}, {"a": dt.date(1970, 1, 1)})
    assert (one.v.x, one.v.y, one.w, one.x, one.y, one.z) == (1, 0, None, "OTHER", None, "Infinity")
    assert one.r is not other.r
    assert Schema.parse(text_of(CASES["defaults"])).encode(one.to_dict())


@both_styles
def test_an_event_of_an_older_version_reads_with_the_defaults(style):
    """A field that the event's schema did not have yet is its default; one that came later is left out."""
    made = class_of(record(("a", "int"), ("b", ["null", KIND], None), ("c", "string", "none")), style)
    assert made.from_dict({"a": 1, "later": True}) == made(a=1, b=None, c="none")
    with pytest.raises(KeyError, match="a"):
        made.from_dict({})


def test_a_symbol_that_came_later_reads_as_the_enums_default():
    """As Avro resolves it; an enum without a default refuses."""
    module = module_of(record(("kind", KIND), ("other", {"type": "enum", "name": "Firm", "symbols": ["A"]})))
    assert module.Kind("NEWER") is module.Kind.OTHER
    with pytest.raises(ValueError, match="B"):
        module.Firm("B")


@both_styles
def test_objects_cannot_be_changed_and_take_names_only(style):
    """A typed event is a value."""
    made = class_of(record(("a", "int")), style)
    with pytest.raises(AttributeError):
        made(a=1).a = 2
    with pytest.raises(TypeError):
        made(1)


@both_styles
def test_types_say_what_a_person_would_write(style):
    """The annotations of a union, a list, a nullable enum and logical types."""
    text = generate_classes(Schema.parse(text_of(CASES["unions"])), source="u.avsc", topic=TOPIC, style=style)
    assert "    a: str | Kind | None\n" in text
    assert "    b: Point | Line | None\n" in text
    assert "    c: int | list[Kind] | dict[str, Point]\n" in text
    assert "    d: Span | Decimal | str | None\n" in text
    assert "    i: list[Kind | int]\n" in text


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ("string", "only a record becomes a class, and the schema is of type string"),
        (
            record(("a", [POINT, record(("x", "int"), ("y", "int"), name="Pair")])),
            "uz.x.Point has the fields of a uz.x.Pair",
        ),
        (record(("a", ["null", record(("x", "int"), name="One"), POINT])), "uz.x.One has the fields of a uz.x.Point"),
        (record(("a", [POINT, {"type": "map", "values": "int"}])), "a record and a map"),
        (record(("a", {"type": "array", "items": [SPAN, HASH]})), "a duration and bytes"),
        (record(("a", DAY, 2**30)), "the default 1073741824 is no date"),
        (record(("a", {"type": "string", "logicalType": "uuid"}, "x")), "the default 'x' is no uuid"),
        (record(("a", {"type": "int", "logicalType": "time-millis"}, -1)), "the default -1 is no time-millis"),
    ],
)
def test_what_cannot_be_said_in_classes_is_said(schema, reason):
    """One error, with the place and the reason, rather than a class that loses something."""
    with pytest.raises(SchemaError, match=reason) as caught:
        generate_classes(Schema.parse(text_of(schema)), source="x.avsc", topic=TOPIC)
    assert caught.value.code == "schema_not_expressible"
