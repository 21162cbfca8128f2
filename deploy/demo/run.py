"""The demo: eight agencies of one instance exchange real data over a real Kafka. `make demo` runs it.

Tells the story line by line, writes `demo-report.json`, and exits 0 only if every line held. KEEP=1 leaves
everything running.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from deploy.demo.load import Sizes
from deploy.demo.memory import MemoryWatch
from deploy.demo.report import Report
from deploy.demo.stage import ROOT, Stage
from deploy.demo.story.beginning import create_instance, register_schemas
from deploy.demo.story.capture import publish_tables
from deploy.demo.story.change import follow_changes
from deploy.demo.story.figures import scrape_everything
from deploy.demo.story.forgery import refuse_forgeries
from deploy.demo.story.lookups import look_up
from deploy.demo.story.receipts import verify_receipts
from exchange.cli.down import stop
from exchange.cli.instance import Instance
from exchange.cli.supervisor import Supervisor
from exchange.settings import FILE_NAME

HOME = ROOT / ".cache" / "demo"
REPORT = ROOT / "demo-report.json"

STORY: tuple[tuple[str, Callable[[Stage], Awaitable[dict[str, Any]]]], ...] = (
    ("The instance is created: operators, members, keys, services, topics, agreements", create_instance),
    ("Schemas are registered; an incompatible one and a stranger's are refused", register_schemas),
    ("Adapters publish the tables; everything published is read back and verified", publish_tables),
    ("Changes reach a copy exactly once, through a SIGKILL", follow_changes),
    ("Forged, wrongly signed and unsigned records are refused, and kept", refuse_forgeries),
    ("Lookups: denied, permitted with consent, minimised, withdrawn; permitted by statute", look_up),
    ("Every use left an entry; each receipt is verified offline", verify_receipts),
    ("Every process is scraped; the console shows the run", scrape_everything),
)


async def run(home: Path, report: Report, path: Path, sizes: Sizes | None = None) -> bool:
    """Tell the story in a fresh `home` and write the report to `path`; True when every line held."""
    await _clear(home)
    stage = Stage(home, report, sizes or Sizes())
    watch = MemoryWatch(home)
    async with watch:
        with suppress(Exception):  # the report has it, and says that the line did not hold
            for title, chapter in STORY:
                with report.line(title) as line:
                    line.figures = await chapter(stage)
        keep = os.environ.get("KEEP") == "1"
        if keep:
            _print_urls(stage)
        elif (home / FILE_NAME).exists():
            await stop(Instance(home))
    report.tell(f"all processes together used at most {watch.peak_mib:,.0f} MiB")
    return report.write(path, len(STORY), round(watch.peak_mib))


async def _clear(home: Path) -> None:
    """Stop what an earlier run left running, and forget it."""
    if (home / FILE_NAME).exists():
        await stop(Instance(home))
    await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
    await asyncio.to_thread(home.mkdir, parents=True)


def _print_urls(stage: Stage) -> None:
    stage.tell("everything runs on; `.venv/bin/exchange --home .cache/demo down` stops it")
    for name, url in Supervisor(stage.home).urls().items():
        stage.tell(f"{name:<32} {url}")
    stage.tell(f"{'kafka':<32} {stage.instance.settings.kafka.bootstrap}")


def main() -> int:
    """The command: 0 when every line of the story held."""
    console = Console(highlight=False, soft_wrap=True)
    report = Report(console)
    gc.set_threshold(100_000, 50, 100)  # as the processes do: events are many small objects that live shortly
    held = uvloop.run(run(HOME, report, REPORT))
    verdict = "[bold green]every line held[/]" if held else "[bold red]not every line held[/]"
    console.print(f"\n{verdict}: {REPORT.name}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
