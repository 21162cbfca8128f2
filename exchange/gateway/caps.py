"""Caps (spec 7): how often data were permitted, per individual and UTC day, per consumer and UTC hour.

The counters live in the process and are rebuilt from the audit topic's decided lookups when it starts. A check and
its count happen with no await in between, so two requests cannot both take the last place.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from exchange.audit import AuditEntry, EntryKind
from exchange.consent import AccessRequest

PERMIT = "permit"


class _Place(NamedTuple):
    """What is counted: one consumer, target and purpose, in one day or hour; `individual` is empty for the hour's."""

    window: str
    consumer: str
    target: str
    purpose: str
    individual: str


class CapCounters:
    """Counters of permits; only the current day's and hour's are kept."""

    def __init__(self) -> None:
        self._counts: Counter[_Place] = Counter()
        self._hour = ""

    def __len__(self) -> int:
        return len(self._counts)

    def of_individual(self, request: AccessRequest, now: datetime) -> int:
        """Permits to this consumer for this target, purpose and individual, in the UTC day of `now`."""
        return self._counts[_individual_place(request, now)]

    def of_consumer(self, request: AccessRequest, now: datetime) -> int:
        """Permits to this consumer for this target and purpose, in the UTC hour of `now`."""
        return self._counts[_consumer_place(request, now)]

    def count(self, request: AccessRequest, now: datetime) -> None:
        """Count one permit."""
        self._forget(now)
        self._counts[_individual_place(request, now)] += 1
        self._counts[_consumer_place(request, now)] += 1

    def take_back(self, request: AccessRequest, now: datetime) -> None:
        """Undo a count made at `now`: its entry did not become durable, so nothing was released."""
        for place in (_individual_place(request, now), _consumer_place(request, now)):
            self._counts[place] -= self._counts[place] > 0

    def recount(self, entry: AuditEntry) -> None:
        """Count a permit that an earlier process decided; entries of any other kind do not count."""
        if entry.kind is not EntryKind.LOOKUP_DECIDED or entry.decision != PERMIT:
            return
        if entry.consumer is None or entry.service is None or entry.purpose is None or entry.individual is None:
            return
        request = AccessRequest(entry.consumer, entry.service, entry.purpose, frozenset(entry.fields), entry.individual)
        self.count(request, entry.time)

    def _forget(self, now: datetime) -> None:
        hour = _hour(now)
        if hour > self._hour:
            current = (hour, hour[:10])
            self._counts = Counter({place: n for place, n in self._counts.items() if place.window in current})
            self._hour = hour


def _individual_place(request: AccessRequest, now: datetime) -> _Place:
    return _Place(_hour(now)[:10], str(request.consumer), request.target, request.purpose, request.individual)


def _consumer_place(request: AccessRequest, now: datetime) -> _Place:
    return _Place(_hour(now), str(request.consumer), request.target, request.purpose, "")


def _hour(moment: datetime) -> str:
    """`2026-11-22T10`; its first ten characters are the day."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")
