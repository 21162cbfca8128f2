"""Time, as the exchange writes it: UTC, RFC 3339, and always an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where a process gets its time from; tests hand in one that they move."""

    def now(self) -> datetime:
        """The current time, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time, timezone-aware, in UTC."""
        return datetime.now(UTC)


def format_millis(moment: datetime) -> str:
    """RFC 3339 UTC with milliseconds: `2026-11-22T10:00:00.123Z` (statements, spec 3)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_micros(moment: datetime) -> str:
    """RFC 3339 UTC with microseconds: `2026-11-22T10:00:00.123456Z` (`ce_time`, spec 2)."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """An RFC 3339 UTC time ending in `Z`; raises ValueError for anything else."""
    if not text.endswith("Z") or len(text) < 20 or text[10] != "T":
        raise ValueError(f"not an RFC 3339 UTC time: {text!r}")
    return datetime.fromisoformat(text[:-1] + "+00:00")


def from_unix_millis(millis: int) -> datetime:
    """A broker's timestamp (milliseconds since 1970-01-01T00:00:00Z) as a time."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millis)


def to_unix_millis(moment: datetime) -> int:
    """A time as milliseconds since 1970-01-01T00:00:00Z, rounded down."""
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
