"""The growing edge of the log, held to the whole tree."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.audit.frontier import Frontier
from exchange.merkle import EMPTY_ROOT, Tree, leaf_hash, tile_data, tiles_of

LEAVES = [leaf_hash(str(number).encode()) for number in range(70_000)]


def test_nothing_has_the_empty_root() -> None:
    """An edge without leaves has the root of the empty tree."""
    assert Frontier().root == EMPTY_ROOT


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([1, 2, 3, 100, 255, 256, 257, 511, 513, 1000]), max_size=8))
def test_every_tile_and_root_is_the_trees(steps: list[int]) -> None:
    """However the leaves arrive, each tile they touch and each root is that of the tree over all of them."""
    frontier, tree = Frontier(), Tree()
    for count in steps:
        before, added = tree.size, LEAVES[tree.size : tree.size + count]
        for leaf in added:
            tree.append(leaf)
        grown = frontier.grow(added)
        for tile in tiles_of(tree.size, before):
            assert grown.read(tile) == tile_data(tile, tree.node)
        frontier = grown.trim()
        assert (frontier.size, frontier.root) == (tree.size, tree.root)


def test_three_levels_of_tiles_have_the_trees_root() -> None:
    """70,000 leaves, which need tiles of three levels, hash to the tree's root in one step and in many."""
    at_once, in_steps = Frontier().grow(LEAVES), Frontier()
    for start in range(0, len(LEAVES), 999):
        in_steps = in_steps.grow(LEAVES[start : start + 999]).trim()
    assert at_once.root == in_steps.root == Tree(LEAVES).root


def test_growing_leaves_the_edge_as_it_was() -> None:
    """A step that came to nothing can be taken again from the same edge."""
    edge = Frontier().grow(LEAVES[:300]).trim()
    root = edge.root
    edge.grow(LEAVES[300:900])
    assert edge.root == root
    assert edge.grow(LEAVES[300:301]).root == Tree(LEAVES[:301]).root
