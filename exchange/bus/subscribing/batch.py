"""What a subscriber hands out, and where a sink keeps its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from exchange.bus.letters.letter import Refusal
from exchange.bus.subscribing.ports import Redelivered
from exchange.envelope import Event


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition: those that verified, and those refused (already kept as dead letters).

    A sink stores `next_offset` and `sequences` with its rows; `first_offset` is the place the batch starts from. Of a
    redelivery topic, `redelivered` goes with `events` one by one: the events have the place they were first read from.
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    events: Sequence[Event]
    refused: Sequence[Refusal]
    sequences: str
    assignment: int
    redelivered: Sequence[Redelivered] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """A place that a sink keeps with its rows: the next offset, and the sequences as a batch had them."""

    next_offset: int
    sequences: str


class PositionStore(Protocol):
    """A sink's own place, in the transaction of its rows; the subscriber reads it, when it is given a partition."""

    async def load(self, group: str, topic: str, partition: int) -> StoredPosition | None:
        """The stored place, or None where nothing was stored yet."""
        ...


class Sink(PositionStore, Protocol):
    """Takes batches, each with its place: what `Subscriber.exactly_once` feeds."""

    async def store(self, batch: Batch) -> None:
        """Rows and place (`next_offset`, `sequences`) in one transaction, or nothing.

        Where the stored place is not the one that this sink loaded or stored last, another process has moved it: raise
        SinkFenced, having stored nothing. Any other error ends the subscriber; nothing was stored then either.
        """
        ...
