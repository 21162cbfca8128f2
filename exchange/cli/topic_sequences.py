"""Sequences over a whole topic: what a subscriber's step 9 asks of its place, asked of everything that is there.

A subscriber knows its publishers' last records only; here each number's record is kept (8 bytes of its leaf), so that a
fork is told from a replay however far apart the two records are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from exchange.envelope import Event

_MARK = 8
_CHUNK = 1024
_UNKNOWN = bytes(_MARK)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a sequence at a record; of a gap `missing` numbers lie before it."""

    kind: Literal["gap", "replay", "fork"]
    partition: int
    offset: int
    publisher: str
    epoch: int
    sequence: int
    missing: int = 0


@dataclass(slots=True)
class _Run:
    """Numbers that follow each other, over one epoch or several, and what stood at each."""

    first_epoch: int
    following: int
    marks: dict[int, bytearray] = field(default_factory=dict)

    def put(self, sequence: int, leaf: bytes) -> None:
        chunk, slot = divmod(sequence, _CHUNK)
        if chunk not in self.marks:
            self.marks[chunk] = bytearray(_CHUNK * _MARK)
        self.marks[chunk][slot * _MARK : (slot + 1) * _MARK] = leaf[:_MARK]
        self.following = sequence + 1

    def mark(self, sequence: int) -> bytes:
        chunk, slot = divmod(sequence, _CHUNK)
        return bytes(self.marks[chunk][slot * _MARK : (slot + 1) * _MARK]) if chunk in self.marks else _UNKNOWN


class Chain:
    """What one publisher numbered in one partition."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self.epoch = 0
        """The last one."""

    def observe(self, event: Event) -> Finding | None:
        """Take the next event in; what is wrong with it, or None. The first may have any number: retention takes."""
        epoch, sequence = event.epoch, event.sequence
        if not self._runs:
            self._runs.append(_Run(epoch, sequence))
        if epoch < self.epoch or (epoch == self.epoch and sequence < self._runs[-1].following):
            return self._again(event)
        run = self._runs[-1]
        if epoch > self.epoch and sequence < run.following:
            run = _Run(epoch, 0)
            self._runs.append(run)
        missing = sequence - run.following
        self.epoch = epoch
        run.put(sequence, event.leaf)
        return _finding("gap", event, missing) if missing else None

    def _again(self, event: Event) -> Finding:
        run = next((each for each in reversed(self._runs) if each.first_epoch <= event.epoch), self._runs[0])
        mark = run.mark(event.sequence)
        return _finding("replay" if mark in (_UNKNOWN, event.leaf[:_MARK]) else "fork", event)


def _finding(kind: Literal["gap", "replay", "fork"], event: Event, missing: int = 0) -> Finding:
    return Finding(kind, event.partition, event.offset, event.publisher, event.epoch, event.sequence, missing)
