"""An instance on disk, and the command line as a person types it."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from exchange.cli.app import exchange

MEMBERS = Path(__file__).parents[2] / "deploy/demo/members.yaml"


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self):
        """Stdout as JSON."""
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path):
    """`run("config")` runs `exchange --home <tmp>/home config` in this process."""

    def call(*arguments, output="json", stdin=None):
        home = ["--home", str(tmp_path / "home"), "-o", output]
        result = CliRunner().invoke(exchange, [*home, *arguments], input=stdin, catch_exceptions=False)
        return Answer(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def home(run, tmp_path):
    """The home of a new instance made from the demo's members file."""
    answer = run("init", str(MEMBERS), "--free-ports")
    assert answer.code == 0, answer.err
    return tmp_path / "home"
