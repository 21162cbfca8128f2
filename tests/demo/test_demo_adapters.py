"""The demo's adapter files: they name what is there, and every row they take fits its schema."""

import sqlite3
from contextlib import closing

import pytest
from demo_files import ROOT
from ruamel.yaml import YAML

from exchange.avro import Schema
from exchange.connect.fields import TargetField, fields_of
from exchange.connect.file import load_adapter
from exchange.connect.mapping import RowMapper, TableMapping

FILES = sorted((ROOT / "adapters").rglob("*.yaml"))
PUBLISHED = ["customs", "hydromet", "interior", "statistics", "transport"]
PEPPER = bytes(32)


def sections(path, *names):
    """The entries of an adapter file's sections, as YAML has them."""
    tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return [entry for name in names for entry in tree.get(name, [])]


def columns_in(node):
    """Every column that a part of the file names in a field, a key, a time or an individual."""
    if isinstance(node, str):
        return [node]
    if "pseudonym" in node:
        return columns_in(node["pseudonym"])
    return [node["column"]] if "column" in node else []


def table_columns(path, table):
    """The columns of a table, generated ones too."""
    with closing(sqlite3.connect(path)) as connection:
        return {row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})")}


def adapter_of(agency, files):
    """The agency's adapter, read with the demo's variables."""
    (path,) = (ROOT / "adapters" / agency).glob("*.yaml")
    data = str(files[agency].parent)
    return load_adapter(path, {"DATA": data, "TAX_PORT": "8101", "CIVIL_PORT": "8102"})


def selected(path, table, columns):
    """The rows of a table, in the order of `columns`."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ROWID").fetchall()


def published(agency, files):
    """Schema, and the event of every row, of the agency's one publisher."""
    (publication,) = adapter_of(agency, files).publishers
    schema = Schema.parse((ROOT / publication.schema_).read_text(encoding="utf-8"))
    mapping = TableMapping(publication, fields_of(schema), PEPPER)
    return schema, [mapping(row) for row in selected(files[agency], publication.table, mapping.columns)]


def answers(agency, files):
    """What the agency's one service would say of every row."""
    (service,) = adapter_of(agency, files).services
    targets = {name: TargetField(name, "json", nullable=True) for name in service.fields}
    mapper = RowMapper(service.fields, targets, PEPPER)
    return [mapper(row) for row in selected(files[agency], service.table, mapper.columns)]


def test_every_agency_but_procurement_has_an_adapter():
    """Seven files, one an agency; procurement only asks."""
    agencies = [path.parent.name for path in FILES]
    assert agencies == ["customs", "hydromet", "interior", "social", "statistics", "tax", "transport"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_adapter_opens_with_what_it_does(path):
    """Whoever opens the file at the ministry reads first what it does to their database."""
    opening = path.read_text(encoding="utf-8").partition("version: 1")[0].splitlines()
    assert len(opening) >= 4
    assert all(line.startswith("#") for line in opening)
    assert "exchange adapter check" in opening[-1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_columns_are_in_the_tables(path, small_files):
    """Every column that a file names is in the table it names."""
    database = small_files[path.parent.name]
    for entry in sections(path, "publishers", "services"):
        named = [column for field in entry["fields"].values() for column in columns_in(field)]
        named += columns_in(entry.get("time", {})) + columns_in(entry.get("individual", {}))
        key = entry.get("key", [])
        named += key if isinstance(key, list) else columns_in(key)
        named += [entry["cursor"]] if "cursor" in entry else []
        assert set(named) <= table_columns(database, entry["table"])
    for entry in sections(path, "subscriptions"):
        assert set(entry["columns"]) | set(entry["match"]) <= table_columns(database, entry["table"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_fields_are_those_of_the_schema(path):
    """A publisher fills every field of its schema and names none that is not there."""
    for entry in sections(path, "publishers"):
        schema = Schema.parse((ROOT / entry["schema"]).read_text(encoding="utf-8"))
        assert set(entry["fields"]) == set(schema.field_names())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_schema_has_the_name_of_its_topic(path):
    """Event and major version of the topic are the name of the schema's file, in the agency's own folder."""
    for entry in sections(path, "publishers"):
        assert entry["schema"] == f"schemas/{path.parent.name}/{entry['topic'].split('.', 3)[3]}.avsc"


@pytest.mark.parametrize("agency", PUBLISHED)
def test_every_row_fits_its_schema(small_files, agency):
    """No row of the demo's tables ends as a dead letter."""
    schema, events = published(agency, small_files)
    for event in events:
        assert schema.encode(event.data)


@pytest.mark.parametrize("agency", PUBLISHED)
def test_every_row_has_a_key_of_its_own(small_files, agency):
    """A key names one row of the table."""
    _, events = published(agency, small_files)
    keys = [event.key for event in events]
    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_a_resident_is_keyed_by_pseudonym(small_files):
    """The personal number is in the sealed value, not in the key or the subject."""
    _, events = published("interior", small_files)
    for event in events:
        assert event.key == event.subject
        assert len(event.key) == 26
        assert event.data["pinfl"] not in event.key


def test_a_resident_event_is_236_bytes_on_average(whole_files):
    """The event that speed is measured with keeps its size."""
    schema, events = published("interior", whole_files)
    sizes = [len(schema.encode(event.data)) for event in events]
    assert round(sum(sizes) / len(sizes)) == 236


def test_times_are_those_of_their_zone(small_files):
    """A wall clock time in New York, or in Tashkent, goes out as the moment it was."""
    _, flights = published("transport", small_files)
    assert flights[0].data["scheduled_departure"].isoformat() == "2013-01-01T10:15:00+00:00"
    assert flights[0].data["actual_departure"].isoformat() == "2013-01-01T10:17:00+00:00"
    _, weather = published("hydromet", small_files)
    assert weather[0].data["observed_at"].isoformat() == "2013-01-01T06:00:00+00:00"
    assert weather[0].time.isoformat() == "2013-01-01T06:12:00+00:00"


@pytest.mark.parametrize(
    ("agency", "column", "placeholder", "field"),
    [
        ("transport", "BORT", "NA", "tail_number"),
        ("transport", "V_POLETE", -999, "air_time_minutes"),
        ("hydromet", "PRESSURE", -999.0, "pressure_hpa"),
        ("hydromet", "WIND_DIR", "NA", "wind_direction_degrees"),
        ("customs", "GURUH", "-", "commodity_group"),
        ("interior", "INDEKS", "", "postal_code"),
    ],
)
def test_placeholders_go_out_as_null(small_files, agency, column, placeholder, field):
    """What a table says with NA, -999 or an empty text, an event says with null."""
    (publication,) = adapter_of(agency, small_files).publishers
    held = [value for (value,) in selected(small_files[agency], publication.table, [column])]
    _, events = published(agency, small_files)
    sent = [event.data[field] for event in events]
    assert placeholder in held
    assert sent == [None if value == placeholder else value for value in held]


def test_tax_answers_in_words(whole_files):
    """Codes become words, CP1251 becomes text, debt is in soums with tiyin, to the digit."""
    standings = set()
    for answer in answers("tax", whole_files):
        standings.add(answer["standing"])
        assert answer["legal_name"] is None or "«" in answer["legal_name"]
        assert answer["debt_uzs"].partition(".")[2].isdigit()
    assert standings == {"in_good_standing", "in_debt", "debt_deferred", "suspended", "liquidated"}


def test_interior_answers_where_someone_lives(small_files):
    """The residence service knows region and district of every resident."""
    for answer in answers("interior", small_files):
        assert answer["district_code"].startswith(answer["region_code"])
