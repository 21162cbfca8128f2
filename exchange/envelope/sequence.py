"""Sequences (spec 3, step 9): what came last from each publisher of a partition, kept in a committed offset's metadata.

    metadata = "seq1" followed by " <publisher> <epoch> <next sequence>" for each publisher, sorted

Within an epoch the sequence grows by one; a higher epoch continues it or starts at 0; a lower epoch is a replay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from exchange.errors import IdentifierError, ProofInvalid, SequenceRefused
from exchange.ids import PublisherId
from exchange.merkle import parse_decimal

_VERSION = "seq1"


class Sequenced(Protocol):
    """What a publisher numbers: an event."""

    @property
    def publisher(self) -> str:
        """Who numbered it."""
        ...

    @property
    def epoch(self) -> int:
        """In which epoch."""
        ...

    @property
    def sequence(self) -> int:
        """As which."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequences that are missing: from `expected` up to, and without, `found`. Natural on a compacted topic."""

    publisher: str
    epoch: int
    expected: int
    found: int

    @property
    def missing(self) -> int:
        """How many."""
        return self.found - self.expected


class SequenceTracker:
    """The place in the sequences of one partition's publishers."""

    def __init__(self) -> None:
        self._next: dict[str, tuple[int, int]] = {}

    def observe(self, event: Sequenced) -> Gap | None:
        """Take the next event in: None where it follows, the gap before it where it does not.

        A publisher not met before may be anywhere in its sequence. Raises SequenceRefused for a lower epoch or a
        sequence already seen; the place is unchanged then.
        """
        publisher, epoch, sequence = event.publisher, event.epoch, event.sequence
        known = self._next.get(publisher)
        gap = None
        if known is not None and known != (epoch, sequence):
            gap = _gap(publisher, epoch, sequence, *known)
        self._next[publisher] = (epoch, sequence + 1)
        return gap

    def copy(self) -> SequenceTracker:
        """The same place, to go on from independently."""
        other = SequenceTracker()
        other._next = dict(self._next)
        return other

    def to_metadata(self) -> str:
        """The place as text, for a committed offset."""
        places = (f" {publisher} {epoch} {following}" for publisher, (epoch, following) in sorted(self._next.items()))
        return _VERSION + "".join(places)

    @classmethod
    def from_metadata(cls, text: str) -> SequenceTracker:
        """The place that `to_metadata` wrote; an empty text is no place yet. Raises SequenceRefused for another's."""
        tracker = cls()
        version, *words = text.split(" ") if text else [_VERSION]
        if version != _VERSION or len(words) % 3:
            raise SequenceRefused(f"the committed offset's metadata is not a sequence place: {text[:80]!r}")
        try:
            for publisher, epoch, following in zip(words[::3], words[1::3], words[2::3], strict=True):
                place = (parse_decimal(epoch), parse_decimal(following))
                tracker._next[str(PublisherId.parse(publisher))] = place
        except (ProofInvalid, IdentifierError) as error:
            raise SequenceRefused(f"the committed offset's metadata is malformed: {error.message}") from None
        return tracker


def _gap(publisher: str, epoch: int, sequence: int, known_epoch: int, following: int) -> Gap | None:
    if epoch < known_epoch:
        raise SequenceRefused(f"{publisher} is in epoch {known_epoch}: a record of epoch {epoch} is a replay")
    if epoch == known_epoch:
        if sequence < following:
            raise SequenceRefused(f"sequence {sequence} of {publisher} was seen before: {following} is next")
        return Gap(publisher, epoch, following, sequence)
    expected = following if sequence >= following else 0
    return None if sequence == expected else Gap(publisher, epoch, expected, sequence)
