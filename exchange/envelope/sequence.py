"""Sequences (spec 3, step 9): what came last from each publisher of a partition, and what stood at the numbers before.

    metadata = "seq2" followed by " <publisher> <epoch> <next sequence> <marks>" for each publisher, sorted
    marks    = base64url, unpadded, of 0 to 16 × the first 8 bytes of a leaf: the last records', the newest last

Within an epoch the sequence grows by one; a higher epoch continues it or starts at 0. What comes again is a replay
where the same record stood at its number, or it is not known any more what stood there; a fork where another did.
"seq1", of earlier releases, has no marks and is still read.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from exchange.errors import IdentifierError, ProofInvalid, SequenceRefused
from exchange.ids import PublisherId
from exchange.merkle import parse_decimal

WINDOW = 1_024
"""Of how many of its last records a tracker knows, for each publisher of a partition, what they were."""

REPLAYED = "sequence_replayed"
"""The code of a record that comes again."""

FORKED = "sequence_forked"
"""The code of a record that takes the number of another."""

_SLOT = WINDOW - 1
_VERSION = "seq2"
_WITHOUT_MARKS = "seq1"
_MARK_BYTES = 8
_MOST_MARKS = 16
_MARKS_ALTOGETHER = 128
_NO_MARKS = "-"


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

    @property
    def leaf(self) -> bytes:
        """The hash of the record, 32 bytes."""
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


class _Place:
    """Where one publisher is, and the leaves of its last records, each in the slot of its sequence modulo WINDOW."""

    __slots__ = ("epoch", "following", "leaves")

    def __init__(self, epoch: int, following: int) -> None:
        self.epoch = epoch
        self.following = following
        self.leaves: list[bytes | None] = [None] * WINDOW

    def begin(self, epoch: int, following: int) -> None:
        """Go on at `following`: what stood at the numbers that are left out is not known."""
        if following < self.following or following - self.following >= WINDOW:
            self.leaves = [None] * WINDOW
        else:
            for sequence in range(self.following, following):
                self.leaves[sequence & _SLOT] = None
        self.epoch = epoch
        self.following = following

    def leaf(self, sequence: int) -> bytes | None:
        """What stood at `sequence`: a leaf, or its first 8 bytes; None where that is not known, or not any more."""
        if not self.following - WINDOW <= sequence < self.following:
            return None
        return self.leaves[sequence & _SLOT]

    def marks(self, most: int) -> str:
        """The last records' marks, as text."""
        found: list[bytes] = []
        for sequence in range(self.following - 1, max(-1, self.following - 1 - most), -1):
            leaf = self.leaves[sequence & _SLOT]
            if not leaf:
                break
            found.append(leaf[:_MARK_BYTES])
        return _marks_text(b"".join(reversed(found))) or _NO_MARKS

    def remember(self, marks: bytes) -> None:
        """Take the last records' marks in again."""
        count = len(marks) // _MARK_BYTES
        for number in range(count):
            sequence = self.following - count + number
            self.leaves[sequence & _SLOT] = marks[number * _MARK_BYTES : (number + 1) * _MARK_BYTES]


class SequenceTracker:
    """The place in the sequences of one partition's publishers."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    def observe(self, event: Sequenced) -> Gap | None:
        """Take the next event in: None where it follows, the gap before it where it does not.

        A publisher not met before may be anywhere in its sequence. Raises SequenceRefused, and the place is unchanged:
        `sequence_replayed` for a lower epoch or a sequence already seen, `sequence_forked` where another record is
        known to have stood there.
        """
        sequence = event.sequence
        place = self._places.get(event.publisher)
        if place is None or sequence != place.following or event.epoch != place.epoch:
            return self._observe_apart(event, place)
        place.leaves[sequence & _SLOT] = event.leaf
        place.following = sequence + 1
        return None

    def to_metadata(self) -> str:
        """The place as text, for a committed offset: at most 16 marks a publisher and 128 altogether, but 1 each."""
        places = sorted(self._places.items())
        most = min(_MOST_MARKS, max(1, _MARKS_ALTOGETHER // max(1, len(places))))
        words = (f" {publisher} {at.epoch} {at.following} {at.marks(most)}" for publisher, at in places)
        return _VERSION + "".join(words)

    @classmethod
    def from_metadata(cls, text: str) -> SequenceTracker:
        """The place that `to_metadata` wrote; an empty text is no place yet. Raises SequenceRefused for another's."""
        tracker = cls()
        for publisher, epoch, following, marks in _words(text):
            try:
                place = _Place(parse_decimal(epoch), parse_decimal(following))
                place.remember(_parse_marks(marks, place.following))
                tracker._places[str(PublisherId.parse(publisher))] = place
            except (ProofInvalid, IdentifierError, ValueError) as error:
                raise SequenceRefused(f"the place's sequences are malformed at {publisher[:80]!r}: {error}") from None
        return tracker

    def _observe_apart(self, event: Sequenced, place: _Place | None) -> Gap | None:
        """The events that do not simply follow: a few in a million."""
        sequence = event.sequence
        if place is None:
            place = self._places[event.publisher] = _Place(event.epoch, sequence)
        gap = _gap(event, place)
        place.begin(event.epoch, sequence)
        place.leaves[sequence & _SLOT] = event.leaf
        place.following = sequence + 1
        return gap


def _gap(event: Sequenced, place: _Place) -> Gap | None:
    publisher, epoch, sequence = event.publisher, event.epoch, event.sequence
    if epoch < place.epoch or (epoch == place.epoch and sequence < place.following):
        raise _comes_again(event, place)
    is_continued = epoch == place.epoch or sequence >= place.following
    expected = place.following if is_continued else 0
    return None if sequence == expected else Gap(publisher, epoch, expected, sequence)


def _comes_again(event: Sequenced, place: _Place) -> SequenceRefused:
    stood = place.leaf(event.sequence)
    where = f"{event.publisher} is at sequence {place.following} of epoch {place.epoch}"
    what = f"sequence {event.sequence} of epoch {event.epoch}"
    if stood and stood[:_MARK_BYTES] != event.leaf[:_MARK_BYTES]:
        return SequenceRefused(f"{where}: another record than this had {what}", code=FORKED)
    known = "this record was seen before" if stood else "what stood there is not known any more"
    return SequenceRefused(f"{where}: {what} is a replay ({known})", code=REPLAYED)


def _words(text: str) -> Iterator[tuple[str, str, str, str]]:
    version, *words = text.split(" ") if text else [_VERSION]
    size = {_VERSION: 4, _WITHOUT_MARKS: 3}.get(version)
    if size is None or len(words) % size:
        raise SequenceRefused(f"not a place in sequences: {text[:80]!r}")
    for at in range(0, len(words), size):
        publisher, epoch, following, *marks = words[at : at + size]
        yield publisher, epoch, following, marks[0] if marks else _NO_MARKS


def _parse_marks(text: str, following: int) -> bytes:
    if text == _NO_MARKS:
        return b""
    marks = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    count, rest = divmod(len(marks), _MARK_BYTES)
    if rest or not 0 < count <= min(_MOST_MARKS, following) or _marks_text(marks) != text:
        raise ValueError(f"marks of {len(marks)} bytes, expected 8 for each of the last records, at most {_MOST_MARKS}")
    return marks


def _marks_text(marks: bytes) -> str:
    return urlsafe_b64encode(marks).rstrip(b"=").decode()
