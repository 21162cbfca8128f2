"""Records as they travel: what is written, what was written, what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Outgoing(NamedTuple):
    """A record to write; its timestamp is the broker's."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Received(Protocol):
    """A record that was read; `timestamp` is milliseconds since 1970. aiokafka's own records are of this shape."""

    @property
    def topic(self) -> str:
        """The topic it was read from."""
        ...

    @property
    def partition(self) -> int:
        """The partition it was read from."""
        ...

    @property
    def offset(self) -> int:
        """Its offset in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """The broker's timestamp, ms."""
        ...

    @property
    def key(self) -> bytes | None:
        """The key, or None."""
        ...

    @property
    def value(self) -> bytes | None:
        """The value, or None for a tombstone."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Names and values in the record's order."""
        ...


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Written:
    """Where the records of one batch begin and end, and the broker's time (ms; None where writers set it)."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    last: int


@dataclass(frozen=True, slots=True)
class Polled:
    """Records of one partition, in order; `unreadable` are offsets whose record no client can decode."""

    place: Partition
    records: Sequence[Received]
    first_offset: int
    next_offset: int
    unreadable: Sequence[int] = field(default=())
