"""The two hashes of an RFC 6962 tree, domain-separated so that a leaf can never be read as a node.

leaf = SHA-256(0x00 ‖ data)          node = SHA-256(0x01 ‖ left ‖ right)          root of nothing = SHA-256()
"""

from __future__ import annotations

from hashlib import sha256

HASH_SIZE = 32
"""Bytes of one hash."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's data, 32 bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node over two hashes, 32 bytes."""
    return sha256(b"\x01" + left + right).digest()
