"""The demo's report: what each line of the story promised, whether it held, and its figures."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console


class DidNotHold(AssertionError):
    """A promise of the story was not kept."""


@dataclass(slots=True)
class Line:
    """One line of the story."""

    number: int
    title: str
    held: bool = False
    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None


class Report:
    """Collects the lines, prints them as they happen, and is written as JSON."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.lines: list[Line] = []
        self._started = time.monotonic()

    @contextmanager
    def line(self, title: str) -> Iterator[Line]:
        """One line of the story: it held if the block ends without an exception."""
        line = Line(len(self.lines) + 1, title)
        self.lines.append(line)
        self.console.print(f"\n[bold]{line.number}. {title}[/bold]")
        started = time.monotonic()
        try:
            yield line
            line.held = True
        except Exception as error:
            line.failure = f"{type(error).__name__}: {error}"
            self.console.print(f"   [bold red]did not hold[/bold red]: {line.failure}", markup=True, highlight=False)
            raise
        finally:
            line.seconds = round(time.monotonic() - started, 2)
            if line.held:
                self.console.print(f"   [green]held[/green] in {line.seconds:.1f} s")

    def tell(self, text: str) -> None:
        """Say what happens, under the present line."""
        self.console.print(f"   {text}", highlight=False, markup=False)

    def write(self, path: Path, expected: int, peak_mib: float | None = None) -> bool:
        """Write the report; True when all `expected` lines held."""
        held = len(self.lines) == expected and all(line.held for line in self.lines)
        content = {
            "held": held,
            "seconds": round(time.monotonic() - self._started, 1),
            "peak_memory_mib": peak_mib,
            "lines": [asdict(line) for line in self.lines],
        }
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
        return held


def require(condition: object, message: str) -> None:
    """Raise DidNotHold unless `condition` holds."""
    if not condition:
        raise DidNotHold(message)
