"""C2SP tlog-tiles (c2sp.org/tlog-tiles): a log as files, 256 hashes or 256 entries each.

    tile/<L>/<N>[.p/<W>]           hashes of tree level 8·L, from index 256·N, joined; W of them where not yet full
    tile/entries/<N>[.p/<W>]       entries from index 256·N, each u16 length (big endian) ‖ bytes
    <N>                            three digits an element, all but the last with an `x`: 1234067 -> x001/x234/067

A full tile never changes; a partial one (1 <= W <= 255) may be deleted once the full one is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from exchange.errors import ProofInvalid
from exchange.merkle.hashing import HASH_SIZE, node_hash
from exchange.merkle.proof import NodeReader

TILE_HEIGHT = 8
"""Tree levels in one tile."""

TILE_WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""

ENTRIES = -1
"""The level that stands for entry bundles."""

_INDEX = r"(?:x[0-9]{3}/){0,6}[0-9]{3}"
_WIDTH = r"[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]"
_PATH = re.compile(rf"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<index>{_INDEX})(?:\.p/(?P<width>{_WIDTH}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: its level (0, 1, …, or ENTRIES), its index, and how many hashes or entries it has."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it is, below the log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_encode_index(self.index)}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read what `path` writes, and nothing else; raises ProofInvalid."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise ProofInvalid(f"not the path of a tile: {path[:80]!r}")
        level = ENTRIES if match["level"] == "entries" else int(match["level"])
        index = int(match["index"].replace("x", "").replace("/", ""))
        tile = cls(level, index, int(match["width"] or TILE_WIDTH))
        if tile.path != path:
            raise ProofInvalid(f"not the canonical path of a tile: {path[:80]!r}")
        return tile

    @property
    def is_partial(self) -> bool:
        """Whether it may still grow."""
        return self.width < TILE_WIDTH


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """The hash tiles of a tree of `size` leaves that a tree of `since` leaves did not have, lower levels first."""
    level, count, before = 0, size, since
    while count:
        yield from _grown(level, count, before)
        level, count, before = level + 1, count // TILE_WIDTH, before // TILE_WIDTH


def bundles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """The entry bundles of a log of `size` entries that a log of `since` entries did not have."""
    return _grown(ENTRIES, size, since)


def tile_data(tile: Tile, node: NodeReader) -> bytes:
    """The bytes of a hash tile, from the hashes of the tree's complete subtrees."""
    level, first = tile.level * TILE_HEIGHT, tile.index * TILE_WIDTH
    return b"".join(node(level, first + offset) for offset in range(tile.width))


def nodes_from_tiles(size: int, read: Callable[[Tile], bytes]) -> NodeReader:
    """The complete subtrees of a tree of `size` leaves, read from its tiles: what proofs are built from.

    `read` gives a tile's bytes (it may cache); the reader raises ProofInvalid where a tile is of the wrong size.
    """

    def node(level: int, index: int) -> bytes:
        tile_level, above = divmod(level, TILE_HEIGHT)
        first = index << above
        tile = _tile_at(size, tile_level, first // TILE_WIDTH)
        data = read(tile)
        if len(data) != tile.width * HASH_SIZE:
            raise ProofInvalid(f"{tile.path} has {len(data)} bytes instead of {tile.width * HASH_SIZE}")
        offset = first % TILE_WIDTH
        return _fold([data[each * HASH_SIZE : (each + 1) * HASH_SIZE] for each in range(offset, offset + (1 << above))])

    return node


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle; ValueError for more than 256 entries or one of more than 65,535 bytes."""
    if len(entries) > TILE_WIDTH or any(len(entry) > 0xFFFF for entry in entries):
        raise ValueError(f"a bundle takes up to {TILE_WIDTH} entries of up to 65,535 bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(data: bytes, width: int = TILE_WIDTH) -> list[bytes]:
    """The `width` entries of a bundle; raises ProofInvalid where there are more, fewer, or a cut one."""
    entries: list[bytes] = []
    offset = 0
    while offset < len(data):
        end = offset + 2 + int.from_bytes(data[offset : offset + 2], "big")
        if offset + 2 > len(data) or end > len(data):
            raise ProofInvalid(f"the entry bundle is cut off in entry {len(entries)}")
        entries.append(data[offset + 2 : end])
        offset = end
    if len(entries) != width:
        raise ProofInvalid(f"the entry bundle has {len(entries)} entries instead of {width}")
    return entries


def _grown(level: int, count: int, before: int) -> Iterator[Tile]:
    if count == before:
        return
    for index in range(before // TILE_WIDTH, count // TILE_WIDTH):
        yield Tile(level, index)
    if count % TILE_WIDTH:
        yield Tile(level, count // TILE_WIDTH, count % TILE_WIDTH)


def _tile_at(size: int, level: int, index: int) -> Tile:
    width = min(TILE_WIDTH, (size >> (level * TILE_HEIGHT)) - index * TILE_WIDTH)
    if width < 1:
        raise ProofInvalid(f"a tree of {size} leaves has no tile {index} of level {level}")
    return Tile(level, index, width)


def _fold(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def _encode_index(index: int) -> str:
    elements = [f"{index % 1000:03d}"]
    while index := index // 1000:
        elements.append(f"x{index % 1000:03d}")
    return "/".join(reversed(elements))
