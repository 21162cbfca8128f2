"""C2SP checkpoints (c2sp.org/tlog-checkpoint): the text of a signed note that commits to a tree.

<origin>                   who says so: the name of the key that signs
<size>                     decimal, no leading zeros
<root>                     base64 of 32 bytes
<extension lines>          none or more, none of them empty
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from exchange.errors import ProofInvalid
from exchange.merkle.hashing import HASH_SIZE
from exchange.merkle.note import decode_base64

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's size and root, as `origin` states them, with the extension lines in their order."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def encode(self) -> str:
        """The text, ending in a newline: what `sign_note` takes."""
        root = base64.b64encode(self.root).decode("ascii")
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read what `encode` writes, and nothing else; raises ProofInvalid."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() != "" or "" in lines:
            raise ProofInvalid("a checkpoint has three lines or more, none empty, each ending in a newline")
        origin, size, root, *extensions = lines
        hashed = decode_base64(root)
        if len(hashed) != HASH_SIZE:
            raise ProofInvalid(f"a checkpoint's root is {HASH_SIZE} bytes, not {len(hashed)}")
        return cls(origin, parse_decimal(size), hashed, tuple(extensions))


def parse_decimal(text: str) -> int:
    """A number of up to 19 digits without leading zeros or signs; raises ProofInvalid."""
    if _SIZE.fullmatch(text) is None:
        raise ProofInvalid(f"not a decimal number without leading zeros: {text[:40]!r}")
    return int(text)
