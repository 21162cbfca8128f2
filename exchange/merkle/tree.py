"""Merkle trees of RFC 6962: the tree that grows, and all paths of a finished tree at once.

A node without a right neighbour is promoted to the next level unchanged. A *position* is (level, index): the
complete subtree over the leaves index·2^level up to, and without, (index + 1)·2^level; level 0 are the leaves.
All hashes are 32 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from exchange.merkle.hashing import EMPTY_ROOT, node_hash
from exchange.merkle.proof import consistency_path, inclusion_path, range_root


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in their order."""
    if not leaf_hashes:
        return EMPTY_ROOT
    return _levels(leaf_hashes)[-1][0]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The path of the leaf at `index`, leaf to root (ValueError where there is no such leaf)."""
    return Tree(leaf_hashes).inclusion_proof(index)


def consistency_proof(leaf_hashes: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the first `old` leaves are the beginning of all of them (ValueError where there are fewer)."""
    return Tree(leaf_hashes).consistency_proof(old)


def root_and_paths(leaf_hashes: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """The root over at least one leaf hash, and for each leaf its path (siblings from leaf to root, joined).

    The paths are built from the root downward, so that leaves share what they have in common: 2 joins a leaf.
    """
    levels = _levels(leaf_hashes)
    paths = [b""]
    for level in reversed(levels[:-1]):
        below: list[bytes] = []
        for parent, path in enumerate(paths[: len(level) // 2]):
            below.append(level[2 * parent + 1] + path)
            below.append(level[2 * parent] + path)
        if len(level) % 2:
            below.append(paths[-1])
        paths = below
    return levels[-1][0], paths


class Tree:
    """An append-only tree in memory: the hashes of all its complete subtrees, 64 bytes a leaf."""

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaf_hashes:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        return self.root_at(self.size)

    def append(self, leaf: bytes) -> int:
        """Add a leaf's hash; its index."""
        index = self.size
        node, position, level = leaf, index, 0
        self._levels[0].append(node)
        while position & 1:
            node = node_hash(self._levels[level][position - 1], node)
            level, position = level + 1, position >> 1
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(node)
        return index

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree at (level, index); raises IndexError where there is none."""
        return self._levels[level][index]

    def root_at(self, size: int) -> bytes:
        """The root over the first `size` leaves (ValueError where there are not as many)."""
        self._require(0 <= size <= self.size, f"size {size}")
        return range_root(0, size, self.node) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The path of the leaf at `index` in the tree of the first `size` leaves (default all), leaf to root."""
        within = self.size if size is None else size
        self._require(0 <= index < within <= self.size, f"leaf {index} of size {within}")
        return inclusion_path(index, within, self.node)

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """The RFC 6962 proof that the tree of size `old` is the beginning of the tree of size `new`."""
        within = self.size if new is None else new
        self._require(0 <= old <= within <= self.size, f"sizes {old} and {within}")
        return consistency_path(old, within, self.node)

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise ValueError(f"{what}: not within this tree of {self.size} leaves")


def _levels(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """All levels from the leaves to the root, odd nodes promoted."""
    level = list(leaf_hashes)
    levels = [level]
    while len(level) > 1:
        above = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            above.append(level[-1])
        levels.append(above)
        level = above
    return levels
