"""Tiles and entry bundles (C2SP tlog-tiles)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import ProofInvalid
from exchange.merkle import (
    ENTRIES,
    HASH_SIZE,
    Tile,
    Tree,
    bundles_of,
    consistency_path,
    encode_bundle,
    inclusion_path,
    leaf_hash,
    nodes_from_tiles,
    parse_bundle,
    range_root,
    tile_data,
    tiles_of,
    verify_consistency,
    verify_inclusion,
)

TREE = Tree(leaf_hash(number.to_bytes(4, "big")) for number in range(70_000))


def stored(size: int) -> dict[str, bytes]:
    """The tiles of the tree's first `size` leaves, as a log would keep them."""
    return {tile.path: tile_data(tile, TREE.node) for tile in tiles_of(size)}


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(3, 1000, 7), "tile/3/x001/000.p/7"),
        (Tile(63, 999, 255), "tile/63/999.p/255"),
        (Tile(ENTRIES, 5, 1), "tile/entries/005.p/1"),
        (Tile(ENTRIES, 273), "tile/entries/273"),
    ],
)
def test_a_tile_has_its_path(tile, path):
    """Paths are C2SP's, there and back."""
    assert tile.path == path
    assert Tile.parse(path) == tile
    assert tile.is_partial == (".p/" in path)


@given(level=st.integers(-1, 63), index=st.integers(0, 10**15), width=st.integers(1, 256))
def test_any_tiles_path_comes_back(level, index, width):
    """Every tile is found again by its path."""
    assert Tile.parse(Tile(level, index, width).path) == Tile(level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/x001/x001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/999",
        "tile/0/001.p/01",
        "tile/0/001/",
        "tile/0/../000",
        "tile/entries/1",
        "/tile/0/000",
        "tile/0/٠٠٠",
        "tile/0/000\n",
        "tile/0/" + "x001/" * 3000 + "001",
    ],
)
def test_a_path_that_is_no_tiles_is_refused(path):
    """A server reads paths that others send: only what is written is read."""
    with pytest.raises(ProofInvalid):
        Tile.parse(path)


def test_a_log_of_70000_has_the_tiles_of_the_specification():
    """273 full tiles and one of 112, one full and one of 17 above them, and one of 1 on top."""
    tiles = list(tiles_of(70_000))
    assert [sum(each.level == level for each in tiles) for level in range(4)] == [274, 2, 1, 0]
    assert [each.width for each in tiles if each.is_partial] == [112, 17, 1]


def test_a_log_of_256_has_a_full_tile_and_one_above():
    """A full tile is hashed into the level above at once."""
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(bundles_of(256)) == [Tile(ENTRIES, 0)]


def test_an_empty_log_has_no_tiles():
    """Empty tiles are not served."""
    assert list(tiles_of(0)) == list(bundles_of(0)) == list(tiles_of(7, 7)) == []


@given(old=st.integers(0, 70_000), new=st.integers(0, 70_000))
def test_growth_writes_what_is_missing_and_nothing_more(old, new):
    """The tiles since an earlier size are those of the new size that the old one did not have."""
    old, new = sorted((old, new))
    assert set(tiles_of(new, old)) == set(tiles_of(new)) - set(tiles_of(old))
    assert set(bundles_of(new, old)) == set(bundles_of(new)) - set(bundles_of(old))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 65_535, 65_536, 70_000])
def test_proofs_are_built_from_tiles_alone(size):
    """Root, inclusion and consistency come from the stored tiles as from the tree in memory."""
    tiles = stored(size)
    node = nodes_from_tiles(size, lambda tile: tiles[tile.path])
    root = range_root(0, size, node)
    assert root == TREE.root_at(size)
    for index in {0, size // 3, size - 1}:
        verify_inclusion(TREE.node(0, index), index, size, inclusion_path(index, size, node), root)
    for old in {0, 1, size // 2, size - 1, size}:
        verify_consistency(old, TREE.root_at(old), size, root, consistency_path(old, size, node))


def test_a_tile_cut_off_is_noticed():
    """A tile with too few bytes, or one the tree cannot have, ends in ProofInvalid."""
    with pytest.raises(ProofInvalid, match="bytes instead of"):
        inclusion_path(3, 300, nodes_from_tiles(300, lambda tile: b"x"))
    with pytest.raises(ProofInvalid, match="has no tile"):
        nodes_from_tiles(300, lambda tile: bytes(tile.width * HASH_SIZE))(0, 512)


entries = st.lists(st.binary(max_size=300), max_size=256)


@given(entries)
def test_a_bundle_comes_back(given_entries):
    """Entries of a bundle are read as they were written, empty ones too."""
    assert parse_bundle(encode_bundle(given_entries), len(given_entries)) == given_entries


def test_bundles_have_their_limits():
    """256 entries of up to 65,535 bytes are the most that C2SP's bundle takes."""
    assert parse_bundle(encode_bundle([bytes(65_535)] * 256)) == [bytes(65_535)] * 256
    for too_much in ([b""] * 257, [bytes(65_536)]):
        with pytest.raises(ValueError, match="a bundle takes up to"):
            encode_bundle(too_much)


@pytest.mark.parametrize(
    ("raw", "width"),
    [(b"\x00", 1), (b"\x00\x02a", 1), (b"\x00\x01a", 2), (b"\x00\x01a\x00\x00", 1), (b"", 1)],
    ids=["length cut", "entry cut", "too few", "too many", "empty"],
)
def test_a_damaged_bundle_is_refused(raw, width):
    """A bundle that is cut, or has another number of entries, is not read at all."""
    with pytest.raises(ProofInvalid):
        parse_bundle(raw, width)


@given(st.binary(max_size=200), st.integers(1, 256))
def test_random_bytes_are_a_bundle_or_none(raw, width):
    """What is read is written back to the same bytes."""
    try:
        parsed = parse_bundle(raw, width)
    except ProofInvalid:
        return
    assert encode_bundle(parsed) == raw
