"""The specification and the decisions: true to the code where a test can tell, and without a dead link."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from exchange import errors
from exchange.consent import DENIALS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("spec/*.md")), *sorted(DOCS.glob("adr/*.md")), DOCS / "style.md", ROOT / "CONTRIBUTING.md"]
DECISIONS = sorted(DOCS.glob("adr/[0-9]*.md"))


def name_of(page: Path) -> str:
    """A page as the test report shows it."""
    return str(page.relative_to(ROOT))


def codes_in(page: str) -> list[str]:
    """The codes in a table's cells, in order: `| code |` or `| 1 | code |`."""
    text = (DOCS / "spec" / page).read_text("utf-8")
    return re.findall(r"^\| (?:[0-9] \| )?`([a-z_]+)` \|", text, re.M)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """Every link to another file of the project has that file."""
    text = re.sub(r"`[^`\n]*`", "", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target


def test_the_decision_is_told_in_its_order():
    """The table of denials is the code's, in the code's order."""
    assert codes_in("decision.md") == list(DENIALS)


def test_the_steps_of_opening_are_told_in_their_order():
    """The table of steps has the code of each step's error, in the order of the steps."""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.RecordRefused)]
    steps = sorted((kind.step, kind.code) for kind in kinds if kind.step)
    assert codes_in("seal.md") == [code for _, code in steps]


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_a_decision_has_its_four_parts(page):
    """Each decision says its context, what was decided, what follows, and what was rejected; on one page."""
    text = page.read_text("utf-8")
    parts = re.findall(r"^\*\*(Context|Decision|Consequences|Rejected)\.\*\*", text, re.M)
    assert parts == ["Context", "Decision", "Consequences", "Rejected"]
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert len(text.splitlines()) <= 35


def test_every_decision_is_in_the_list():
    """The list of decisions has each of them, in order."""
    listed = re.findall(r"\]\(([0-9]{4}-[a-z-]+\.md)\)", (DOCS / "adr" / "README.md").read_text("utf-8"))
    assert listed == [page.name for page in DECISIONS]


def test_the_packages_of_the_architecture_are_those_there_are():
    """The table of layers names every package of the project, and none that is not there."""
    text = (DOCS / "spec" / "architecture.md").read_text("utf-8")
    table = text.partition("## Layers")[2].partition("Within a package")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("|")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row[2])}
    packages = {each.name for each in (ROOT / "exchange").iterdir() if (each / "__init__.py").exists()}
    assert packages <= named
    assert {name for name in named if not (ROOT / "exchange" / f"{name}.py").exists()} == packages
