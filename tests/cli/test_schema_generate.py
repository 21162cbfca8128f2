"""`exchange schema generate`, as a programmer uses it."""

from __future__ import annotations

import json
import runpy
from datetime import date
from pathlib import Path

import pytest

SCHEMAS = Path(__file__).parents[2] / "schemas"
CODES = SCHEMAS / "customs" / "code-listed.v1.avsc"
TOPIC = "gov.customs.tariff.code-listed.v1"


def test_a_module_is_printed_and_its_topic_found(run, home):
    """The directory has one topic of that name: the class says it."""
    answer = run("schema", "generate", str(CODES))
    assert answer.code == 0
    assert answer.out.startswith("# Generated from code-listed.v1.avsc by")
    assert f'    __topic__: ClassVar[str] = "{TOPIC}"' in answer.out


@pytest.mark.parametrize("style", ["dataclass", "msgspec"])
def test_every_schema_of_the_demo_becomes_a_module(run, home, tmp_path, style):
    """A folder gets one module a file, named for it; each can be imported."""
    files = sorted(map(str, SCHEMAS.rglob("*.avsc")))
    answer = run("schema", "generate", *files, "--out", str(tmp_path / "events"), "--style", style)
    assert answer.code == 0, answer.err
    modules = {each.name: runpy.run_path(str(each)) for each in (tmp_path / "events").glob("*.py")}
    assert len(modules) == len(files)
    listed = modules["code_listed_v1.py"]["CodeListed"]
    assert listed.__schema__ == CODES.read_text().strip()
    event = listed(
        code="01", level=modules["code_listed_v1.py"]["CodeLevel"].CHAPTER, description="Live animals",
        deforestation_rules=False, timber_rules=False, carbon_border_rules=False, valid_from=date(2026, 1, 1),
    )  # fmt: skip
    assert listed.from_dict(event.to_dict()) == event
    assert event.to_dict()["level"] == "CHAPTER"


def test_check_compares_and_writes_nothing(run, home, tmp_path):
    """Exit code 1 until the module is as it would be written: for a build."""
    place = tmp_path / "codes.py"
    command = ("schema", "generate", str(CODES), "--out", str(place))
    assert run(*command, "--check").code == 1
    assert not place.exists()
    run(*command)
    assert run(*command, "--check").code == 0
    place.write_text(place.read_text() + "# mine\n")
    answer = run(*command, "--check")
    assert answer.code == 1
    assert f"{place}: not as `exchange schema generate` writes it" in answer.err


def test_a_file_that_no_topic_is_known_for_needs_one(run, home, tmp_path):
    """The message says how to name it."""
    file = tmp_path / "unheard-of.v1.avsc"
    file.write_text(json.dumps({"type": "record", "name": "R", "fields": []}))
    answer = run("schema", "generate", str(file))
    assert answer.code == 2
    assert "name the topic with --topic" in answer.err
    assert run("schema", "generate", str(file), "--topic", TOPIC).code == 0


def test_what_cannot_be_said_in_classes_names_the_file(run, home, tmp_path):
    """Exit code 4, and nothing is written."""
    file = tmp_path / "kind.v1.avsc"
    file.write_text(json.dumps({"type": "enum", "name": "E", "symbols": ["A"]}))
    answer = run("schema", "generate", str(file), "--topic", TOPIC, "--out", str(tmp_path / "kind.py"))
    assert answer.code == 4
    assert "kind.v1.avsc: only a record becomes a class" in answer.err.replace(str(tmp_path), "")
    assert "schema_not_expressible" in answer.err
    assert not (tmp_path / "kind.py").exists()


@pytest.mark.parametrize("more", [[], ["--out", "one.py"], ["--out", "folder", "--topic", TOPIC]])
def test_several_files_need_a_folder_and_their_own_topics(run, home, more):
    """One file or topic for several schemas is a mistake."""
    answer = run("schema", "generate", str(CODES), str(SCHEMAS / "hydromet" / "weather-observed.v1.avsc"), *more)
    assert answer.code == 2
    assert "each gets a module and a topic of its own" in answer.err
