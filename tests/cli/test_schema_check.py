"""`exchange schema check` and `diff`: what a change breaks and for whom, before anybody sees it."""

import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESIDENCE = ROOT / "schemas/interior/residence-changed.v1.avsc"
REVISED = ROOT / "schemas/interior/residence-changed.v1.1.avsc"
BROKEN = ROOT / "deploy/demo/story/incompatible-residence-changed.avsc"
TOPIC = "gov.interior.civil.residence-changed.v1"
BENEFITS = "UZ/GOV/social/benefits"


@pytest.fixture
def draft(tmp_path):
    """`draft(change)` writes a changed residence schema to a file of its own."""

    def write(change, name="draft.avsc", source=RESIDENCE):
        raw = json.loads(source.read_text(encoding="utf-8"))
        change({each["name"]: each for each in raw["fields"]}, raw)
        path = tmp_path / name
        path.write_text(json.dumps(raw, indent=2, ensure_ascii=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the project's schema and adapter files and no instance, where the commands are run."""
    place = tmp_path / "ministry"
    for name in ("schemas", "adapters"):
        shutil.copytree(ROOT / name, place / name)
    monkeypatch.chdir(place)
    return place


def drop(name):
    """A change that removes a field."""
    return lambda fields, raw: raw["fields"].remove(fields[name])


def test_a_good_revision_passes(run, home):
    """The file before it is found beside it, and both ways of reading go on."""
    answer = run("schema", "check", str(REVISED))
    assert answer.code == 0
    assert answer.data["against"] == ["schemas/interior/residence-changed.v1.avsc"]
    assert answer.data["topic"] == TOPIC
    assert answer.data["lint"] == answer.data["reasons"] == []
    assert answer.data["new_schema_reads_old_events"] is True
    assert answer.data["present_subscribers_read_new_events"] is True
    assert [each["kind"] for each in answer.data["changes"]] == ["field_added"]
    assert "nothing stands in its way" in answer.err


def test_a_first_version_passes(run, home):
    """Nothing before it, nothing broken; only the house's rules hold."""
    answer = run("schema", "check", str(RESIDENCE), output="text")
    assert answer.code == 0
    assert "the first version, as far as can be seen" in answer.out


def test_what_breaks_is_told_with_those_who_read_it(run, home):
    """The field, in words; the agreement and the adapter's column that read it; exit 4."""
    answer = run("schema", "check", str(BROKEN), output="text")
    assert answer.code == 4
    assert "field district_code changed from text to whole number" in answer.out
    assert f"read by {BENEFITS}: agreement for benefit-administration" in answer.out
    adapter = "adapters/social/benefits.yaml, residences, column DISTRICT of RESIDENCE_COPY"
    assert f"read by {BENEFITS}: {adapter}" in answer.out
    assert "Can the new schema read old events?       no, because of field district_code" in answer.out
    assert "level BACKWARD refuses it after schemas/interior/residence-changed.v1.1.avsc" in answer.out


def test_programs_get_the_same(run, home):
    """In JSON: each change, whom it breaks, who reads it."""
    data = run("schema", "check", str(BROKEN)).data
    [change] = [each for each in data["changes"] if each["kind"] == "type_changed"]
    assert data["refused"] is True
    assert change["field"] == "district_code"
    assert change["breaks"] == ["new_schema_reads_old_events", "present_subscribers_read_new_events"]
    assert {each["agency"] for each in change["read_by"]} == {BENEFITS}
    assert {each["use"] for each in change["read_by"]} == {"", "column DISTRICT of RESIDENCE_COPY"}
    assert any(each.startswith("schemas/interior/residence-changed.v1.1.avsc: field") for each in data["reasons"])


def test_a_change_that_avro_reads_as_another_value_is_bad(run, home, tmp_path):
    """Two digits after the point became four: every level takes it, and 12.34 would be read as 0.1234. Exit 4."""
    price = {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}
    record = {"type": "record", "name": "Price", "namespace": "uz.gov.x", "doc": "d"}
    paths = [tmp_path / name for name in ("old.avsc", "new.avsc")]
    for path, scale in zip(paths, (2, 4), strict=True):
        fields = [{"name": "price", "doc": "d", "type": {**price, "scale": scale}}]
        path.write_text(json.dumps({**record, "fields": fields}), encoding="utf-8")
    answer = run("schema", "check", str(paths[1]), "--against", str(paths[0]), output="text")
    assert answer.code == 4
    assert "readers take old values for others" in answer.out
    assert "error: field price would be misread, and no error would say so: add a new field instead" in answer.out


def test_a_field_that_an_adapter_reads_cannot_just_go(run, home, draft):
    """The level takes it, but the adapter would refuse every new event: exit 4, and who it is."""
    answer = run("schema", "check", str(draft(drop("address"))), output="text")
    assert answer.code == 4
    assert "present subscribers cannot read new events" in answer.out
    loss = f"error: {BENEFITS} (adapters/social/benefits.yaml, residences) would refuse new events"
    assert f"{loss}, for they have no field address" in answer.out


def test_a_field_that_nobody_reads_may_go(run, home, draft):
    """It is told that nobody who is known reads it, and the check passes."""
    answer = run("schema", "check", str(draft(drop("registration_number"))), output="text")
    assert answer.code == 0
    assert "field registration_number was removed" in answer.out
    assert "read by nobody who is known here" in answer.out


@pytest.mark.parametrize(
    ("level", "code"), [("NONE", 0), ("backward", 0), ("FORWARD", 4), ("FULL_TRANSITIVE", 4), ("SIDEWAYS", 2)]
)
def test_the_level_decides(run, home, draft, level, code):
    """A field without a default that is removed is right at one level and wrong at another."""
    file = draft(drop("registration_number"))
    assert run("schema", "check", str(file), "--level", level).code == code


def test_a_revision_that_the_house_would_have_otherwise_is_warned_of(run, home, draft):
    """Lint warns, with the rule and what would be right; it does not refuse."""

    def change(fields, raw):
        raw["fields"].append({"name": "movedAt", "type": ["null", "long"], "default": None})

    answer = run("schema", "check", str(draft(change)), output="text")
    assert answer.code == 0
    assert "warning: field movedAt should be named in snake_case: moved_at [name]" in answer.out
    assert "field movedAt has no x-classification, and the topic holds personal data" in answer.out
    assert "see the warnings" in answer.err
    assert {each["rule"] for each in run("schema", "check", str(draft(change))).data["lint"]} == {
        *("doc", "name", "time", "classification")
    }


def test_the_earlier_version_can_be_named(run, home, draft):
    """--against says which file comes before; --topic whose subscribers are asked."""
    file = draft(drop("address"))
    answer = run("schema", "check", str(file), "--against", str(RESIDENCE), "--topic", TOPIC)
    assert answer.data["against"] == ["schemas/interior/residence-changed.v1.avsc"]
    assert answer.code == 4
    other = "gov.statistics.territory.territory-listed.v1"
    assert run("schema", "check", str(file), "--against", str(RESIDENCE), "--topic", other).code == 0
    assert run("schema", "check", str(file), "--topic", "nonsense").code == 2


def test_a_schema_that_is_none_is_named(run, home, tmp_path):
    """A file that is no schema, no JSON, or no text ends in one line with its name."""
    file = tmp_path / "x.avsc"
    for content, code, words in (
        (b'{"type": "record"}', 4, '"name" is missing'),
        (b"{", 4, "not JSON"),
        (b"\xff", 2, "UTF-8"),
    ):
        file.write_bytes(content)
        answer = run("schema", "check", str(file))
        assert answer.code == code
        assert f"error: {file}: " in answer.err
        assert words in answer.err


def test_a_file_of_no_known_topic_says_so(run, home, tmp_path):
    """Without a topic nobody is known who reads it, and the way out is named."""
    file = tmp_path / "x.avsc"
    file.write_text('"string"', encoding="utf-8")
    answer = run("schema", "check", str(file))
    assert answer.code == 0
    assert answer.data["topic"] is None
    assert "name the topic with --topic" in answer.err


def test_the_next_major_version_is_a_topic_of_its_own(run, folder):
    """A file with a higher first number follows nothing."""
    file = folder / "schemas/interior/residence-changed.v2.avsc"
    shutil.copy(BROKEN, file)
    assert run("schema", "check", str(file)).data["against"] == []


def test_versions_follow_their_numbers(run, folder):
    """The tenth revision follows the second, not the first that comes in the alphabet."""
    for minor in (2, 10):
        shutil.copy(REVISED, folder / f"schemas/interior/residence-changed.v1.{minor}.avsc")
    data = run("schema", "check", "schemas/interior/residence-changed.v1.10.avsc").data
    assert data["against"] == [f"schemas/interior/residence-changed.{each}.avsc" for each in ("v1", "v1.1", "v1.2")]
    assert data["changes"] == []


def test_without_an_instance_the_files_alone_are_looked_at(run, folder, draft):
    """A ministry's own copy is enough: adapter files say who reads; what is not looked at is told."""
    answer = run("schema", "check", str(draft(drop("address"))), output="text")
    assert answer.code == 4
    assert "no instance: agreements are not looked at" in answer.err
    assert "adapters/social/benefits.yaml" in answer.out
    assert "agreement for" not in answer.out


def test_a_draft_beside_broken_files_is_checked_all_the_same(run, folder, draft):
    """Adapter files that cannot be read are named and passed over; schemas that are none are, too."""
    (folder / "adapters/social/benefits.yaml").write_text("version: 7\n", encoding="utf-8")
    (folder / "schemas/interior/other.v1.avsc").write_text("{", encoding="utf-8")
    answer = run("schema", "check", str(draft(drop("address"))))
    assert answer.code == 0
    assert "not looked at: " in answer.err
    assert "benefits.yaml" in answer.err


def test_a_registry_needs_an_instance_and_a_topic(run, home, folder, tmp_path):
    """--registry without a topic that is known says what is missing."""
    file = tmp_path / "x.avsc"
    file.write_text('"string"', encoding="utf-8")
    answer = run("schema", "check", str(file), "--registry")
    assert answer.code == 2
    assert "--topic" in answer.err


def test_a_diff_of_files_is_told_in_sentences(run):
    """Each change is a line, then each way of reading."""
    answer = run("schema", "diff", str(RESIDENCE), str(REVISED), output="text")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "field registered_until was added; it may be left out: readers of old events see null",
        "",
        "Can the new schema read old events?       yes",
        "Can present subscribers read new events?  yes",
    ]
    same = run("schema", "diff", str(RESIDENCE), str(RESIDENCE), output="text")
    assert same.out.splitlines()[0] == "nothing changed that anybody would notice"


def test_a_diff_for_programs_says_whom_each_change_breaks(run):
    """The same as data; a diff that breaks is no failure of the command."""
    answer = run("schema", "diff", str(RESIDENCE), str(BROKEN))
    assert answer.code == 0
    assert answer.data["new_schema_reads_old_events"] is False
    assert answer.data["present_subscribers_read_new_events"] is False
    assert {each["kind"] for each in answer.data["changes"]} == {"type_changed", "doc", "field_added"}


def test_a_diff_of_nothing_says_how_versions_are_written(run, home):
    """A mistyped file is no version of the registry."""
    answer = run("schema", "diff", "nothing.avsc", str(RESIDENCE))
    assert answer.code == 2
    assert "nothing.avsc: no such file; a version of the registry is written TOPIC@VERSION" in answer.err


def test_the_guide_s_example_says_what_the_guide_has(run, home, draft):
    """The sentences in the guide are those that the command prints for the guide's change."""

    def change(fields, raw):
        raw["fields"].remove(fields["postal_code"])
        raw["fields"].insert(-2, {"name": "household_number", "type": "string"})

    guide = (ROOT / "docs/how-to/evolve-a-schema.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"^```text\n(.*?)^```$", guide, re.M | re.S)
    file = draft(change, name="residence-changed.v1.2.avsc", source=REVISED)
    answer = run("schema", "check", str(file), "--against", str(REVISED), output="text")
    assert answer.code == 4
    assert answer.out.replace(str(file), "schemas/interior/residence-changed.v1.2.avsc") == shown
