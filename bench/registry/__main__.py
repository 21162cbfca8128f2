"""`python -m bench.registry`: rounds of load against `exchange registry`, medians, bars, and a JSON file."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from bench.registry.report import report, show
from bench.registry.rounds import startups, traffic
from bench.registry.server import Contender, karapace, ours

RESULTS = Path(__file__).parents[1] / "results" / "registry.json"
KARAPACE = Path(".cache/karapace/bin/python")


async def measure(chosen: argparse.Namespace, rival: str | None) -> dict[str, Any]:
    """The parts that were asked for."""
    carried, starts = {}, {}
    if chosen.part in ("traffic", "all"):
        carried = await traffic(_contenders(rival, chosen.schemas), chosen.schemas, chosen.rounds)
    if chosen.part in ("start", "all"):
        starts = await startups(_contenders(rival, chosen.start_schemas), chosen.start_schemas, chosen.rounds)
    command = shlex.join(["python", "-m", "bench.registry", *sys.argv[1:]])
    return report(command, carried, starts, chosen.start_schemas, rival)


def _contenders(rival: str | None, highest_id: int) -> list[Contender]:
    return [ours()] if rival is None else [ours(), karapace(rival, highest_id)]


def _rival(given: str | None) -> str | None:
    """The command that starts Karapace: what was given, or the environment it may be installed in; else None."""
    if given:
        return given
    return f"{KARAPACE} -m karapace" if KARAPACE.exists() else None


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.registry", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--schemas", type=int, default=10_000, help="schemas that the traffic meets")
    parser.add_argument("--start-schemas", type=int, default=50_000, help="schemas that start-up and memory meet")
    parser.add_argument("--part", choices=("all", "traffic", "start"), default="all")
    parser.add_argument("--karapace", metavar="COMMAND", help="starts Karapace, to be measured beside")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    result = asyncio.run(measure(chosen, _rival(chosen.karapace)))
    chosen.out.parent.mkdir(exist_ok=True)
    chosen.out.write_text(json.dumps(result, indent=2) + "\n")
    show(result)
    print(f"written to {chosen.out}")


if __name__ == "__main__":
    main()
