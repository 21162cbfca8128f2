"""What the house asks of a schema, and in what words."""

import json
from pathlib import Path

import pytest

from exchange.avro import Schema, lint
from exchange.avro.lint import MOST_FINDINGS

FILES = sorted((Path(__file__).parents[2] / "schemas").rglob("*.avsc"))
DATE = {"type": "int", "logicalType": "date"}
MOMENT = {"type": "long", "logicalType": "timestamp-millis"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}


def field(name, kind="string", **more):
    """A documented field."""
    return {"name": name, "type": kind, "doc": "Says what it is.", **more}


def record(*fields, **more):
    """A record that nothing is wrong with but, perhaps, its fields."""
    return {"type": "record", "name": "R", "namespace": "uz.gov.tax", "doc": "A thing.", "fields": [*fields], **more}


def found(raw, personal=False):
    """Each finding as (rule, path)."""
    return [(each.rule, each.path) for each in findings(raw, personal)]


def findings(raw, personal=False):
    """The findings of a schema given as plain JSON."""
    return lint(Schema.parse(json.dumps(raw)), personal)


def only(raw, personal=False):
    """The one finding there is."""
    [finding] = findings(raw, personal)
    return finding


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_schemas_of_the_house_keep_its_rules(path):
    """Nothing is found in the schemas that others learn from."""
    assert lint(Schema.parse(path.read_text(encoding="utf-8")), "interior" in path.parts) == []


@pytest.mark.parametrize("doc", [{}, {"doc": ""}, {"doc": "  "}, {"doc": 7}])
def test_every_part_needs_a_doc(doc):
    """A record, a field and an enum without a sentence are each named."""
    enum = {"type": "enum", "name": "Kind", "symbols": ["OTHER"], "default": "OTHER", **doc}
    raw = record({"name": "kind", "type": enum, **doc})
    raw = {key: value for key, value in raw.items() if key != "doc"} | doc
    assert found(raw) == [("doc", "/"), ("doc", "/fields/0"), ("doc", "/fields/0/type")]
    assert [each.message.partition(":")[0] for each in findings(raw)] == [
        'record R has no "doc"',
        'field kind has no "doc"',
        'enum Kind has no "doc"',
    ]


@pytest.mark.parametrize(
    ("name", "right"),
    [("birthDate", "birth_date"), ("PINFL", "pinfl"), ("HTTPStatus", "http_status"), ("a__b", "a_b"), ("_", "a")],
)
def test_a_field_s_name_is_in_snake_case(name, right):
    """The message has the name as it should be."""
    finding = findings(record(field(name, DATE)))[0]
    assert finding.rule == "name"
    assert finding.message == f"field {name} should be named in snake_case: {right}"


@pytest.mark.parametrize(("name", "right"), [("parcel_listed", "ParcelListed"), ("PARCEL", "Parcel"), ("x", "X")])
def test_a_type_s_name_is_in_camel_case(name, right):
    """Records, enums and fixed types alike."""
    assert only(record(name=name)).message == f"record {name} should be named in CamelCase: {right}"
    fixed = {"type": "fixed", "name": name, "size": 4}
    assert only(record(field("code", fixed))).message == f"fixed {name} should be named in CamelCase: {right}"


def test_symbols_are_in_upper_case():
    """One finding an enum, however many symbols are odd."""
    enum = {"type": "enum", "name": "Kind", "symbols": ["OTHER", "newBorn", "dead"], "default": "OTHER", "doc": "K."}
    finding = only(record(field("kind", enum)))
    assert (finding.rule, finding.path) == ("name", "/fields/0/type/symbols")
    assert finding.message == "enum Kind: symbol newBorn (and 1 more) should be in UPPER_CASE: NEW_BORN"
    enum["symbols"] = ["OTHER", "dead"]
    assert only(record(field("kind", enum))).message.startswith("enum Kind: symbol dead should")


@pytest.mark.parametrize(("namespace", "words"), [("", "no namespace"), ("Uz.Gov", "namespace Uz.Gov")])
def test_a_namespace_is_there_and_in_lower_case(namespace, words):
    """Without a namespace two agencies' types would be one."""
    finding = only(record(namespace=namespace))
    assert finding.rule == "namespace"
    assert finding.message.startswith(f"record R has {words}; it should be the agency's")


@pytest.mark.parametrize(
    ("name", "kind", "right"),
    [
        ("birth_date", "string", '"date"}, not string'),
        ("listed_on", "int", '"date"}, not int'),
        ("changed_at", "long", '"timestamp-millis"} (or timestamp-micros), not long'),
        ("changed_at", ["null", "string"], "not string"),
        ("departure_time", "string", "a time of day"),
        ("processing_time", "long", "a duration names its unit, e.g. processing_time_seconds"),
        ("valid_until", "string", "a moment is"),
        ("changedAt", "long", "a moment is"),
        ("changed_at", {"type": "string", "logicalType": "timestamp-millis"}, "not string"),
    ],
)
def test_dates_and_times_have_logical_types(name, kind, right):
    """A name that says date or time, and a type that does not, is told which type to use."""
    default = {"default": None} if isinstance(kind, list) else {}
    [finding] = [each for each in findings(record(field(name, kind, **default)), None) if each.rule == "time"]
    assert finding.path == "/fields/0/type"
    assert right in finding.message


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("listed_on", DATE),
        ("changed_at", MOMENT),
        ("changed_at", {"type": "long", "logicalType": "local-timestamp-micros"}),
        ("opening_time", {"type": "int", "logicalType": "time-millis"}),
        ("depends_on", "string"),
        ("air_time_minutes", "int"),
        ("is_on", "boolean"),
    ],
)
def test_what_is_a_time_or_none_is_left_alone(name, kind):
    """Logical types, units in the name, and other types are right as they are."""
    assert found(record(field(name, kind))) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("amount", "double"),
        ("price", "string"),
        ("debt_uzs", "long"),
        ("paid_usd", "string"),
        ("tariff", "float"),
        ("monthly_pension", ["null", "int"]),
    ],
)
def test_money_is_a_decimal(name, kind):
    """A name that says money, and a number or text, is told of the decimal."""
    default = {"default": None} if isinstance(kind, list) else {}
    finding = only(record(field(name, kind, **default)))
    assert (finding.rule, finding.path) == ("money", "/fields/0/type")
    assert '"logicalType": "decimal"' in finding.message


@pytest.mark.parametrize(
    ("name", "kind"),
    [("amount", MONEY), ("tariff", "string"), ("price_kind", "string"), ("payment_count", "int"), ("usd", "string")],
)
def test_what_is_no_money_is_left_alone(name, kind):
    """Decimals, names of kinds and counts are right as they are."""
    assert found(record(field(name, kind))) == []


@pytest.mark.parametrize(
    ("kind", "more"), [(["null", "string"], {}), (["string", "null"], {"default": "x"}), (["string", "null"], {})]
)
def test_what_may_be_missing_defaults_to_null(kind, more):
    """A nullable field without null first and as its default could never be removed."""
    finding = only(record(field("unit", kind, **more)))
    assert finding.rule == "default"
    assert 'put "null" first' in finding.message


def test_an_enum_needs_a_default():
    """Else its readers fail at the first symbol that a later version adds."""
    enum = {"type": "enum", "name": "Kind", "symbols": ["OTHER"], "doc": "K."}
    assert found(record(field("kind", enum))) == [("default", "/fields/0/type")]


def test_personal_data_have_no_maps():
    """A map among personal data is named, wherever it hides; one that is marked public is not."""
    hidden = {"type": "array", "items": {"type": "map", "values": "string"}}
    personal = {"x-classification": "personal"}
    assert found(record(field("more", hidden, **personal)), True) == [("map", "/fields/0/type/items")]
    assert found(record(field("more", hidden, **{"x-classification": "public"})), True) == []
    assert found(record(field("more", hidden)), False) == []
    assert found(record(field("more", hidden, **personal)), None) == [("map", "/fields/0/type/items")]


@pytest.mark.parametrize("mark", ["identifier", "personal", "sensitive", "public"])
def test_each_field_of_personal_data_is_classified(mark):
    """On a topic of personal data a field without a mark is named."""
    assert found(record(field("code", **{"x-classification": mark})), True) == []
    finding = only(record(field("code")), True)
    assert finding.rule == "classification"
    assert finding.message.startswith("field code has no x-classification")


def test_a_mark_is_one_of_four():
    """Another word is named, whatever the topic holds."""
    for personal in (True, False, None):
        finding = only(record(field("code", **{"x-classification": "secret"})), personal)
        assert finding.message.endswith("one of identifier, personal, sensitive, public")


def test_a_mark_holds_for_what_is_nested():
    """A marked record needs no more marks inside; in one that is not, each inner field needs its own."""
    inner = record(field("street"), field("house", **{"x-classification": "personal"}), name="Address")
    assert found(record(field("home", inner, **{"x-classification": "personal"})), True) == []
    for kind, pointer in (
        (inner, ""),
        ({"type": "array", "items": inner}, "/items"),
        (["null", {"type": "map", "values": inner}], "/1/values"),
    ):
        default = {"default": None} if isinstance(kind, list) else {}
        places = [path for rule, path in found(record(field("home", kind, **default)), True) if rule != "map"]
        assert places == [f"/fields/0/type{pointer}/fields/0"]
    nested = findings(record(field("home", inner)), True)[0]
    assert nested.message.startswith("field home.street has no")


def test_personal_data_need_a_topic_that_says_so():
    """A field marked as personal on a topic that is not is a question to the operators."""
    finding = only(record(field("code", **{"x-classification": "identifier"})), False)
    assert "the operators mark the topic `personal: true`" in finding.message
    assert found(record(field("code", **{"x-classification": "public"})), False) == []


def test_a_name_that_sounds_personal_is_asked_about():
    """A personal number without a mark is named on every topic."""
    for personal in (False, None):
        assert "sounds like personal data" in only(record(field("pinfl")), personal).message
    assert found(record(field("code")), None) == []


def test_a_type_named_again_is_looked_at_once():
    """What is wrong inside a type is told where the type is written out."""
    inner = record(field("Street"), name="Address")
    raw = record(field("home", inner), field("work", "uz.gov.tax.Address"))
    assert found(raw) == [("name", "/fields/0/type/fields/0")]


def test_a_schema_that_is_no_record_is_looked_at_as_well():
    """A primitive has nothing to be told of; an error is a record."""
    assert found("string") == []
    assert found(["null", {**record(name="bad"), "type": "error"}]) == [("name", "/1")]


def test_findings_are_bounded():
    """A schema that is wrong everywhere is told of the first places, in order."""
    raw = record(*({"name": f"F{i}", "type": "string"} for i in range(5_000)))
    listed = findings(raw)
    assert len(listed) == MOST_FINDINGS
    assert listed[0].path == "/fields/0"


def test_a_finding_reads_as_a_line():
    """The message, and the rule to look up."""
    assert str(only(record(name="x"))) == "record x should be named in CamelCase: X [name]"
