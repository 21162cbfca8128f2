"""The log on a disk: C2SP tlog-tiles in a folder, and one signed checkpoint that says how far they count (spec 9).

folder/checkpoint                the signed note: the only file that is ever replaced, and the commit point
folder/tile/<L>/<N>[.p/<W>]      hash tiles
folder/tile/entries/<N>[.p/<W>]  entry bundles: 32 bytes of leaf data each
folder/lock                      held by the one process that writes
folder/tmp                       files on their way
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from exchange.audit.disk import Disk
from exchange.audit.frontier import Frontier
from exchange.audit.leaves import LeafIndex
from exchange.audit.published import Published
from exchange.audit.restore import TILES, contradiction, read_bundle, restore, stale_files
from exchange.errors import AuditError, ProofInvalid
from exchange.merkle import (
    ENTRIES,
    HASH_SIZE,
    TILE_WIDTH,
    NodeReader,
    Tile,
    bundles_of,
    consistency_path,
    encode_bundle,
    inclusion_path,
    leaf_hash,
    nodes_from_tiles,
    tiles_of,
)
from exchange.trust import Signer

_CHECKPOINT = "checkpoint"


class LogStore:
    """The tiles of one log, opened by at most one process; `published` is what may be served.

    Opening raises AuditError: `log_contradicts_checkpoint` where the tiles are not the tree that was published,
    `log_in_use` where another process has the folder. StorageFull where a new log finds no room.
    """

    def __init__(self, folder: Path, origin: str, signer: Signer) -> None:
        self._disk = Disk(folder)
        self._lock = _lock(folder)
        self._origin = origin
        self._signer = signer
        try:
            self._disk.clean()
            self._published, self._frontier, self._index = self._load()
        except BaseException:
            self.close()
            raise

    @property
    def published(self) -> Published:
        """The last checkpoint."""
        return self._published

    def close(self) -> None:
        """Let another process have the folder."""
        os.close(self._lock)

    def commit(self, leaf_data: Sequence[bytes], positions: Mapping[str, int]) -> Published:
        """Append leaves, and publish a checkpoint over all of them.

        Raises StorageFull or AuditError: the log is as it was then, and the same call may be made again. SIGKILL
        at any line leaves the old checkpoint with its tiles, or the new one with all of its own.
        """
        hashes = [leaf_hash(data) for data in leaf_data]
        before, grown = self._frontier, self._frontier.grow(hashes)
        self._disk.write(self._new_files(leaf_data, grown))
        # SIGKILL here: tiles that no checkpoint covers; the next start removes them, and computes them again.
        published = Published.sign(self._origin, grown.size, grown.root, positions, self._signer)
        self._disk.replace(_CHECKPOINT, published.note)
        # SIGKILL here: it is published; the next start goes on after it.
        self._index.add(before.size, hashes)
        self._frontier, self._published = grown.trim(), published
        self._disk.remove(self._superseded(before.size, grown.size))
        return published

    def tile(self, path: str) -> bytes | None:
        """The tile or bundle at a C2SP path, or None; raises ProofInvalid for what is no such path."""
        return self._disk.read(Tile.parse(path).path)

    def find(self, leaf: bytes) -> int | None:
        """The index of the first leaf with this hash that the checkpoint covers, or None."""
        size = self._published.size
        node = self._nodes(size)
        return next((at for at in self._index.candidates(leaf) if at < size and node(0, at) == leaf), None)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path of a leaf in the tree of the first `size` leaves; raises ProofInvalid outside the checkpoint."""
        covered = self._published.size
        if not 0 <= index < size <= covered:
            raise ProofInvalid(f"leaf {index} of {size}: the checkpoint covers {covered} leaves")
        return inclusion_path(index, size, self._nodes(covered))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `old` leaves begin the first `new`; raises ProofInvalid outside the checkpoint."""
        covered = self._published.size
        if not 0 <= old <= new <= covered:
            raise ProofInvalid(f"sizes {old} and {new}: the checkpoint covers {covered} leaves")
        return consistency_path(old, new, self._nodes(covered))

    def _nodes(self, size: int) -> NodeReader:
        return nodes_from_tiles(size, self._read)

    def _read(self, tile: Tile) -> bytes:
        data = self._disk.read(tile.path)
        if data is None:  # a commit removed the partial tile meanwhile: the full one begins with its hashes
            data = (self._disk.read(Tile(tile.level, tile.index).path) or b"")[: tile.width * HASH_SIZE]
        return data

    def _load(self) -> tuple[Published, Frontier, LeafIndex]:
        note = self._disk.read(_CHECKPOINT)
        if note is None:
            return self._begin(), Frontier(), LeafIndex()
        try:
            published = Published.parse(note, self._origin, self._signer.public)
        except ProofInvalid as error:
            raise contradiction(self._disk, f"its checkpoint is not this log's: {error.message}") from None
        frontier, index = restore(self._disk, published.checkpoint)
        self._disk.remove(stale_files(self._disk, published.size))
        return published, frontier, index

    def _begin(self) -> Published:
        # The first checkpoint comes before the first tile, so tiles alone mean that somebody removed it.
        if next(self._disk.paths(TILES), None) is not None:
            raise contradiction(self._disk, "there are tiles, but no checkpoint")
        published = Published.sign(self._origin, 0, Frontier().root, {}, self._signer)
        self._disk.replace(_CHECKPOINT, published.note)
        return published

    def _new_files(self, leaf_data: Sequence[bytes], grown: Frontier) -> dict[str, bytes]:
        before = self._frontier.size
        first = before - before % TILE_WIDTH
        entries = [*self._partial_bundle(before), *leaf_data]
        files = {}
        for bundle in bundles_of(grown.size, before):
            start = bundle.index * TILE_WIDTH - first
            files[bundle.path] = encode_bundle(entries[start : start + bundle.width])
        return files | {tile.path: grown.read(tile) for tile in tiles_of(grown.size, before)}

    def _partial_bundle(self, size: int) -> list[bytes]:
        width = size % TILE_WIDTH
        return read_bundle(self._disk, Tile(ENTRIES, size // TILE_WIDTH, width)) if width else []

    def _superseded(self, before: int, size: int) -> list[str]:
        """The partial tiles, of any width, whose full tile is there now."""
        grown = (*tiles_of(size, before), *bundles_of(size, before))
        return [path for tile in grown if not tile.is_partial for path in self._disk.paths(f"{tile.path}.p")]


def _lock(folder: Path) -> int:
    """A lock that ends with the process, however it ends."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise AuditError(
            f"{folder}: another process writes this audit log: stop it, or give this one a folder of its own",
            code="log_in_use",
        ) from None
    return descriptor
