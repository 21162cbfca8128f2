"""Which version a schema file is, what came before it, and whose topic it is of."""

import json
from pathlib import Path

import pytest

from exchange.avro import Schema
from exchange.cli.instance import Instance
from exchange.cli.schema_files import FileName, earlier_files, full_name, read_schema
from exchange.cli.schema_readers import look_around
from exchange.errors import SchemaInvalid, SettingsError


def record(name="R", *fields):
    """The text of a record schema."""
    return json.dumps({"type": "record", "name": name, "fields": [{"name": each, "type": "int"} for each in fields]})


@pytest.fixture
def files(tmp_path):
    """`files(name=text, …)` writes schema files into `schemas/tax` and gives the folder of all schemas."""

    def write(**texts):
        folder = tmp_path / "schemas" / "tax"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / f"{name.replace('__', '.').replace('_', '-')}.avsc").write_text(text, encoding="utf-8")
        return tmp_path / "schemas"

    return write


def earlier(path, folder):
    """The names of the files before a file."""
    return [each.name for each in earlier_files(path, read_schema(path), folder)]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("debt-paid.v1.avsc", ("debt-paid", 1, 0)),
        ("debt-paid.v2.13.avsc", ("debt-paid", 2, 13)),
        ("debt-paid.avsc", None),
        ("debt-paid.v0.avsc", None),
        ("debt-paid.v1.2.3.avsc", None),
        ("debt-paid.v1.json", None),
    ],
)
def test_a_file_s_name_says_its_version(name, parts):
    """`<event>.v<major>[.<minor>].avsc`; anything else is no version."""
    named = FileName.parse(Path(name))
    assert (named and (named.event, named.major, named.minor)) == parts


def test_a_version_follows_those_of_its_own_line(files):
    """Same event, same first number, lower second number; in the order of numbers."""
    folder = files(a__v1=record(), a__v1__2=record(), a__v1__10=record(), a__v2=record(), b__v1=record())
    assert earlier(folder / "tax/a.v1.10.avsc", folder) == ["a.v1.avsc", "a.v1.2.avsc"]
    assert earlier(folder / "tax/a.v1.avsc", folder) == []
    assert earlier(folder / "tax/a.v2.avsc", folder) == []


def test_a_draft_follows_every_version_of_its_record(files, tmp_path):
    """A file elsewhere is known by its record's name: it follows the newest line, or the one that it names."""
    folder = files(a__v1=record("A"), a__v2=record("A"), a__v2__1=record("A"), b__v3=record("B"), notes=record("A"))
    draft = tmp_path / "draft.avsc"
    draft.write_text(record("A", "x"), encoding="utf-8")
    assert earlier(draft, folder) == ["a.v2.avsc", "a.v2.1.avsc"]
    named = tmp_path / "a.v1.7.avsc"
    named.write_text(record("A", "x"), encoding="utf-8")
    assert earlier(named, folder) == ["a.v1.avsc"]
    inside = folder / "tax" / "notes.avsc"
    assert earlier(inside, folder) == ["a.v2.avsc", "a.v2.1.avsc"]
    draft.write_text(record("Unheard"), encoding="utf-8")
    assert earlier(draft, folder) == []


def test_a_schema_without_a_name_has_none():
    """Only named types can be found by their name."""
    assert full_name(Schema.parse('"string"')) == ""
    assert full_name(Schema.parse('{"type": "array", "items": "int"}')) == ""
    assert full_name(Schema.parse('{"type": "record", "namespace": "uz", "name": "R", "fields": []}')) == "uz.R"


def test_what_cannot_be_read_is_named(tmp_path):
    """A missing file, a folder, and a text that is no schema: each with its path."""
    with pytest.raises(SettingsError, match=r"none\.avsc: no such file"):
        read_schema(tmp_path / "none.avsc")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_schema(tmp_path)
    (tmp_path / "x.avsc").write_text('{"type": "recrod"}', encoding="utf-8")
    with pytest.raises(SchemaInvalid, match=r"x\.avsc: .*recrod"):
        read_schema(tmp_path / "x.avsc")


ADAPTER = """
version: 1
agency: UZ/GOV/tax/registry
database: {url: "sqlite:///${DATA}/tax.db", poll: 1s}
publishers:
  - name: debts
    topic: gov.tax.registry.debt-changed.v1
    schema: schemas/tax/a.v1.avsc
    table: QARZ
    cursor: OZG
    fields: {x: X}
subscriptions:
  - name: own-debts
    topic: gov.tax.registry.debt-changed.v1
    table: QARZ_COPY
    columns: {NOMER: x}
    match: [NOMER]
"""


def test_a_file_is_of_the_topic_that_an_adapter_publishes_with_it(files, tmp_path, monkeypatch):
    """The adapter file says so, for the version it names and for those after it; without one, nothing does."""
    folder = files(a__v1=record(), a__v1__1=record(), b__v1=record())
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters/tax.yaml").write_text(ADAPTER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    around = look_around(instance_without_home(tmp_path))
    first, second = folder / "tax/a.v1.avsc", folder / "tax/a.v1.1.avsc"
    assert around.topic_of(first, []) == around.topic_of(second, [first]) == "gov.tax.registry.debt-changed.v1"
    assert around.topic_of(folder / "tax/b.v1.avsc", []) is None
    assert around.is_personal("gov.tax.registry.debt-changed.v1") is None
    [reader] = around.readers("gov.tax.registry.debt-changed.v1")
    assert (reader.agency, reader.where) == ("UZ/GOV/tax/registry", "adapters/tax.yaml, own-debts")
    assert reader.fields == {"x": "column NOMER of QARZ_COPY"}
    assert around.readers("gov.tax.registry.other.v1") == []


def instance_without_home(tmp_path):
    """An instance whose home was never made."""
    return Instance(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("file", "topic"),
    [
        ("statistics/territory-listed.v1.3.avsc", "gov.statistics.territory.territory-listed.v1"),
        ("elsewhere/territory-listed.v1.avsc", "gov.statistics.territory.territory-listed.v1"),
        ("statistics/territory-listed.v2.avsc", None),
        ("statistics/territory.avsc", None),
    ],
)
def test_a_file_is_of_the_topic_that_is_named_like_it(home, file, topic):
    """Where no adapter says so, the directory's topic of that event and number is meant."""
    around = look_around(Instance(home, environment={}))
    assert around.topic_of(Path("other") / file, []) == topic
    assert around.is_personal(topic) is (False if topic else None)
