"""`exchange schema evolve`: the compatible form of a change, in the file's own layout."""

import json

import pytest

OLD = """{
  "type": "record", "name": "PersonListed", "namespace": "uz.gov.tax",
  "fields": [
    {"name": "code", "type": "string", "doc": "A code."},
    {"name": "age", "type": "long"},
    {
      "name": "kind",
      "type": {"type": "enum", "name": "Kind", "symbols": ["NEW", "KNOWN", "GONE"]}
    },
    {"name": "town", "type": ["null", "string"], "default": null},
    {"name": "weights", "type": {"type": "array", "items": {"type": "record", "name": "Weight", "fields": [
      {"name": "grams", "type": "int"}
    ]}}}
  ]
}
"""
LINES = OLD.splitlines(keepends=True)


@pytest.fixture
def evolve(run, tmp_path):
    """`evolve(new_text, *options)` runs the command on a draft after OLD; gives the answer and the draft's path."""
    before, draft = tmp_path / "before.avsc", tmp_path / "draft.avsc"
    before.write_text(OLD, encoding="utf-8")

    def call(text, *options, output="json", old=OLD):
        before.write_text(old, encoding="utf-8")
        draft.write_text(text, encoding="utf-8")
        return run("schema", "evolve", str(draft), "--against", str(before), *options, output=output), draft

    return call


def changed(*replacements):
    """OLD with parts replaced."""
    text = OLD
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    return text


ADDED = '{"name": "code", "type": "string", "doc": "A code."},\n    {"name": "phone", "type": "string"},'
SAFE = [
    pytest.param(
        ('{"name": "code", "type": "string", "doc": "A code."},', ADDED),
        ('{"name": "phone", "type": "string"}', '{"name": "phone", "type": ["null", "string"], "default": null}'),
        "let field phone be null, with null as its default",
        id="a new field may be left out",
    ),
    pytest.param(
        (
            '{"name": "code", "type": "string", "doc": "A code."},',
            ADDED.replace('"type": "string"}', '"type": ["string", "null"]}'),
        ),
        ('["string", "null"]}', '["null", "string"], "default": null}'),
        "let field phone be null, with null as its default",
        id="a new field that may be null has null as its default",
    ),
    pytest.param(
        ('"name": "code", "type"', '"name": "number", "type"'),
        ('"A code."}', '"A code.", "aliases": ["code"]}'),
        "give field number the alias code: the same field under another name",
        id="a renamed field gets an alias",
    ),
    pytest.param(
        (
            '"name": "kind",\n      "type": {"type": "enum", "name": "Kind",',
            '"name": "kind",\n      "type": {"type": "enum", "name": "Sort",',
        ),
        ('"GONE"]}', '"GONE"], "aliases": ["uz.gov.tax.Kind"]}'),
        "give the type of field kind the alias uz.gov.tax.Kind",
        id="a renamed type gets an alias",
    ),
    pytest.param(
        ('"name": "age", "type": "long"', '"name": "age", "type": "int"'),
        ('"name": "age", "type": "int"', '"name": "age", "type": "long"'),
        "leave field age as large whole number, which has room for whole number",
        id="a type stays as wide",
    ),
    pytest.param(
        ('["NEW", "KNOWN", "GONE"]', '["KNOWN"]'),
        ('["KNOWN"]', '["NEW", "KNOWN", "GONE"]'),
        "leave NEW, GONE among what field kind can be",
        id="symbols stay where they were",
    ),
    pytest.param(
        ('"type": ["null", "string"], "default": null}', '"type": "string"}'),
        ('"town", "type": "string"}', '"town", "type": ["null", "string"]}'),
        "let field town be null again",
        id="what could be null still can",
    ),
    pytest.param(
        ('"type": ["null", "string"], "default": null}', '"type": "string", "default": "-"}'),
        ('"town", "type": "string"', '"town", "type": ["string", "null"]'),
        "let field town be null again",
        id="null comes after a default of another type",
    ),
    pytest.param(
        ('{"name": "grams", "type": "int"}', '{"name": "grams", "type": "int"}, {"name": "unit", "type": "string"}'),
        ('"unit", "type": "string"}', '"unit", "type": ["null", "string"], "default": null}'),
        "let field unit of each item of weights be null, with null as its default",
        id="fields inside are found",
    ),
]


@pytest.mark.parametrize(("edit", "repair", "words"), SAFE)
def test_a_change_gets_its_compatible_form(run, evolve, edit, repair, words):
    """What is said is what is done, nothing else in the file moves, and the registry's level then takes it."""
    text = changed(edit)
    answer, draft = evolve(text)
    assert answer.code == 0, answer.err
    assert answer.data["steps"] == [words]
    assert answer.data["to_decide"] == []
    assert draft.read_text(encoding="utf-8") == text
    answer, draft = evolve(text, "--write")
    assert draft.read_text(encoding="utf-8") == text.replace(*repair) == answer.data["schema"]
    assert run("schema", "check", str(draft), "--against", str(draft.with_name("before.avsc"))).code == 0


def test_several_steps_are_taken_at_once(run, evolve):
    """All that is safe is done in one go, in the order of the fields."""
    text = changed(
        ('{"name": "code", "type": "string", "doc": "A code."},', ADDED),
        ('["NEW", "KNOWN", "GONE"]', '["NEW"]'),
        ('"name": "age", "type": "long"', '"name": "age", "type": "int"'),
    )
    answer, draft = evolve(text, "--write", output="text")
    assert answer.out.splitlines() == [
        "done: let field phone be null, with null as its default",
        "done: leave field age as large whole number, which has room for whole number",
        "done: leave KNOWN, GONE among what field kind can be",
    ]
    assert "compatible now" in answer.err
    assert evolve(draft.read_text(encoding="utf-8"), output="text")[0].err.endswith("compatible as it is\n")


def test_nothing_is_written_unless_asked(evolve):
    """Without --write it says what it would do, and how to have it done."""
    answer, draft = evolve(changed(('"age", "type": "long"', '"age", "type": "int"')), output="text")
    assert answer.out.startswith("would: leave field age")
    assert "--write makes it so" in answer.err
    assert '"age", "type": "int"' in draft.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "options", "words"),
    [
        (
            ('"age", "type": "long"', '"age", "type": "boolean"'),
            (),
            "leave field age as large whole number, and add a new field, which may be null, for true or false",
        ),
        (
            ('"age", "type": "long"', '"age", "type": "double"'),
            ("--level", "FULL"),
            "leave field age as large whole number, and add a new field, which may be null, for number",
        ),
        (
            ('"age", "type": "long"', '"age", "type": ["null", "long"]'),
            ("--level", "FORWARD"),
            "leave field age as it was, and add a new field, which may be null, for what is new",
        ),
        (
            ('"GONE"]', '"GONE", "BORN"]'),
            ("--level", "FORWARD"),
            "first give the enum of field kind a default, in a version of its own; then add symbols",
        ),
        (
            ('"name": "Kind"', '"name": "Sort", "aliases": ["Kind"]'),
            ("--level", "FORWARD"),
            "leave the type of field kind its name: uz.gov.tax.Kind",
        ),
        (
            ('"name": "code", "type": "string"', '"name": "number", "type": "string", "aliases": ["code"]'),
            ("--level", "FULL"),
            "keep field code beside number, which then needs no alias",
        ),
    ],
)
def test_what_a_person_has_to_decide_is_told(evolve, edit, options, words):
    """Where no edit is safe, the advice is given, the file is left alone, and the command exits with 4."""
    text = changed(edit)
    answer, draft = evolve(text, *options, "--write")
    assert answer.code == 4
    assert words in answer.data["to_decide"]
    assert answer.data["steps"] == []
    assert draft.read_text(encoding="utf-8") == text


def test_a_removed_field_stays_where_present_subscribers_need_it(evolve):
    """At FULL a field without a default goes back to where it was, as it was written."""
    text = OLD.replace(LINES[4], "")
    answer, draft = evolve(text, "--level", "FULL", "--write")
    assert answer.data["steps"] == ["keep field age: present subscribers need it"]
    assert draft.read_text(encoding="utf-8") == OLD
    assert evolve(text)[0].data["steps"] == []


def test_a_renamed_field_stays_and_the_new_one_is_optional_where_both_are_needed(evolve):
    """At FULL an alias does not help those who look for the old name: both fields are there."""
    text = changed(('"name": "code", "type"', '"name": "number", "type"'))
    answer, draft = evolve(text, "--level", "FULL", "--write")
    assert answer.code == 0
    names = [each["name"] for each in json.loads(draft.read_text(encoding="utf-8"))["fields"]]
    assert names == ["code", "number", "age", "kind", "town", "weights"]
    assert "keep field code: present subscribers need it" in answer.data["steps"]
    assert "let field number be null, with null as its default" in answer.data["steps"]


def test_a_removed_field_that_somebody_reads_stays(run, home, tmp_path):
    """The level would take the removal; the agency that reads the field is named as the reason to keep it."""
    topic = "gov.interior.civil.residence-changed.v1"
    raw = json.loads(open_residence())
    raw["fields"] = [each for each in raw["fields"] if each["name"] not in ("address", "registered_by")]
    draft = tmp_path / "draft.avsc"
    draft.write_text(json.dumps(raw), encoding="utf-8")
    answer = run("schema", "evolve", str(draft), "--topic", topic, "--write")
    assert answer.code == 0
    assert answer.data["steps"] == ["keep field address: UZ/GOV/social/benefits reads it"]
    names = [each["name"] for each in json.loads(draft.read_text(encoding="utf-8"))["fields"]]
    assert "address" in names
    assert "registered_by" not in names
    assert run("schema", "check", str(draft)).code == 0


def open_residence():
    """The text of the residence schema's newest version."""
    with open("schemas/interior/residence-changed.v1.1.avsc", encoding="utf-8") as file:
        return file.read()


def record_of(*fields):
    """The text of a record with these fields, each given as JSON."""
    return f'{{"type": "record", "name": "R", "fields": [{", ".join(fields)}]}}'


def test_a_step_that_gives_no_schema_is_left_to_a_person(evolve):
    """A removed field cannot simply come back where another type has its type's name by now."""
    old = record_of('{"name": "a", "type": {"type": "enum", "name": "K", "symbols": ["A"]}}')
    new = record_of('{"name": "b", "default": null, "type": ["null", {"type": "fixed", "name": "K", "size": 2}]}')
    answer, draft = evolve(new, "--level", "FORWARD", "--write", old=old)
    assert answer.code == 4
    assert answer.data["to_decide"] == ["keep field a: present subscribers need it"]
    assert draft.read_text(encoding="utf-8") == new


def test_a_union_gets_its_branch_back(evolve):
    """A type that is no longer among several comes back at the end of them."""
    old = record_of('{"name": "a", "type": ["null", "int", "string"]}')
    answer, draft = evolve(old.replace(', "string"]', ', "boolean"]'), "--write", old=old)
    assert answer.data["steps"] == ["let field a also be text again"]
    assert '["null", "int", "boolean", "string"]' in draft.read_text(encoding="utf-8")


def test_a_type_that_is_left_alone_becomes_a_union_again(evolve):
    """Where one branch of several stayed, the others come back beside it."""
    old = record_of('{"name": "a", "type": ["boolean", "int", "string"]}')
    _, draft = evolve(record_of('{"name": "a", "type": "boolean"}'), "--write", old=old)
    assert draft.read_text(encoding="utf-8") == old


def test_an_alias_joins_those_there_are(evolve):
    """A second rename keeps the first one's alias."""
    old = changed(('"A code."', '"A code.", "aliases": ["cipher"]'))
    answer, draft = evolve(old.replace('"name": "code"', '"name": "number"'), "--write", old=old)
    assert answer.code == 0
    assert '"aliases": ["cipher", "code"]' in draft.read_text(encoding="utf-8")


def test_a_file_s_own_layout_is_kept(evolve):
    """Members on lines of their own get new ones on lines of their own."""
    old = '{\n\t"type": "record",\n\t"name": "R",\n\t"fields": []\n}\n'
    new = old.replace("[]", '[\n\t\t{\n\t\t\t"name": "a",\n\t\t\t"type": "int"\n\t\t}\n\t]')
    _, draft = evolve(new, "--write", old=old)
    wanted = new.replace('"type": "int"\n', '"type": ["null", "int"],\n\t\t\t"default": null\n')
    assert draft.read_text(encoding="utf-8") == wanted


def test_a_field_comes_back_into_an_empty_record(evolve):
    """Even where nothing is left to stand beside."""
    old = record_of('{"name": "a", "type": "int"}')
    answer, draft = evolve(record_of(), "--level", "FULL", "--write", old=old)
    assert answer.code == 0
    assert draft.read_text(encoding="utf-8") == old


def test_without_an_earlier_version_there_is_nothing_to_propose(run, home, tmp_path):
    """A file that follows nothing is told so, with the way out."""
    draft = tmp_path / "draft.avsc"
    draft.write_text('{"type": "record", "name": "Unheard", "fields": []}', encoding="utf-8")
    answer = run("schema", "evolve", str(draft))
    assert answer.code == 2
    assert "name it with --against" in answer.err


WEIGHT = '{"type": "record", "name": "W", "fields": [%s]}'
NAMED_ELSEWHERE = [
    ('{"name": "g", "type": "int"}', '{"name": "g", "type": "int"}, {"name": "u", "type": "int"}'),
    ('{"name": "g", "type": ["null", "int"]}', '{"name": "g", "type": "int"}'),
    ('{"name": "g", "type": ["int", "string"]}', '{"name": "g", "type": ["int", "boolean"]}'),
    ('{"name": "g", "type": "long"}', '{"name": "g", "type": "int"}'),
    (
        '{"name": "g", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}}',
        '{"name": "g", "type": {"type": "enum", "name": "E", "symbols": ["A"]}}',
    ),
    (
        '{"name": "g", "type": {"type": "fixed", "name": "E", "size": 2}}',
        '{"name": "g", "type": {"type": "fixed", "name": "F", "size": 2}}',
    ),
]


@pytest.mark.parametrize(("before", "after"), NAMED_ELSEWHERE)
def test_a_type_that_stands_elsewhere_in_the_file_is_left_to_a_person(evolve, before, after):
    """Where a changed type has moved into a new field, no edit is made at the place that only names it."""
    old = record_of(f'{{"name": "b", "type": {WEIGHT % before}}}')
    moved = f'{{"name": "a", "type": ["null", {WEIGHT % after}], "default": null}}'
    answer, draft = evolve(record_of(moved, '{"name": "b", "type": "W"}'), "--write", old=old)
    assert answer.code == 4
    assert len(answer.data["to_decide"]) == 1
    assert draft.read_text(encoding="utf-8") == record_of(moved, '{"name": "b", "type": "W"}')


def test_a_field_removed_from_a_type_that_stands_elsewhere_is_left_to_a_person(evolve):
    """The same for a field that would have to come back."""
    old = record_of(f'{{"name": "b", "type": {WEIGHT % NAMED_ELSEWHERE[0][1]}}}')
    moved = f'{{"name": "a", "type": ["null", {WEIGHT % NAMED_ELSEWHERE[0][0]}], "default": null}}'
    answer, _ = evolve(record_of(moved, '{"name": "b", "type": "W"}'), "--level", "FULL", old=old)
    assert answer.code == 4
    assert "keep field u of b: present subscribers need it" in answer.data["to_decide"]


def test_what_would_be_misread_is_left_to_a_person(run, home, tmp_path):
    """A time in other units fits, and is wrong: the old field stays, a new one takes the new unit."""
    record = {"type": "record", "name": "Seen", "namespace": "uz.gov.x", "doc": "d"}
    paths = [tmp_path / name for name in ("old.avsc", "new.avsc")]
    for path, unit in zip(paths, ("millis", "micros"), strict=True):
        fields = [{"name": "seen_at", "doc": "d", "type": {"type": "long", "logicalType": f"timestamp-{unit}"}}]
        path.write_text(json.dumps({**record, "fields": fields}), encoding="utf-8")
    answer = run("schema", "evolve", str(paths[1]), "--against", str(paths[0]), output="text")
    assert answer.code == 4
    assert "leave field seen_at as moment, to the millisecond, and add a new field, which may be null" in answer.out
