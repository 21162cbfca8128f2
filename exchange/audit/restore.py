"""Opening a log that is there: every tile must be what the entries hash to, and the root what was published.

A log that contradicts a checkpoint it once published would show two histories; it refuses to run instead.
"""

from __future__ import annotations

from exchange.audit.disk import Disk
from exchange.audit.frontier import Frontier
from exchange.audit.leaves import LeafIndex
from exchange.errors import AuditError, ProofInvalid
from exchange.merkle import ENTRIES, TILE_WIDTH, Checkpoint, Tile, bundles_of, leaf_hash, parse_bundle, tiles_of

TILES = "tile"
"""The folder of all tiles."""

_HEIGHT = 8


def restore(disk: Disk, checkpoint: Checkpoint) -> tuple[Frontier, LeafIndex]:
    """The edge and the leaves of the tree on the disk, hashed again from the entries up.

    Raises AuditError of code `log_contradicts_checkpoint` naming the first file that is not what it must be.
    """
    frontier, index = Frontier(), LeafIndex()
    for bundle in bundles_of(checkpoint.size):
        hashes = [leaf_hash(entry) for entry in read_bundle(disk, bundle)]
        grown = frontier.grow(hashes)
        for tile in tiles_of(grown.size, frontier.size):
            if tile.width == _width(tile, checkpoint.size):
                _require_tile(disk, tile, grown.read(tile))
        index.add(frontier.size, hashes)
        frontier = grown.trim()
    if frontier.root != checkpoint.root:
        raise contradiction(disk, f"its {checkpoint.size} entries do not hash to the checkpoint's root")
    return frontier, index


def read_bundle(disk: Disk, bundle: Tile) -> list[bytes]:
    """The leaf data in a bundle; raises AuditError of code `log_contradicts_checkpoint`."""
    data = disk.read(bundle.path)
    if data is None:
        raise contradiction(disk, f"{bundle.path} is missing")
    try:
        return parse_bundle(data, bundle.width)
    except ProofInvalid as error:
        raise contradiction(disk, f"{bundle.path}: {error.message}") from None


def stale_files(disk: Disk, size: int) -> list[str]:
    """Files below `tile` that a log of `size` leaves has no use for: of a commit that a crash cut short."""
    return [path for path in disk.paths(TILES) if _is_stale(path, size)]


def contradiction(disk: Disk, what: str) -> AuditError:
    """The refusal to run."""
    return AuditError(
        f"{disk.folder}: {what}; this log will not contradict what it published: "
        "restore the folder from a backup (a newer checkpoint of it is proof against any other)",
        code="log_contradicts_checkpoint",
    )


def _require_tile(disk: Disk, tile: Tile, expected: bytes) -> None:
    if disk.read(tile.path) != expected:
        raise contradiction(disk, f"{tile.path} does not have the hashes of the entries")


def _is_stale(path: str, size: int) -> bool:
    try:
        tile = Tile.parse(path)
    except ProofInvalid:
        return True
    width = _width(tile, size)
    return tile.width > width or (tile.is_partial and width == TILE_WIDTH)


def _width(tile: Tile, size: int) -> int:
    """How wide the tile at this place is in a log of `size` leaves; 0 or less where there is none."""
    count = size if tile.level == ENTRIES else size >> (_HEIGHT * tile.level)
    return min(TILE_WIDTH, count - tile.index * TILE_WIDTH)
