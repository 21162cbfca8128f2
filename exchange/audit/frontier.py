"""The growing edge of a tiled log: the hashes that the next tiles are made of, and no others.

Per tile level (tree levels 0, 8, 16, …) it holds the hashes from the level's last partial tile on: at most 255 a
level, plus what was added since. Everything to the left is in full tiles on the disk and never needed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.merkle import EMPTY_ROOT, TILE_WIDTH, Tile, nodes_from_tiles, range_root, root_of, tile_data

_HEIGHT = 8


@dataclass(frozen=True, slots=True)
class _Level:
    first: int
    hashes: list[bytes]


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree's size, and the hashes of each tile level from its last partial tile on."""

    size: int = 0
    _levels: tuple[_Level, ...] = ()

    def grow(self, leaf_hashes: Sequence[bytes]) -> Frontier:
        """The edge with more leaves, from which every tile that they touch can be read; this one stays as it is."""
        levels, added = [], list(leaf_hashes)
        for old in self._levels:
            levels.append(_Level(old.first, old.hashes + added))
            added = _roots(levels[-1], len(old.hashes) // TILE_WIDTH)
        while added:
            levels.append(_Level(0, added))
            added = _roots(levels[-1], 0)
        return Frontier(self.size + len(leaf_hashes), tuple(levels))

    def trim(self) -> Frontier:
        """The same tree, without the hashes of full tiles."""
        return Frontier(self.size, tuple(_trim(level) for level in self._levels))

    def node(self, level: int, index: int) -> bytes:
        """The hash at tree level 8·L; only of tiles that are not behind the edge."""
        held = self._levels[level // _HEIGHT]
        return held.hashes[index - held.first]

    def read(self, tile: Tile) -> bytes:
        """A hash tile's bytes; only of tiles that are not behind the edge."""
        return tile_data(tile, self.node)

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        if self.size == 0:
            return EMPTY_ROOT
        return range_root(0, self.size, nodes_from_tiles(self.size, self.read))


def _roots(level: _Level, done: int) -> list[bytes]:
    """The hashes over this level's full tiles, without those of the first `done`: what the level above gains."""
    full = len(level.hashes) // TILE_WIDTH
    return [root_of(level.hashes[each * TILE_WIDTH : (each + 1) * TILE_WIDTH]) for each in range(done, full)]


def _trim(level: _Level) -> _Level:
    kept = len(level.hashes) - len(level.hashes) % TILE_WIDTH
    return _Level(level.first + kept, level.hashes[kept:])
