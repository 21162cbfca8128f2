"""How a handler's failures are met: attempts in place, what may be tried again later, when it is an outage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exchange.errors import ExchangeError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds throughout.

    A retriable failure is tried `attempts` times in place, `pause` apart and twice as long each time, up to
    `longest_pause`; any other once. `retriable`: exceptions that may pass, besides the exchange's own that say so.
    After `outage_after` different records in a row that failed the same way it is an outage: the group waits, and
    tries one record at a time, `probe` apart and twice as long each time, up to `longest_probe`.
    """

    attempts: int = 3
    pause: float = 0.1
    longest_pause: float = 2.0
    retriable: tuple[type[Exception], ...] = (ConnectionError, TimeoutError)
    outage_after: int = 5
    probe: float = 1.0
    longest_probe: float = 60.0

    def is_retriable(self, error: Exception) -> bool:
        """Whether the same call may succeed later, unchanged."""
        if isinstance(error, ExchangeError) and error.retriable:
            return True
        return isinstance(error, self.retriable)

    def pauses(self) -> Iterator[float]:
        """Between two attempts in place."""
        return _growing(self.pause, self.longest_pause)

    def probes(self) -> Iterator[float]:
        """Between two probes of an outage."""
        return _growing(self.probe, self.longest_probe)


def _growing(first: float, longest: float) -> Iterator[float]:
    seconds = first
    while True:
        yield seconds
        seconds = min(seconds * 2, longest)
