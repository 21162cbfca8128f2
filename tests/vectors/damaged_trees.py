"""Inclusion proofs that lead nowhere: the last leaf of every tree of 1 to 33 leaves, wrong in one way each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchange.errors import ProofInvalid
from exchange.merkle import Tree, verify_inclusion


def damaged_paths(tree: Tree) -> list[dict[str, Any]]:
    """The proofs to refuse. What is bent into another proof that holds is none of them: a size of the same shape."""
    return [case for size in range(1, 34) for case in _cases(tree, size) if _is_refused(case)]


def _cases(tree: Tree, size: int) -> Iterator[dict[str, Any]]:
    index, path, root = size - 1, tree.inclusion_proof(size - 1, size), tree.root_at(size)
    good = {"leaf": tree.node(0, index), "index": index, "size": size, "path": path, "root": root}
    bent: dict[str, dict[str, Any]] = {
        "another leaf": {"leaf": tree.node(0, (index + 1) % 33)},
        "the leaf before": {"index": max(0, index - 1), "leaf": tree.node(0, max(0, index - 1))},
        "index one less": {"index": index - 1},
        "index of the size": {"index": size},
        "size one less": {"size": size - 1},
        "size one more": {"size": size + 1},
        "twice the size": {"size": 2 * size},
        "another root": {"root": tree.root_at(size % 33 + 1)},
        "path empty": {"path": []},
        "path without its first": {"path": path[1:]},
        "path without its last": {"path": path[:-1]},
        "path with the leaf again": {"path": [good["leaf"], *path]},
        "path with the root": {"path": [*path, root]},
        "path backwards": {"path": path[::-1]},
        "path twice": {"path": [*path, *path]},
        "hashes of zeros": {"path": [bytes(32)] * len(path)},
    }
    for at in range(len(path)):
        bent[f"a bit of hash {at}"] = {"path": [*path[:at], bytes([path[at][0] ^ 1]) + path[at][1:], *path[at + 1 :]]}
    for name, change in bent.items():
        yield {"name": f"{size} leaves: {name}"} | good | change


def _is_refused(case: dict[str, Any]) -> bool:
    try:
        verify_inclusion(case["leaf"], case["index"], case["size"], case["path"], case["root"])
    except ProofInvalid:
        return case["index"] >= 0
    return False


def written(case: dict[str, Any]) -> dict[str, Any]:
    """A proof as the file has it."""
    hashes = {name: case[name].hex() for name in ("leaf", "root")}
    return case | hashes | {"path": b"".join(case["path"]).hex()}
