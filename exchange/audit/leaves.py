"""Where a leaf is: from its hash to its index, in about 12 bytes a leaf.

A view of the tiles, made anew at every start: 65,536 buckets by the hash's first two bytes, in each
`next 6 bytes of the hash ‖ u48 index` joined. A match is a candidate; the tile has the whole hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_TAIL = 6
_ROW = 12


class LeafIndex:
    """Leaf hashes by their first 8 bytes."""

    def __init__(self) -> None:
        self._buckets: dict[bytes, bytearray] = {}

    def add(self, first: int, leaf_hashes: Sequence[bytes]) -> None:
        """Leaves at `first`, `first` + 1, …"""
        for index, leaf in enumerate(leaf_hashes, first):
            bucket = self._buckets.setdefault(leaf[:2], bytearray())
            bucket += leaf[2 : 2 + _TAIL] + index.to_bytes(_ROW - _TAIL, "big")

    def candidates(self, leaf: bytes) -> Iterator[int]:
        """Indices of leaves whose hash begins as `leaf` does, lowest first."""
        bucket = bytes(self._buckets.get(leaf[:2], b""))
        for at in range(0, len(bucket), _ROW):
            if bucket[at : at + _TAIL] == leaf[2 : 2 + _TAIL]:
                yield int.from_bytes(bucket[at + _TAIL : at + _ROW], "big")
