"""What the log stands by: a checkpoint, and in its extension lines where each topic goes on.

    next _exchange.audit.egov 1043        the first offset of that topic that is not in this tree

The checkpoint is the log's one commit point, so the tree and the place in the topic can never part. One log has
one topic's order in this version, and one such line. A log of several topics has a line for each; which entry came
first is then what the tree says, and a rebuild needs the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exchange.errors import ProofInvalid
from exchange.merkle import Checkpoint, NoteVerifier, open_note, parse_decimal, sign_note
from exchange.trust import PublicKey, Signer

_NEXT = "next"


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint, its note as it was signed, and the next offset of each topic."""

    checkpoint: Checkpoint
    note: bytes
    positions: Mapping[str, int]

    @property
    def size(self) -> int:
        """Leaves that the checkpoint covers."""
        return self.checkpoint.size

    @classmethod
    def sign(cls, origin: str, size: int, root: bytes, positions: Mapping[str, int], signer: Signer) -> Published:
        """A new checkpoint of the log `origin`."""
        lines = tuple(f"{_NEXT} {topic} {offset}" for topic, offset in sorted(positions.items()))
        checkpoint = Checkpoint(origin, size, root, lines)
        return cls(checkpoint, sign_note(checkpoint.encode(), origin, signer), dict(positions))

    @classmethod
    def parse(cls, note: bytes, origin: str, public: PublicKey) -> Published:
        """Read what `sign` made; raises ProofInvalid unless `origin` signed it with that key."""
        checkpoint = open_checkpoint(note, origin, public)
        return cls(checkpoint, note, dict(map(_parse_position, checkpoint.extensions)))


def open_checkpoint(note: bytes, origin: str, public: PublicKey) -> Checkpoint:
    """The checkpoint of a note, once it is `origin`'s and signed by that key; raises ProofInvalid."""
    checkpoint = Checkpoint.parse(open_note(note, [NoteVerifier(origin, public)]).text)
    if checkpoint.origin != origin:
        raise ProofInvalid(f"the checkpoint is of {checkpoint.origin!r}, not of {origin!r}")
    return checkpoint


def _parse_position(line: str) -> tuple[str, int]:
    match line.split(" "):
        case [name, topic, offset] if name == _NEXT and topic:
            return topic, parse_decimal(offset)
    raise ProofInvalid(f"not an extension line of this log: {line[:80]!r}")
