"""What the scrapes add up to: totals that survive restarts, rates, and five minutes of buckets. Pure.

A counter that shrank, or whose process has another start time, began again at zero: what it shows is new.
The first answer of a process that is not new counts into totals but into no rate: nobody saw when it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from exchange.console.exposition import Exposition, Series

BUCKET = timedelta(seconds=5)
BUCKETS = 60
"""Complete buckets a sparkline shows: five minutes."""
MAX_PROCESSES = 200
_NEW = 2 * BUCKET


@dataclass(slots=True)
class Counter:
    """One counter of one process: total events, events per second now, and events by bucket number."""

    total: float = 0.0
    per_second: float = 0.0
    buckets: dict[int, float] = field(default_factory=dict)
    _shown: float = 0.0

    def restart(self) -> None:
        """The process began again: the next value counts from zero."""
        self._shown = 0.0

    def begin(self, shown: float) -> None:
        """The first value ever seen, of unknown age."""
        self.total += shown
        self._shown = shown

    def advance(self, shown: float, start: datetime, end: datetime) -> None:
        """The value at `end`, one interval after the one at `start`."""
        increase = shown - self._shown if shown >= self._shown else shown
        self._shown = shown
        self.total += increase
        seconds = (end - start).total_seconds()
        self.per_second = increase / seconds if seconds > 0 else 0.0
        if self.per_second:
            self._spread(start, end)
        self._forget(bucket_of(end) - BUCKETS - 1)

    def _spread(self, start: datetime, end: datetime) -> None:
        width = BUCKET.total_seconds()
        first, last = start.timestamp(), end.timestamp()
        for bucket in range(max(bucket_of(start), bucket_of(end) - BUCKETS), bucket_of(end) + 1):
            overlap = min(last, (bucket + 1) * width) - max(first, bucket * width)
            if overlap > 0:
                self.buckets[bucket] = self.buckets.get(bucket, 0.0) + self.per_second * overlap

    def _forget(self, oldest: int) -> None:
        for bucket in [each for each in self.buckets if each < oldest]:
            del self.buckets[bucket]


@dataclass(slots=True)
class Process:
    """One process: `problem` is None while it answers; `since` is when that (or the problem) began."""

    name: str
    since: datetime
    registered: bool = True
    problem: str | None = None
    not_ready: str | None = None
    answered: datetime | None = None
    latest: Exposition | None = None
    counters: dict[Series, Counter] = field(default_factory=dict)

    def answer(self, exposition: Exposition, at: datetime, not_ready: str | None = None) -> None:
        """It answered at `at`; `not_ready` is what it says is missing."""
        self._count(exposition, at)
        if self.problem is not None or self.answered is None or not_ready != self.not_ready:
            self.since = at
        self.problem, self.not_ready = None, not_ready
        self.answered, self.latest = at, exposition

    def fail(self, problem: str, at: datetime) -> None:
        """It did not answer at `at`; its totals stay, its rates are nothing."""
        if self.problem is None:
            self.since = at
        self.problem = problem
        for counter in self.counters.values():
            counter.per_second = 0.0

    def _count(self, exposition: Exposition, at: datetime) -> None:
        if self._restarted(exposition):
            for counter in self.counters.values():
                counter.restart()
        start = self._counting_since(exposition, at)
        for series, shown in exposition.counters.items():
            counter = self.counters.setdefault(series, Counter())
            if start is None:
                counter.begin(shown)
            else:
                counter.advance(shown, start, at)
        for series in self.counters.keys() - exposition.counters.keys():
            self.counters[series].per_second = 0.0

    def _counting_since(self, exposition: Exposition, at: datetime) -> datetime | None:
        """When what the counters gained began to happen, at the earliest; None where nobody knows."""
        started = exposition.started
        if self.answered is None:
            return started if started is not None and timedelta(0) <= at - started <= _NEW else None
        return max(self.answered, started) if started is not None and started <= at else self.answered

    def _restarted(self, exposition: Exposition) -> bool:
        return self.latest is not None and self.latest.started != exposition.started


class History:
    """Every process the console has seen. `notice` says what keeps the console itself from seeing more."""

    def __init__(self) -> None:
        self._processes: dict[str, Process] = {}
        self.scraped: datetime | None = None
        self.notice: str | None = None

    def processes(self) -> list[Process]:
        """Those that are or were registered, by name."""
        return sorted(self._processes.values(), key=lambda each: each.name)

    def process(self, name: str, at: datetime) -> Process:
        """The process of that name, new at `at` if it was not known."""
        if name not in self._processes:
            self._processes[name] = Process(name, at)
        return self._processes[name]

    def register(self, names: Iterable[str], at: datetime) -> None:
        """Those and no others run now; the others ended. Their counters stay, but for the oldest past a limit."""
        running = set(names)
        for name in running:
            self.process(name, at).registered = True
        for process in self._processes.values():
            if process.registered and process.name not in running:
                process.fail("ended", at)
                process.registered, process.since = False, at
        self._evict()

    def _evict(self) -> None:
        ended = sorted((each for each in self._processes.values() if not each.registered), key=lambda each: each.since)
        for process in ended[: max(0, len(self._processes) - MAX_PROCESSES)]:
            del self._processes[process.name]


def bucket_of(moment: datetime) -> int:
    """The number of the bucket a moment lies in, counted from 1970."""
    return int(moment.timestamp() // BUCKET.total_seconds())


def complete_buckets(buckets: Mapping[int, float], at: datetime) -> tuple[float, ...]:
    """Events per second in each of the last complete buckets before `at`, oldest first."""
    end = bucket_of(at)
    return tuple(buckets.get(each, 0.0) / BUCKET.total_seconds() for each in range(end - BUCKETS, end))
