"""`python -m bench`: alternating rounds, medians, a table, and bench/results/bus.json."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
from pathlib import Path
from typing import Any

from bench import disk, processes, rates
from bench.instance import running
from bench.report import report, show

RESULTS = Path(__file__).parent / "results" / "bus.json"
PARTS = ("small", "wide", "large", "disk", "memory", "latency")


async def measure(parts: list[str], rounds: int, count: int, command: str) -> dict[str, Any]:
    """Run the chosen parts against one Kafka and one registry."""
    courses = [each for each in rates.courses() if each.name in parts]
    peaks: dict[str, float] = {}
    latencies: list[dict[str, float]] = []
    seal_bytes, seed = None, os.urandom(32)
    topics = rates.topics(courses, rounds) | processes.topics(rounds) | disk.topics()
    async with running(topics, seed) as instance:
        gc.collect()
        gc.set_threshold(100_000, 50, 100)  # as our processes do; for every contender alike
        for course in courses:
            await rates.run(instance, course, rounds, count)
        if "disk" in parts:
            seal_bytes = await disk.more_per_event(instance, count)
        if "memory" in parts:
            peaks = await processes.memory(instance, seed)
        if "latency" in parts:
            latencies = [await processes.latency(instance, seed, number) for number in range(rounds)]
    return report(courses, seal_bytes, peaks, latencies, command)


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--part", action="append", choices=PARTS, help="only these; written nowhere unless --out")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    command = f"python -m bench --rounds {chosen.rounds} --events {chosen.events}"
    parts = chosen.part or list(PARTS)
    result = asyncio.run(
        measure(parts, chosen.rounds, chosen.events, command + "".join(f" --part {p}" for p in chosen.part or ()))
    )
    show(result)
    out = chosen.out or (None if chosen.part else RESULTS)
    if out is not None:
        out.parent.mkdir(exist_ok=True)
        out.write_text(json.dumps(result, indent=2) + "\n")
        print(f"written to {out}")


if __name__ == "__main__":
    main()
