"""An outage: every record fails the same way, so that it is no record's fault but that of what the handler needs."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from exchange.bus import metrics
from exchange.bus.letters.policy import RetryPolicy

_LOG = structlog.get_logger(__name__)


class Outage:
    """Notices that a group's records fail one after another, and says how long to wait between two probes."""

    def __init__(self, group: str, policy: RetryPolicy) -> None:
        self._group = group
        self._policy = policy
        self._kind = ""
        self._places: set[object] = set()
        self._probes: Iterator[float] | None = None

    @property
    def is_on(self) -> bool:
        """Whether the group waits."""
        return self._probes is not None

    def note_failure(self, kind: str, code: str, place: object) -> None:
        """A record failed: in which way, and which record; one that fails again is still one record."""
        if self.is_on:
            return
        if kind != self._kind:
            self._kind = kind
            self._places.clear()
        self._places.add(place)
        if len(self._places) >= self._policy.outage_after:
            self._begin(code)

    def note_success(self) -> None:
        """A record was handled: there is no outage, or no longer."""
        self._places.clear()
        self.end()

    def end(self) -> None:
        """Say that the group does not wait, or no longer."""
        if self.is_on:
            self._probes = None
            metrics.PAUSED.labels(self._group).set(0)
            _LOG.warning("records are handled again", group=self._group)

    def next_pause(self) -> float:
        """Seconds until the next probe."""
        return next(self._probes) if self._probes is not None else 0.0

    def _begin(self, code: str) -> None:
        self._probes = self._policy.probes()
        metrics.PAUSES.labels(self._group, code).inc()
        metrics.PAUSED.labels(self._group).set(1)
        _LOG.error("every record fails, waiting", group=self._group, code=code, records=len(self._places))
