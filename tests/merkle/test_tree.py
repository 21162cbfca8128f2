"""Trees and proofs (RFC 6962, RFC 9162), against the RFC's recursive definition and published roots."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import ProofInvalid
from exchange.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_and_paths,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes([number])) for number in range(70)]
REFERENCE = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots over the first 1 to 8 of these leaves, as the reference tests of Certificate Transparency publish them."""

sizes = st.integers(1, 70)


def rfc_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + rfc_root(leaves[:split]) + rfc_root(leaves[split:])).digest()


def flip(hashed: bytes) -> bytes:
    """Another hash."""
    return bytes([hashed[0] ^ 1]) + hashed[1:]


def test_roots_are_those_that_others_compute():
    """The reference leaves give the published roots."""
    leaves = [leaf_hash(bytes.fromhex(each)) for each in REFERENCE]
    assert [root_of(leaves[:size]).hex() for size in range(1, 9)] == REFERENCE_ROOTS


def test_the_empty_tree_has_the_hash_of_nothing():
    """A tree without leaves has a root too."""
    assert root_of([]) == Tree().root == EMPTY_ROOT == hashlib.sha256().digest()


def test_a_leaf_is_never_a_node():
    """Leaves and nodes are hashed apart: a node's children, as a leaf's data, give another hash."""
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=80))
def test_every_way_to_a_root_agrees_with_the_rfc(leaves):
    """The growing tree, the root of a list and the root with all paths are the RFC's root."""
    root, paths = root_and_paths(leaves)
    assert root == root_of(leaves) == Tree(leaves).root == rfc_root(leaves)
    assert paths == [b"".join(inclusion_proof(leaves, index)) for index in range(len(leaves))]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_of_every_small_tree_is_proven(size):
    """From 1 to 33 leaves, each leaf's path verifies, at its own index alone."""
    tree = Tree(LEAVES[:size])
    for index in range(size):
        path = tree.inclusion_proof(index)
        verify_inclusion(LEAVES[index], index, size, path, tree.root)
        for other in set(range(size)) - {index}:
            with pytest.raises(ProofInvalid):
                verify_inclusion(LEAVES[index], other, size, path, tree.root)


@pytest.mark.parametrize("new", range(34))
def test_every_small_tree_begins_every_larger_one(new):
    """From 0 to 33 leaves, each smaller size is proven to be the beginning, with its own root alone."""
    tree = Tree(LEAVES[:33])
    for old in range(new + 1):
        path = tree.consistency_proof(old, new)
        verify_consistency(old, tree.root_at(old), new, tree.root_at(new), path)
        with pytest.raises(ProofInvalid):
            verify_consistency(old, flip(tree.root_at(old)), new, tree.root_at(new), path)
        if old:
            with pytest.raises(ProofInvalid):
                verify_consistency(old, tree.root_at(old), new, flip(tree.root_at(new)), path)


@given(data=st.data(), size=sizes)
def test_a_bent_inclusion_proof_is_refused(data, size):
    """A path with a hash changed, left out, added or swapped leads nowhere."""
    tree = Tree(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_proof(index)
    at = data.draw(st.integers(0, len(path)))
    bent = [[*path[:at], LEAVES[69], *path[at:]]]
    if at < len(path):
        bent += [[*path[:at], flip(path[at]), *path[at + 1 :]], path[:at] + path[at + 1 :], path[:at]]
    for each in bent:
        with pytest.raises(ProofInvalid):
            verify_inclusion(LEAVES[index], index, size, each, tree.root)


@given(data=st.data(), new=sizes)
def test_a_bent_consistency_proof_is_refused(data, new):
    """A proof with a hash changed, left out or added proves nothing."""
    tree = Tree(LEAVES[:new])
    old = data.draw(st.integers(0, new))
    path = tree.consistency_proof(old)
    at = data.draw(st.integers(0, len(path)))
    bent = [[*path[:at], LEAVES[69], *path[at:]]]
    if at < len(path):
        bent += [[*path[:at], flip(path[at]), *path[at + 1 :]], path[:at] + path[at + 1 :], path[:at]]
    for each in bent:
        with pytest.raises(ProofInvalid):
            verify_consistency(old, tree.root_at(old), new, tree.root, each)


@given(
    old=st.integers(-2, 70),
    new=st.integers(-2, 70),
    path=st.lists(st.sampled_from(LEAVES) | st.binary(max_size=40), max_size=9),
)
def test_a_random_proof_never_ends_in_another_error(old, new, path):
    """Whatever is claimed, verification ends in ProofInvalid; a made-up path proves nothing."""
    with pytest.raises(ProofInvalid):
        verify_consistency(old, LEAVES[0], new, LEAVES[1], path)
    with pytest.raises(ProofInvalid):
        verify_inclusion(LEAVES[2], old, new, path, LEAVES[3])


@pytest.mark.parametrize(
    ("leaf", "path", "root"),
    [(b"", [LEAVES[1]], LEAVES[2]), (LEAVES[0], [b"x"], LEAVES[2]), (LEAVES[0], [LEAVES[1]], b"")],
    ids=["leaf", "path", "root"],
)
def test_hashes_of_another_length_are_refused(leaf, path, root):
    """Every hash of a proof is 32 bytes."""
    with pytest.raises(ProofInvalid, match="32 bytes"):
        verify_inclusion(leaf, 0, 2, path, root)


def test_the_growing_tree_knows_all_its_pasts():
    """Appending changes no earlier root, and each leaf is told its index."""
    tree, roots = Tree(), [EMPTY_ROOT]
    for number, leaf in enumerate(LEAVES):
        assert tree.append(leaf) == number
        roots.append(tree.root)
    assert [tree.root_at(size) for size in range(71)] == roots
    assert tree.inclusion_proof(5, 9) == Tree(LEAVES[:9]).inclusion_proof(5)
    assert tree.consistency_proof(5, 9) == consistency_proof(LEAVES[:9], 5)


def test_complete_subtrees_can_be_read():
    """A node is the root of the leaves below it; where the subtree is not complete there is none."""
    tree = Tree(LEAVES[:11])
    assert tree.node(2, 1) == root_of(LEAVES[4:8])
    assert tree.node(0, 10) == LEAVES[10]
    with pytest.raises(IndexError):
        tree.node(2, 2)


@pytest.mark.parametrize(
    "ask",
    [
        lambda tree: tree.inclusion_proof(3),
        lambda tree: tree.inclusion_proof(-1),
        lambda tree: tree.inclusion_proof(2, 2),
        lambda tree: tree.inclusion_proof(0, 4),
        lambda tree: tree.consistency_proof(4),
        lambda tree: tree.consistency_proof(2, 1),
        lambda tree: tree.root_at(4),
        lambda tree: tree.root_at(-1),
    ],
)
def test_what_is_not_in_the_tree_is_not_proven(ask):
    """Asking for more than the tree has is an error of the caller."""
    with pytest.raises(ValueError, match="not within this tree of 3 leaves"):
        ask(Tree(LEAVES[:3]))
