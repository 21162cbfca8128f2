"""The seal of a record (spec 3), and the sealer: one tree and one signature over all records of a flush.

    seal = 0x01 ‖ u32 leaf index ‖ u8 n ‖ n × 32 bytes of path, leaf to root ‖ u16 len ‖ statement

All integers are big endian, and nothing trails the statement.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime

from exchange.envelope.record import Unsealed, record_leaf
from exchange.envelope.statement import MAX_FLUSH, statement_text
from exchange.errors import SealMalformed
from exchange.ids import PublisherId
from exchange.merkle import HASH_SIZE, NoteSigner, root_and_paths, signed_note

_VERSION = 1
_HEAD = struct.Struct(">BIB")
_U16 = struct.Struct(">H")


Seal = tuple[bytes, bytes, bytes]
"""A seal in three parts, to be joined: the head, the path, and what all of a flush have in common."""


def encode_seal(index: int, path: bytes, statement: bytes) -> bytes:
    """The seal of the leaf at `index`; `path` is its siblings, leaf to root, joined."""
    head = _HEAD.pack(_VERSION, index, len(path) // HASH_SIZE)
    return b"".join((head, path, _U16.pack(len(statement)), statement))


def parse_seal(raw: bytes) -> tuple[int, bytes, bytes]:
    """(leaf index, path, statement) of a seal; raises SealMalformed (step 1)."""
    try:
        version, index, hashes = _HEAD.unpack_from(raw)
        start = _HEAD.size + hashes * HASH_SIZE
        (size,) = _U16.unpack_from(raw, start)
    except (struct.error, TypeError):  # a Kafka header may be null
        raise SealMalformed("the seal is cut off, or null") from None
    if version != _VERSION:
        raise SealMalformed(f"the seal has version {version}: expected {_VERSION}")
    if len(raw) != start + 2 + size:
        raise SealMalformed(f"the seal has {len(raw)} bytes instead of the {start + 2 + size} it announces")
    return index, raw[_HEAD.size : start], raw[start + 2 :]


class Flush:
    """The tree over the records of one flush, given by their leaf hashes: what is to be signed, then their seals."""

    __slots__ = ("_paths", "_publisher", "text")

    def __init__(
        self, publisher: PublisherId, leaves: Sequence[bytes], *, epoch: int, flush: int, time: datetime
    ) -> None:
        """ValueError for none, or more than 2,000."""
        if not 1 <= len(leaves) <= MAX_FLUSH:
            raise ValueError(f"a flush seals 1 to {MAX_FLUSH} records, not {len(leaves)}")
        root, self._paths = root_and_paths(leaves)
        self._publisher = str(publisher)
        self.text = statement_text(publisher, len(leaves), root, epoch=epoch, flush=flush, time=time)
        """The statement's text, which is signed."""

    def seals(self, public: bytes, signature: bytes) -> list[Seal]:
        """Each record's seal, in order."""
        statement = signed_note(self.text, self._publisher, public, signature)
        head, tail = _HEAD.pack, _U16.pack(len(statement)) + statement
        return [(head(_VERSION, index, len(path) // HASH_SIZE), path, tail) for index, path in enumerate(self._paths)]


class Sealer:
    """Seals the records of one publisher with its agency's key."""

    def __init__(self, publisher: PublisherId, signer: NoteSigner) -> None:
        self._publisher = publisher
        self._signer = signer

    def seal(self, records: Sequence[Unsealed], *, epoch: int, flush: int, time: datetime) -> list[bytes]:
        """The value of each record's `exchange-seal` header, in order: one tree, one signature (spec 3).

        Raises RecordTooLarge; ValueError for none or more than 2,000 records, or a header that does not fit.
        """
        leaves = [record_leaf(topic, key, headers, value) for topic, _, key, value, headers in records]
        tree = Flush(self._publisher, leaves, epoch=epoch, flush=flush, time=time)
        return list(map(b"".join, tree.seals(self._signer.public.raw, self._signer.sign(tree.text.encode()))))
