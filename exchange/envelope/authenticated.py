"""What a verified root has vouched for: a flush's 2,000 records cost about one node hash each (spec 3, step 7).

A path that leads to the root authenticates, besides its leaf, every sibling on the way. Each sibling is kept as a
*branch*, its hash followed by its own path to the root, until a later record's path climbs into it: equal bytes end
the climb there, different bytes refuse the record. So every path is checked to the root, and none twice.
"""

from __future__ import annotations

from hashlib import sha256

from exchange.errors import InclusionInvalid

_LEVEL = 32


class AuthenticatedTree:
    """The tree of one verified statement: its size, its root, and the branches that were met so far."""

    __slots__ = ("_branches", "_root", "_size")

    def __init__(self, size: int, root: bytes) -> None:
        self._size = size
        self._root = root
        self._branches: dict[int, bytes] = {}

    def verify(self, leaf: bytes, index: int, path: bytes) -> None:
        """Raises InclusionInvalid unless `path` (siblings, joined) leads from the leaf hash at `index` to the root."""
        if index >= self._size:
            raise InclusionInvalid(f"leaf {index} is not in a flush of {self._size} records")
        branch = leaf + path
        known = self._branches.get(index)
        if known is None:
            self._climb(branch, index)
        elif known == branch:
            del self._branches[index]
        else:
            raise _refusal(index, self._size)

    def _climb(self, branch: bytes, index: int) -> None:
        """Hash upward until a known branch, or the root; only then keep the siblings."""
        met: list[tuple[int, bytes]] = []
        position, last, level = index, self._size - 1, 0
        key, known = -1, None
        while last and known is None:
            if position & 1 or position < last:  # else the node is promoted
                node, sibling, above = branch[:32], branch[32:64], branch[64:]
                met.append((level << _LEVEL | position ^ 1, sibling + node + above))
                pair = sibling + node if position & 1 else node + sibling
                branch = sha256(b"\x01" + pair).digest() + above
            position, last, level = position >> 1, last >> 1, level + 1
            key = level << _LEVEL | position
            known = self._branches.get(key)
        if branch != (known or self._root):
            raise _refusal(index, self._size)
        self._branches.pop(key, None)
        self._branches.update(met)


def _refusal(index: int, size: int) -> InclusionInvalid:
    return InclusionInvalid(f"the path of leaf {index} of {size} does not lead from this record to the signed root")
