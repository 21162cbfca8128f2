"""`exchange schema` against a running registry: register, list, show, compare."""

import json

import pytest

TOPIC = "gov.hydromet.observations.weather-observed.v1"
SUBJECT = f"{TOPIC}-value"
FILE = "schemas/hydromet/weather-observed.v1.avsc"


@pytest.fixture
def home(make_home, kafka):
    """A home whose registry runs and has the weather's schema."""
    home = make_home(kafka)
    home.ready(home.start("registry"), home.url("registry"))
    registered = home.run("-o", "json", "schema", "register", FILE, "--topic", TOPIC)
    assert registered.returncode == 0, registered.stderr
    return home


def data(home, *arguments, code=0):
    """What a command prints as JSON."""
    answer = home.run("-o", "json", "schema", *arguments)
    assert answer.returncode == code, answer.stderr
    return json.loads(answer.stdout)


def revised(tmp_path, change, name="weather-observed.v1.9.avsc"):
    """A file with a changed copy of the schema."""
    with open(FILE, encoding="utf-8") as file:
        raw = json.load(file)
    change(raw["fields"])
    path = tmp_path / name
    path.write_text(json.dumps(raw, indent=2), encoding="utf-8")
    return str(path)


def test_what_the_registry_holds_is_listed_and_shown(home):
    """One row a subject with its owner; one row a field, in words; the text as it was registered."""
    [row] = data(home, "list", "--prefix", "gov.hydromet.")
    assert row["subject"] == SUBJECT
    assert row["versions"][0] == 1
    assert (row["level"], row["owner"]) == ("BACKWARD", "UZ/GOV/hydromet/observations")
    assert data(home, "list", "--prefix", "nothing.") == []
    shown = data(home, "show", TOPIC, "--version", "1")
    assert (shown["subject"], shown["version"], shown["level"]) == (SUBJECT, 1, "BACKWARD")
    assert shown["name"] == "uz.gov.hydromet.observations.WeatherObserved"
    assert shown["fields"][1] == {
        "field": "observed_at",
        "type": "moment, to the millisecond",
        "default": "-",
        "classification": "-",
        "doc": "The full hour of the observation.",
    }
    text = home.run("schema", "show", SUBJECT, "--version", "1").stdout
    assert "number or null" in text
    assert "UZ/GOV/hydromet/observations" in text
    with open(FILE, encoding="utf-8") as file:
        assert home.run("schema", "show", SUBJECT, "--version", "1", "--raw").stdout == f"{file.read()}\n"
    missing = home.run("schema", "show", "gov.hydromet.observations.nothing.v1")
    assert missing.returncode == 4
    assert "nothing.v1-value" in missing.stderr


def test_a_file_is_checked_and_registered_against_what_is_registered(home, tmp_path):
    """--registry takes versions and level from there; what lint says is told at registration, and does not refuse."""
    narrower = revised(tmp_path, lambda fields: fields.pop(2))
    assert data(home, "check", narrower, "--topic", TOPIC, "--registry")["against"][0] == f"{SUBJECT}@1"
    broken = revised(tmp_path, lambda fields: fields.append({"name": "uvIndex", "type": "int"}))
    checked = data(home, "check", broken, "--registry", "--topic", TOPIC, code=4)
    assert checked["level"] == "BACKWARD"
    assert "'uvIndex' was added without a default" in checked["reasons"][0]
    proposed = data(home, "evolve", broken, "--registry", "--topic", TOPIC, "--write")
    assert proposed["steps"] == ["let field uvIndex be null, with null as its default"]
    registered = home.run("-o", "json", "schema", "register", broken, "--topic", TOPIC)
    assert registered.returncode == 0, registered.stderr
    assert "warning: field uvIndex should be named in snake_case: uv_index [name]" in registered.stderr
    version = json.loads(registered.stdout)["version"]
    compared = data(home, "diff", f"{TOPIC}@1", f"{SUBJECT}@latest")
    assert (compared["old"], compared["new"]) == (f"{SUBJECT}@1", f"{SUBJECT}@{version}")
    assert [each["field"] for each in compared["changes"]] == ["uvIndex"]
    assert data(home, "check", broken, "--registry", "--topic", TOPIC)["changes"] == []


def test_a_topic_without_a_schema_has_no_earlier_version(home, tmp_path):
    """The first schema of a topic follows nothing, in the registry, too."""
    topic = "gov.transport.flights.flight-departed.v1"
    with open("schemas/transport/flight-departed.v1.avsc", encoding="utf-8") as file:
        path = tmp_path / "flight-departed.v1.avsc"
        path.write_text(file.read(), encoding="utf-8")
    assert data(home, "check", str(path), "--registry", "--topic", topic)["against"] == []


def test_what_the_registry_refuses_is_told_in_words(home, tmp_path):
    """Incompatible: the field and why. Another agency's: who owns it. A topic of nobody: what comes first."""
    broken = revised(tmp_path, lambda fields: fields[1].update(type="string"))
    refused = home.run("schema", "register", broken, "--topic", TOPIC)
    assert refused.returncode == 4
    assert "the registry refused (HTTP 409)" in refused.stderr
    assert "'observed_at' changed from long to string" in refused.stderr
    foreign = home.run("schema", "register", FILE, "--topic", TOPIC, "--agency", "UZ/GOV/customs/tariff")
    assert foreign.returncode == 4
    assert "the registry refused (HTTP 403)" in foreign.stderr
    unknown = home.run("schema", "register", FILE, "--topic", "gov.hydromet.observations.nothing.v1")
    assert unknown.returncode == 3
    assert "its owner has it added first" in unknown.stderr


def test_a_schema_takes_types_from_another_topics(home, tmp_path):
    """--reference names the type and where it is; shown, the schema has it written out."""
    with open(FILE, encoding="utf-8") as observed:
        name = "{namespace}.{name}".format_map(json.load(observed))
    file = tmp_path / "station-moved.avsc"
    fields = [{"name": "observation", "type": name, "doc": "What was observed."}]
    record = {"type": "record", "name": "StationMoved", "namespace": "uz.gov.hydromet", "doc": "d", "fields": fields}
    file.write_text(json.dumps(record), encoding="utf-8")
    other = "gov.transport.flights.flight-departed.v1"
    assert home.run("schema", "register", FILE, "--topic", TOPIC).returncode == 0
    reference = f"{name}={SUBJECT}@1"
    registered = home.run("schema", "register", str(file), "--topic", other, "--reference", reference)
    assert registered.returncode == 0, registered.stderr
    shown = data(home, "show", other)
    assert "observation.station" in [each["field"] for each in shown["fields"]]
    wrong = home.run("schema", "register", str(file), "--topic", other, "--reference", "no place")
    assert wrong.returncode == 2
    assert "TYPE=SUBJECT@VERSION" in wrong.stderr
