"""Saying how far a walk over a topic is, on stderr, every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from exchange.cli.output import note
from exchange.cli.topic_walk import Range

_SECONDS = 2.0


class Progress:
    """Counts offsets; says the first time after 2 s, so that a short walk is silent."""

    def __init__(self, ranges: Iterable[Range], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._total = sum(each.end - each.begin for each in ranges)
        self._monotonic = monotonic
        self._said = self._started = monotonic()
        self._done = 0

    def add(self, offsets: int) -> None:
        """So many more are behind."""
        self._done += offsets
        now = self._monotonic()
        if now - self._said >= _SECONDS:
            self._said = now
            pace = self._done / (now - self._started)
            note(f"{self._done:,} of {self._total:,} offsets, {pace:,.0f} a second")
