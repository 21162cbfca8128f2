"""Counters of many processes, added up by a label: totals, rates and recent buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from exchange.console.exposition import Series
from exchange.console.history import BUCKETS, Counter, Process, complete_buckets
from exchange.console.model import Flow

NOTHING = Flow(0, 0.0, (0.0,) * BUCKETS)
UNNAMED = "(unnamed)"
"""What a series without the label is shown under."""

Label = Callable[[Series], str]


def by_label(name: str) -> Label:
    """Groups series by the value of a label."""
    return lambda series: series.label(name) or UNNAMED


def everything(_: Series) -> str:
    """Groups all series together, under the empty name."""
    return ""


def flows(processes: Iterable[Process], metric: str, by: Label, at: datetime) -> dict[str, Flow]:
    """A counter's flow in all processes together, by what `by` makes of each series."""
    grouped: dict[str, list[Counter]] = {}
    for series, counter in _counters(processes, metric):
        grouped.setdefault(by(series), []).append(counter)
    return {name: _sum(counters, at) for name, counters in grouped.items()}


def counts(processes: Iterable[Process], metric: str, by: Label, at: datetime) -> dict[str, int]:
    """Only the totals of `flows`."""
    return {name: flow.total for name, flow in flows(processes, metric, by, at).items()}


def _counters(processes: Iterable[Process], metric: str) -> Iterator[tuple[Series, Counter]]:
    for process in processes:
        for series, counter in process.counters.items():
            if series.name == metric:
                yield series, counter


def _sum(counters: list[Counter], at: datetime) -> Flow:
    buckets: dict[int, float] = {}
    for counter in counters:
        for bucket, amount in counter.buckets.items():
            buckets[bucket] = buckets.get(bucket, 0.0) + amount
    total = round(sum(counter.total for counter in counters))
    return Flow(total, sum(counter.per_second for counter in counters), complete_buckets(buckets, at))
