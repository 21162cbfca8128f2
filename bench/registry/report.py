"""From rounds to medians, bars and a table."""

from __future__ import annotations

import os
import platform
import statistics
from typing import Any

from bench.registry.rounds import BESIDE_BIG, DISCIPLINES

_FIGURES = ("per_second", "p50_ms", "p95_ms", "p99_ms")
_LEAST, _MOST = "at least", "at most"
# What is held, of which discipline and figure, and how the median has to be.
_TRAFFIC_BARS = (
    ("new registrations/s (new subjects)", "new subjects", "per_second", _LEAST, 300),
    ("new registrations/s (half of them next versions)", "new subjects and versions", "per_second", _LEAST, 300),
    ("lookups/s", "lookups", "per_second", _LEAST, 1_500),
    ("compatibility checks/s", "checks", "per_second", _LEAST, 1_500),
    ("reads/s", "reads", "per_second", _LEAST, 4_000),
    ("p99 of reads, ms", "reads", "p99_ms", _MOST, 20),
    ("p99 of reads beside 2 MB checks, ms", BESIDE_BIG, "p99_ms", _MOST, 50),
)
_START_BARS = (
    ("start-up with {count:,} schemas, s", "seconds", _MOST, 8),
    ("start-up and a first lookup, s", "seconds_to_first_lookup", _MOST, 8),
    ("RSS with {count:,} schemas after start-up, MiB", "rss_after_start_mib", _MOST, 200),
    ("RSS with {count:,} schemas after traffic, MiB", "rss_after_traffic_mib", _MOST, 200),
)
Result = dict[str, Any]


def report(command: str, traffic: Result, starts: Result, count: int, rival: str | None) -> Result:
    """Everything measured (`starts` with `count` schemas), the medians of it, and each bar with whether it is met."""
    medians = {name: {each: _medians(rounds) for each, rounds in by.items()} for name, by in traffic.items()}
    started = {name: _started(rounds) for name, rounds in starts.items()}
    return {
        "command": command,
        "machine": {"cpus": os.cpu_count(), "processor": _processor(), "python": platform.python_version()},
        "load_average_of_5_minutes_at_end": round(os.getloadavg()[1], 1),
        "rival": rival or "none: Karapace is not there (see README)",
        "bars": [*_traffic_bars(medians.get("exchange", {})), *_start_bars(started.get("exchange", {}), count)],
        "medians": medians,
        "start_medians": started,
        "rounds": traffic,
        "starts": starts,
    }


def show(result: Result) -> None:
    """The medians, contender by contender, then the bars."""
    for name, by in result["medians"].items():
        print(f"\n{name + ', median':28}{'/s':>10}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}")
        for discipline in (*DISCIPLINES, BESIDE_BIG):
            print(f"{discipline:28}" + "".join(f"{by[discipline][each]:>10,.1f}" for each in _FIGURES))
    for name, figures in result["start_medians"].items():
        print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))
    print()
    for bar in result["bars"]:
        verdict = "met" if bar["met"] else "NOT MET"
        print(f"{bar['what']:52}{bar['median']:>10,.1f}   ({bar['bar']}): {verdict}")
    print(f"rival: {result['rival']}")


def _medians(rounds: list[Result]) -> Result:
    names = [name for name, value in rounds[0].items() if isinstance(value, int | float)]
    return {name: round(statistics.median(each[name] for each in rounds), 2) for name in names}


def _started(rounds: list[Result]) -> Result:
    flat = [
        {
            "seconds": each["seconds"],
            "seconds_to_first_lookup": each["seconds_to_first_lookup"],
            "rss_after_start_mib": each["mib_after_start"]["rss"],
            "high_after_start_mib": each["mib_after_start"]["high"],
            "rss_after_traffic_mib": each["mib_after_traffic"]["rss"],
            "high_after_traffic_mib": each["mib_after_traffic"]["high"],
        }
        for each in rounds
    ]
    return _medians(flat)


def _traffic_bars(medians: Result) -> list[Result]:
    return [_bar(what, medians[of][figure], way, bar) for what, of, figure, way, bar in _TRAFFIC_BARS if of in medians]


def _start_bars(medians: Result, count: int) -> list[Result]:
    held = [each for each in _START_BARS if each[1] in medians]
    return [_bar(what.format(count=count), medians[figure], way, bar) for what, figure, way, bar in held]


def _bar(what: str, median: float, way: str, bar: float) -> Result:
    met = median >= bar if way == _LEAST else median <= bar
    return {"what": what, "median": median, "bar": f"{way} {bar:,}", "met": met}


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
