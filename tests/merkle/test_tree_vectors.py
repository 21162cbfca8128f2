"""The published vectors of trees and of the log's forms."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import ProofInvalid
from exchange.merkle import (
    HASH_SIZE,
    Checkpoint,
    NoteVerifier,
    Tile,
    TlogProof,
    open_note,
    parse_bundle,
    root_and_paths,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from exchange.trust import PublicKey

VECTORS = Path(__file__).parents[1] / "vectors"
TREES: dict[str, Any] = json.loads((VECTORS / "trees.json").read_text(encoding="utf-8"))
LOGS: dict[str, Any] = json.loads((VECTORS / "logs.json").read_text(encoding="utf-8"))
LEAVES = [bytes.fromhex(leaf) for leaf in TREES["leaves"]]
ROOTS = {tree["size"]: bytes.fromhex(tree["root"]) for tree in TREES["trees"]}


def hashes(joined: str) -> list[bytes]:
    """A path from its vector."""
    raw = bytes.fromhex(joined)
    return [raw[at : at + HASH_SIZE] for at in range(0, len(raw), HASH_SIZE)]


@pytest.mark.parametrize("case", TREES["trees"], ids=lambda case: case["size"])
def test_a_tree_has_its_root_and_paths(case):
    """Root and paths of every size are those of the file, and each path verifies."""
    leaves = LEAVES[: case["size"]]
    root, paths = root_and_paths(leaves)
    assert root == root_of(leaves) == ROOTS[case["size"]]
    assert [path.hex() for path in paths] == case["paths"]
    for index, path in enumerate(case["paths"]):
        verify_inclusion(leaves[index], index, case["size"], hashes(path), root)


def test_every_consistency_proof_verifies():
    """The file's proofs between any two sizes hold."""
    assert len(TREES["consistency"]) == 33 * 32 // 2
    for case in TREES["consistency"]:
        verify_consistency(case["old"], ROOTS[case["old"]], case["new"], ROOTS[case["new"]], hashes(case["path"]))


@pytest.mark.parametrize("case", TREES["damaged_inclusion"], ids=lambda case: case["name"])
def test_a_damaged_inclusion_proof_is_refused(case):
    """Each is wrong in one way."""
    leaf, root = bytes.fromhex(case["leaf"]), bytes.fromhex(case["root"])
    with pytest.raises(ProofInvalid):
        verify_inclusion(leaf, case["index"], case["size"], hashes(case["path"]), root)


@pytest.mark.parametrize("case", TREES["damaged_consistency"], ids=lambda case: case["name"])
def test_a_damaged_consistency_proof_is_refused(case):
    """Each is wrong in one way."""
    old_root, new_root = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    with pytest.raises(ProofInvalid):
        verify_consistency(case["old"], old_root, case["new"], new_root, hashes(case["path"]))


def test_the_logs_checkpoint_and_proof_verify():
    """With the verifier key's text alone, the checkpoint opens and the proof leads to it."""
    name, _, blob = LOGS["verifier"].split("+", 2)
    verifier = NoteVerifier(name, PublicKey(base64.b64decode(blob)[1:]))
    checkpoint = Checkpoint.parse(open_note(LOGS["checkpoint"].encode(), [verifier]).text)
    proof = TlogProof.parse(LOGS["proof"]["text"].encode())
    assert proof.verify(bytes.fromhex(LOGS["proof"]["leaf"]), name, [verifier]) == checkpoint
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (name, 21, ROOTS[21])


def test_the_logs_tiles_are_where_the_file_says():
    """Paths are read as they are written; the bundle has its entries."""
    for index, path in LOGS["paths"].items():
        assert Tile.parse(path) == Tile(0, int(index))
    assert [Tile.parse(path).path for path in LOGS["tiles_of_70000"]] == LOGS["tiles_of_70000"]
    entries = parse_bundle(bytes.fromhex(LOGS["bundle"]["bytes"]), len(LOGS["bundle"]["entries"]))
    assert [entry.hex() for entry in entries] == LOGS["bundle"]["entries"]
