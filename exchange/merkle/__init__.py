"""Merkle trees and what commits to them: RFC 6962 trees and proofs; C2SP notes, checkpoints, tiles, proofs.

Pure: bytes in, bytes out (spec 3 and 9).
"""

from exchange.merkle.checkpoint import Checkpoint, parse_decimal
from exchange.merkle.hashing import EMPTY_ROOT, HASH_SIZE, leaf_hash, node_hash
from exchange.merkle.note import (
    Note,
    NoteKey,
    NoteSignature,
    NoteSigner,
    NoteVerifier,
    is_key_name,
    note_key_id,
    open_note,
    parse_note,
    sign_note,
    signed_note,
    verifier_text,
)
from exchange.merkle.proof import (
    NodeReader,
    consistency_path,
    inclusion_path,
    range_root,
    verify_consistency,
    verify_inclusion,
)
from exchange.merkle.tile import (
    ENTRIES,
    TILE_WIDTH,
    Tile,
    bundles_of,
    encode_bundle,
    nodes_from_tiles,
    parse_bundle,
    tile_data,
    tiles_of,
)
from exchange.merkle.tlog_proof import TlogProof
from exchange.merkle.tree import Tree, consistency_proof, inclusion_proof, root_and_paths, root_of

__all__ = [
    "EMPTY_ROOT",
    "ENTRIES",
    "HASH_SIZE",
    "TILE_WIDTH",
    "Checkpoint",
    "NodeReader",
    "Note",
    "NoteKey",
    "NoteSignature",
    "NoteSigner",
    "NoteVerifier",
    "Tile",
    "TlogProof",
    "Tree",
    "bundles_of",
    "consistency_path",
    "consistency_proof",
    "encode_bundle",
    "inclusion_path",
    "inclusion_proof",
    "is_key_name",
    "leaf_hash",
    "node_hash",
    "nodes_from_tiles",
    "note_key_id",
    "open_note",
    "parse_bundle",
    "parse_decimal",
    "parse_note",
    "range_root",
    "root_and_paths",
    "root_of",
    "sign_note",
    "signed_note",
    "tile_data",
    "tiles_of",
    "verifier_text",
    "verify_consistency",
    "verify_inclusion",
]
