"""From figures to bars: medians, the medians of the rounds' ratios, and whether each bar is met."""

from __future__ import annotations

import os
import platform
import statistics
from typing import Any

from bench.rates import Course, ratio

BARS = [
    ("small", "publish", "aiokafka", 1.25),
    ("small", "publish", "confluent-kafka", 1.0),
    ("wide", "publish", "aiokafka", 1.25),
    ("wide", "publish", "confluent-kafka", 1.0),
    ("large", "publish", "aiokafka", 0.9),
    ("large", "publish", "confluent-kafka", 0.9),
    ("small", "consume", "aiokafka", 0.55),
    ("small", "consume", "confluent-kafka", 1.5),
]
WIDE_CONSUME, DISK_BYTES, PEAK_MIB, P50_MS, P99_MS = 0.9, 90, 150, 15, 60


def report(
    courses: list[Course],
    seal_bytes: float | None,
    peaks: dict[str, float],
    latencies: list[dict[str, float]],
    command: str,
) -> dict[str, Any]:
    """Everything, as it is written to the results."""
    return {
        "command": command,
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "medians_per_second": {each.name: _medians(each) for each in courses},
        "seal_bytes_on_disk": seal_bytes and round(seal_bytes, 1),
        "peak_mib": {role: round(found, 1) for role, found in peaks.items()},
        "latency_ms": latencies,
        "bars": [*_rate_bars(courses), *_other_bars(seal_bytes, peaks, latencies)],
        "rates_per_second": {each.name: each.rates for each in courses},
    }


def _medians(course: Course) -> dict[str, dict[str, float]]:
    return {
        kind: {name: round(statistics.median(each)) for name, each in by.items() if each}
        for kind, by in course.rates.items()
    }


def _rate_bars(courses: list[Course]) -> list[dict[str, Any]]:
    named = {each.name: each for each in courses}
    bars = []
    for name, kind, rival, bar in BARS:
        if name in named:
            rates = named[name].rates[kind]
            bars.append(_bar(f"{name} {kind} / {rival}", ratio(rates["exchange"], rates[rival]), bar, at_least=True))
    if {"small", "wide"} <= named.keys():
        wide, small = (named[name].rates["consume"]["exchange"] for name in ("wide", "small"))
        found = statistics.median(wide) / statistics.median(small)
        bars.append(_bar("consume, 6 partitions / 1", found, WIDE_CONSUME, at_least=True))
    return bars


def _other_bars(
    seal_bytes: float | None, peaks: dict[str, float], latencies: list[dict[str, float]]
) -> list[dict[str, Any]]:
    bars = []
    if seal_bytes is not None:
        bars.append(_bar("bytes more on disk, an event", seal_bytes, DISK_BYTES, at_least=False))
    bars += [_bar(f"MiB of memory, {role}", found, PEAK_MIB, at_least=False) for role, found in peaks.items()]
    for name, bar in (("p50_ms", P50_MS), ("p99_ms", P99_MS)):
        if latencies:
            found = statistics.median(each[name] for each in latencies)
            bars.append(_bar(f"publish to verified delivery, {name}", found, bar, at_least=False))
    return bars


def _bar(what: str, found: float, bar: float, *, at_least: bool) -> dict[str, Any]:
    met = found >= bar if at_least else found <= bar
    return {"what": what, "found": round(found, 3), "bar": bar, "at": "least" if at_least else "most", "met": met}


def show(result: dict[str, Any]) -> None:
    """The tables."""
    for course, kinds in result["medians_per_second"].items():
        print(f"\n{course:24}{'publish/s':>12}{'consume/s':>12}")
        for name in kinds["publish"]:
            print(f"{name:24}{kinds['publish'][name]:>12,.0f}{kinds['consume'][name]:>12,.0f}")
    print()
    for bar in result["bars"]:
        verdict = "met" if bar["met"] else "NOT MET"
        print(f"{bar['what']:44} {bar['found']:>8.2f}   (at {bar['at']} {bar['bar']}): {verdict}")
