"""Partitions that wait: each is read on once the letter at its place is due."""

from __future__ import annotations

from exchange.clock import Clock, to_unix_millis
from exchange.transport.kafka import GroupConsumer, Partition


class Pauses:
    """The waiting partitions of one member."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[Partition, int] = {}

    def wait(self, consumer: GroupConsumer, place: Partition, offset: int, due_millis: int) -> None:
        """Read on from `offset`, at `due_millis` (ms since 1970)."""
        consumer.pause([place])
        consumer.seek(place, offset)
        self._due[place] = due_millis

    def end_due(self, consumer: GroupConsumer, longest: float) -> float:
        """Resume what is due; how many seconds until the next is, at most `longest`."""
        now = to_unix_millis(self._clock.now())
        due = [place for place, millis in self._due.items() if millis <= now]
        if due:
            consumer.resume(due)
            for place in due:
                del self._due[place]
        return min([longest, *((millis - now) / 1000 for millis in self._due.values())])

    def forget(self) -> None:
        """The partitions are another's, or assigned anew: nothing is paused."""
        self._due.clear()

    def __contains__(self, place: Partition) -> bool:
        return place in self._due
