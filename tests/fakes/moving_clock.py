"""A clock that tests move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class MovingClock:
    """A Clock that stands still until it is moved; with `follows` it is the machine's, moved."""

    def __init__(self, now: datetime = NOON, *, follows: bool = False) -> None:
        self._moved = timedelta(0)
        self._now = now
        self._follows = follows

    def now(self) -> datetime:
        """The time it shows."""
        return (datetime.now(UTC) if self._follows else self._now) + self._moved

    def move(self, **duration: float) -> None:
        """Move it, e.g. `move(minutes=5)`."""
        self._moved += timedelta(**duration)
