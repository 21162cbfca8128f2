"""Consumer lag: what groups have not consumed yet, from the gauges of their processes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from exchange.console.exposition import LAG
from exchange.console.history import Process
from exchange.console.model import LagRow


class _Place(NamedTuple):
    group: str
    topic: str
    partition: str


class _Reading(NamedTuple):
    at: datetime
    lag: int
    stale: bool


def lag_rows(processes: Sequence[Process]) -> tuple[LagRow, ...]:
    """One row a group and topic, largest lag first.

    A partition moves between the processes of a group: the latest to answer is believed. What an ended process
    said last is left out; what a silent one said is kept, and marked stale.
    """
    readings: dict[_Place, _Reading] = {}
    for process in processes:
        for place, reading in _readings(process):
            readings[place] = max(readings.get(place, reading), reading)
    groups: dict[tuple[str, str], list[tuple[_Place, _Reading]]] = {}
    for place, reading in readings.items():
        groups.setdefault((place.group, place.topic), []).append((place, reading))
    return tuple(sorted(map(_row, groups.values()), key=lambda row: (-row.lag, row.group, row.topic)))


def _readings(process: Process) -> list[tuple[_Place, _Reading]]:
    if process.latest is None or process.answered is None or not process.registered:
        return []
    stale = process.problem is not None
    return [
        (
            _Place(*(series.label(name) or "?" for name in _Place._fields)),
            _Reading(process.answered, round(value), stale),
        )
        for series, value in process.latest.gauges.items()
        if series.name == LAG
    ]


def _row(partitions: list[tuple[_Place, _Reading]]) -> LagRow:
    place, worst = max(partitions, key=lambda each: each[1].lag)
    return LagRow(
        group=place.group,
        topic=place.topic,
        lag=sum(reading.lag for _, reading in partitions),
        partitions=len(partitions),
        worst_partition=place.partition,
        worst_lag=worst.lag,
        at=min(reading.at for _, reading in partitions),
        stale=any(reading.stale for _, reading in partitions),
    )
