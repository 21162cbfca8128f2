"""C2SP proofs as text (c2sp.org/tlog-proof): that an entry is in a log, verifiable offline.

c2sp.org/tlog-proof@v1
extra <base64>             only where there is extra data; it is not authenticated
index <decimal>
<base64 of 32 bytes>       the path, leaf to root, a line a hash
<empty line>
<checkpoint>               the signed note, verbatim
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from exchange.errors import ProofInvalid
from exchange.merkle.checkpoint import Checkpoint, parse_decimal
from exchange.merkle.hashing import HASH_SIZE
from exchange.merkle.note import NoteVerifier, decode_base64, open_note
from exchange.merkle.proof import verify_inclusion

_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's index and path, and the signed checkpoint (a note's bytes) whose tree they lead into."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """The proof's text, as bytes."""
        extra = [f"extra {_base64(self.extra)}"] if self.extra else []
        lines = [_HEADER, *extra, f"index {self.index}", *map(_base64, self.path), "", ""]
        return "\n".join(lines).encode("ascii") + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> TlogProof:
        """Read what `encode` writes, and nothing else; raises ProofInvalid. Nothing is verified."""
        head, separator, checkpoint = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise ProofInvalid("a tlog-proof is ASCII up to its checkpoint") from None
        if not separator or lines.pop(0) != _HEADER or not lines:
            raise ProofInvalid(f"a tlog-proof starts with {_HEADER!r} and has an empty line before its checkpoint")
        extra = _field(lines, "extra") if lines[0].startswith("extra") else None
        if extra == "" or not lines:
            raise ProofInvalid("a tlog-proof has no empty `extra` line, and an `index` line after it")
        index = parse_decimal(_field(lines, "index"))
        return cls(index, tuple(map(_hash, lines)), checkpoint, decode_base64(extra) if extra else b"")

    def verify(self, leaf: bytes, origin: str, verifiers: Sequence[NoteVerifier]) -> Checkpoint:
        """The checkpoint, once it is `origin`'s, signed by one of `verifiers`, and has the leaf hash `leaf`.

        Raises ProofInvalid with the first thing that does not hold.
        """
        checkpoint = Checkpoint.parse(open_note(self.checkpoint, verifiers).text)
        if checkpoint.origin != origin:
            raise ProofInvalid(f"the checkpoint is of {checkpoint.origin!r}, not of {origin!r}")
        verify_inclusion(leaf, self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint


def _field(lines: list[str], name: str) -> str:
    label, space, value = lines.pop(0).partition(" ")
    if label != name or not space:
        raise ProofInvalid(f"a tlog-proof needs a line `{name} …`, found {label[:40]!r}")
    return value


def _hash(line: str) -> bytes:
    raw = decode_base64(line)
    if len(raw) != HASH_SIZE:
        raise ProofInvalid(f"a hash of a tlog-proof is {HASH_SIZE} bytes, not {len(raw)}")
    return raw


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
