"""What every chapter of the story uses: the instance, the command line as a person types it, the databases."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.load import Sizes
from deploy.demo.report import DidNotHold, Report
from exchange.cli.instance import Instance
from exchange.transport.http import HttpClient

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Stdout as JSON."""
        return json.loads(self.out)


@dataclass
class Stage:
    """One run of the demo in its own home folder."""

    home: Path
    report: Report
    sizes: Sizes = field(default_factory=Sizes)
    receipts: list[Path] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The folder of the agencies' legacy databases."""
        return self.home / "data"

    @property
    def instance(self) -> Instance:
        """The instance, read anew."""
        return Instance(self.home)

    async def cli(self, *arguments: str, expect: int | None = 0) -> Answer:
        """Run `exchange -o json …`; raises DidNotHold unless it exits with `expect`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "exchange.cli", "--home", str(self.home), "-o", "json", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "COLUMNS": "200"},
        )
        out, err = await process.communicate()
        answer = Answer(process.returncode or 0, out.decode(), err.decode())
        if expect is not None and answer.code != expect:
            raise DidNotHold(
                f"exchange {' '.join(arguments)}: exit {answer.code}, expected {expect}: {answer.err.strip()}"
            )
        return answer

    @contextmanager
    def database(self, agency: str) -> Iterator[sqlite3.Connection]:
        """An agency's legacy database; what the block does is committed at its end."""
        with closing(sqlite3.connect(self.data / f"{agency}.db", timeout=10)) as connection, connection:
            yield connection

    def rows(self, agency: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.database(agency) as connection:
            return connection.execute(query, parameters).fetchall()

    async def scrape(self, url: str) -> str:
        """A process's metrics, as text."""
        async with HttpClient(timeout=5.0) as http:
            return (await http.send("GET", f"{url}/metrics")).body.decode()

    def tell(self, text: str) -> None:
        """Say what happens."""
        self.report.tell(text)
