"""The demo's story, on a smaller scale: every process real, every line held."""

import asyncio
import json

from rich.console import Console

from deploy.demo.load import Sizes
from deploy.demo.report import Report
from deploy.demo.run import STORY, run


def test_every_line_of_the_story_holds(tmp_path):
    """Eight agencies exchange real data over a Kafka of their own, and each of the eight lines holds."""
    path = tmp_path / "report.json"
    sizes = Sizes(flights=20_000, observations=2_000, residents=3_000)
    held = asyncio.run(run(tmp_path / "home", Report(Console(quiet=True)), path, sizes))
    report = json.loads(path.read_text())
    assert [(line["title"], line["failure"]) for line in report["lines"]] == [(title, None) for title, _ in STORY]
    assert held
    assert report["held"]
    assert report["lines"][2]["figures"]["events"] == 20_000 + 2_000 + 3_000 + 223 + 6_939
    assert report["lines"][3]["figures"]["written"] == report["lines"][3]["figures"]["changes"] == 2_000
    assert set(report["lines"][4]["figures"]["refused"].values()) == {
        *("inclusion_invalid", "origin_mismatch", "publisher_not_allowed", "seal_malformed"),
    }
    assert report["lines"][5]["figures"]["denials"] == ["consent_missing", "field_not_agreed", "consent_withdrawn"]
    assert report["lines"][6]["figures"]["receipts"] == 5
