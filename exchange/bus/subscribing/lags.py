"""How far behind this member is, for its dashboards: measured of what it has, and of nothing else."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress

from exchange.bus import metrics
from exchange.transport.kafka import GroupConsumer, Partition

_EVERY = 0.5


class Lags:
    """The lag gauges of one group's member."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._shown: set[Partition] = set()
        self._next = 0.0

    async def measure(
        self, consumer: GroupConsumer, places: Collection[Partition], busy: Collection[Partition]
    ) -> None:
        """Where nothing arrived, everything before the consumer's position is processed, markers included.

        Twice a second at most: it is asked after every poll.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        for place, lag in (await consumer.lags()).items():
            if place in places and place not in busy:
                self.show(place, lag)

    def show(self, place: Partition, lag: int | None) -> None:
        """Set one; None where the end is not known yet."""
        if lag is not None:
            metrics.CONSUMER_LAG.labels(place.topic, str(place.number), self._group).set(lag)
            self._shown.add(place)

    def forget(self) -> None:
        """What is no longer ours, its next member measures."""
        for place in self._shown:
            with suppress(KeyError):
                metrics.CONSUMER_LAG.remove(place.topic, str(place.number), self._group)
        self._shown.clear()
