"""Inclusion and consistency proofs (RFC 6962 section 2.1, RFC 9162 section 2.1): build them, verify them.

A proof is built from the hashes of complete subtrees alone, wherever they are kept (a `Tree`, tiles on a disk):
`NodeReader(level, index)` gives the one over the leaves index·2^level up to, and without, (index + 1)·2^level.
Verification needs no tree. Every hash is 32 bytes, every path runs from leaf to root.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from exchange.errors import ProofInvalid
from exchange.merkle.hashing import EMPTY_ROOT, HASH_SIZE, node_hash

NodeReader = Callable[[int, int], bytes]
"""The hash of the complete subtree at (level, index)."""


def range_root(start: int, end: int, node: NodeReader) -> bytes:
    """The hash of the subtree over the leaves from `start` up to, and without, `end`.

    The range is one that RFC 6962 splits off: `start` is a multiple of the smallest power of two >= its length.
    """
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + split_point(size)
    return node_hash(range_root(start, middle, node), range_root(middle, end, node))


def inclusion_path(index: int, size: int, node: NodeReader) -> list[bytes]:
    """The siblings on the way from the leaf at `index` to the root of the tree of `size` leaves."""
    return _path(index, 0, size, node)


def consistency_path(old: int, new: int, node: NodeReader) -> list[bytes]:
    """The proof that the tree of size `old` is the beginning of the tree of size `new`; empty where old is 0 or new."""
    return [] if old in (0, new) else _subproof(old, 0, new, node, complete=True)


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raises ProofInvalid unless `path` leads from the leaf hash at `index` to `root` of a tree of `size` leaves.

    Sizes whose paths have one shape cannot be told apart: take `size` and `root` from one signed checkpoint.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"leaf {index} is not in a tree of {size} leaves")
    _require_hashes([leaf, root, *path])
    siblings = iter(path)
    hashed, position, last = leaf, index, size - 1
    try:
        while last:
            if position & 1:
                hashed = node_hash(next(siblings), hashed)
            elif position < last:
                hashed = node_hash(hashed, next(siblings))
            position, last = position >> 1, last >> 1
    except StopIteration:
        raise ProofInvalid(f"the path of leaf {index} in {size} leaves is too short: {len(path)} hashes") from None
    if next(siblings, None) is not None:
        raise ProofInvalid(f"the path of leaf {index} in {size} leaves is too long: {len(path)} hashes")
    if hashed != root:
        raise ProofInvalid(f"the path of leaf {index} in {size} leaves does not lead to the root")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raises ProofInvalid unless the tree (`old`, `old_root`) is the beginning of the tree (`new`, `new_root`)."""
    if not 0 <= old <= new:
        raise ProofInvalid(f"a tree of {old} leaves is not the beginning of one of {new}")
    _require_hashes([old_root, new_root, *path])
    if old in (0, new):
        _verify_trivial(old, old_root, new, new_root, path)
        return
    computed_old, computed_new = _walk(old, old_root, new, path)
    if computed_old != old_root:
        raise ProofInvalid(f"the consistency proof from {old} to {new} leaves does not lead to the old root")
    if computed_new != new_root:
        raise ProofInvalid(f"the consistency proof from {old} to {new} leaves does not lead to the new root")


def split_point(size: int) -> int:
    """The largest power of two smaller than `size` (which is at least 2): where RFC 6962 splits a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def _path(index: int, start: int, end: int, node: NodeReader) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + split_point(end - start)
    if index < middle:
        return [*_path(index, start, middle, node), range_root(middle, end, node)]
    return [*_path(index, middle, end, node), range_root(start, middle, node)]


def _subproof(old: int, start: int, end: int, node: NodeReader, *, complete: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2: `complete` says that the old tree's root is the verifier's own."""
    if old == end:
        return [] if complete else [range_root(start, end, node)]
    middle = start + split_point(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, node, complete=complete), range_root(middle, end, node)]
    return [*_subproof(old, middle, end, node, complete=False), range_root(start, middle, node)]


def _verify_trivial(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    if path:
        raise ProofInvalid(f"a consistency proof from {old} to {new} leaves is empty; this one has {len(path)} hashes")
    if old == 0 and old_root != EMPTY_ROOT:
        raise ProofInvalid("the root of the empty tree is wrong")
    if old == new and old_root != new_root:
        raise ProofInvalid(f"two different roots for the same size {old}")


def _walk(old: int, old_root: bytes, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """RFC 9162 section 2.1.4.2: both roots, as the path has them."""
    nodes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not nodes:
        raise ProofInvalid(f"the consistency proof from {old} to {new} leaves is empty")
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise ProofInvalid(f"the consistency proof from {old} to {new} leaves is too long")
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofInvalid(f"the consistency proof from {old} to {new} leaves is too short")
    return first, second


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        raise ProofInvalid(f"every hash of a proof is {HASH_SIZE} bytes")
