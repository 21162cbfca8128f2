"""The log on a disk: what C2SP tlog-tiles says, and never anything that contradicts what was published."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.audit.published import Published
from exchange.audit.store import LogStore
from exchange.errors import AuditError, ProofInvalid
from exchange.merkle import (
    EMPTY_ROOT,
    Tile,
    Tree,
    bundles_of,
    leaf_hash,
    parse_bundle,
    sign_note,
    tile_data,
    tiles_of,
    verify_consistency,
    verify_inclusion,
)

from .world import LOG_KEY, ORIGIN, OTHER_KEY, TOPIC, open_store

DATA = [hashlib.sha256(str(number).encode()).digest() for number in range(2_000)]
HASHES = [leaf_hash(data) for data in DATA]


def filled(folder: Path, *steps: int) -> LogStore:
    """A log whose checkpoints cover the first of DATA in these steps."""
    store, size = open_store(folder), 0
    for step in steps:
        store.commit(DATA[size : size + step], {TOPIC: size + step})
        size += step
    return store


def files(folder: Path) -> dict[str, bytes]:
    """Every file that is served, by its path."""
    found = [*(folder / "tile").rglob("*"), folder / "checkpoint"]
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in found if each.is_file()}


def test_a_new_log_begins_with_a_checkpoint_over_nothing(tmp_path: Path) -> None:
    """There is a signed checkpoint before there is any entry."""
    checkpoint = open_store(tmp_path / "log").published.checkpoint
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 0, EMPTY_ROOT)


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.sampled_from([1, 2, 44, 255, 256, 257, 300]), min_size=1, max_size=6))
def test_the_files_are_the_trees_tiles(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    """However entries arrive, every tile and bundle of the tree is there, and none that was superseded."""
    folder = tmp_path_factory.mktemp("log")
    store = filled(folder, *steps)
    tree = Tree(HASHES[: sum(steps)])
    found = files(folder)
    for tile in tiles_of(tree.size):
        assert found[tile.path] == tile_data(tile, tree.node)
    for bundle in bundles_of(tree.size):
        first = bundle.index * 256
        assert parse_bundle(found[bundle.path], bundle.width) == DATA[first : first + bundle.width]
    assert store.published.checkpoint.root == tree.root
    assert not [path for path in found if path.endswith(".p/255") and path.removesuffix(".p/255") in found]
    store.close()


def test_three_hundred_entries_cross_into_a_second_tile(tmp_path: Path) -> None:
    """300 leaves are one full tile and one of 44, at the entries too, and one hash above."""
    store = filled(tmp_path, 100, 200)
    assert sorted(files(tmp_path)) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ]
    for index in (0, 255, 256, 299):
        path = store.inclusion(index, 300)
        verify_inclusion(HASHES[index], index, 300, path, store.published.checkpoint.root)


def test_the_partial_tiles_of_earlier_checkpoints_stay_until_the_tile_is_full(tmp_path: Path) -> None:
    """Whoever holds an older checkpoint still finds the tiles that it needs."""
    store = filled(tmp_path, 3, 4)
    assert store.tile("tile/0/000.p/3") == b"".join(HASHES[:3])
    assert store.tile("tile/entries/000.p/3") is not None
    store.commit(DATA[7:256], {TOPIC: 256})
    assert store.tile("tile/0/000.p/3") is None
    assert store.tile("tile/0/000") == b"".join(HASHES[:256])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_proofs_are_the_trees_at_every_size(log_of_600: LogStore, draw: st.DataObject) -> None:
    """Inclusion and consistency proofs from tiles are those of the tree, also for sizes between checkpoints."""
    tree = Tree(HASHES[:600])
    size = draw.draw(st.integers(1, 600))
    index = draw.draw(st.integers(0, size - 1))
    old = draw.draw(st.integers(0, size))
    assert log_of_600.inclusion(index, size) == tree.inclusion_proof(index, size)
    path = log_of_600.consistency(old, size)
    verify_consistency(old, tree.root_at(old), size, tree.root_at(size), path)


@pytest.fixture(scope="module")
def log_of_600(tmp_path_factory: pytest.TempPathFactory) -> LogStore:
    return filled(tmp_path_factory.mktemp("log"), 10, 290, 300)


def test_every_leaf_is_found_by_its_hash(log_of_600: LogStore) -> None:
    """Each leaf has its index, and what is not in the log has none."""
    assert [log_of_600.find(leaf) for leaf in HASHES[:600]] == list(range(600))
    assert log_of_600.find(HASHES[600]) is None
    assert log_of_600.find(HASHES[0][:8] + bytes(24)) is None


def test_the_same_leaf_twice_is_found_where_it_was_first(tmp_path: Path) -> None:
    """A record that is on the topic twice is two leaves; its proof is of the first."""
    store = open_store(tmp_path)
    store.commit([DATA[0], DATA[1], DATA[0]], {TOPIC: 3})
    assert store.find(HASHES[0]) == 0


@pytest.mark.parametrize(("first", "second"), [(600, 600), (5, 601), (-1, 5)])
def test_there_are_no_proofs_beyond_the_checkpoint(log_of_600: LogStore, first: int, second: int) -> None:
    """A proof of what no checkpoint covers is refused."""
    with pytest.raises(ProofInvalid):
        log_of_600.inclusion(first, second)


@pytest.mark.parametrize(("old", "new"), [(600, 601), (5, 4), (-1, 5)])
def test_there_is_no_consistency_beyond_the_checkpoint(log_of_600: LogStore, old: int, new: int) -> None:
    """A consistency proof between sizes that are not two of this log's is refused."""
    with pytest.raises(ProofInvalid):
        log_of_600.consistency(old, new)


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/../../checkpoint", "tile/0/0", "tile/64/000", "tile/x/000"])
def test_only_tile_paths_are_read(log_of_600: LogStore, path: str) -> None:
    """Nothing but C2SP's paths reaches the disk."""
    with pytest.raises(ProofInvalid):
        log_of_600.tile(path)


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    """Closed and opened again, the log has its checkpoint, its place in the topic, and grows on."""
    filled(tmp_path, 100, 200).close()
    store = open_store(tmp_path)
    assert store.published.positions == {TOPIC: 300}
    assert store.find(HASHES[299]) == 299
    store.commit(DATA[300:700], {TOPIC: 700})
    assert store.published.checkpoint.root == Tree(HASHES[:700]).root


def test_the_checkpoint_says_where_the_topic_goes_on(tmp_path: Path) -> None:
    """The place in the topic is in the signed checkpoint itself, so tree and place cannot part."""
    note = filled(tmp_path, 5).published.note
    assert note.decode().split("\n")[3] == "next _exchange.audit.egov 5"
    assert Published.parse(note, ORIGIN, LOG_KEY.public).positions == {TOPIC: 5}


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    """One folder has one writer; when that ends, another may open it."""
    store = filled(tmp_path, 5)
    with pytest.raises(AuditError, match="another process") as caught:
        open_store(tmp_path)
    assert caught.value.code == "log_in_use"
    store.close()
    open_store(tmp_path).close()


def contradicts(folder: Path) -> str:
    """The message with which the log refuses to run."""
    before = files(folder)
    with pytest.raises(AuditError) as caught:
        open_store(folder)
    assert caught.value.code == "log_contradicts_checkpoint"
    assert files(folder) == before
    return caught.value.message


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"]
)
def test_a_log_does_not_run_on_an_altered_file(tmp_path: Path, path: str) -> None:
    """One changed bit in any tile or bundle stops the log before it says anything, and the message names a file."""
    filled(tmp_path, 300).close()
    data = bytearray((tmp_path / path).read_bytes())
    data[-1] ^= 1
    (tmp_path / path).write_bytes(data)
    assert "tile/" in contradicts(tmp_path)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"])
def test_a_log_does_not_run_without_one_of_its_files(tmp_path: Path, path: str) -> None:
    """A lost tile or bundle stops the log, and the message names it."""
    filled(tmp_path, 300).close()
    (tmp_path / path).unlink()
    assert path in contradicts(tmp_path)


def test_a_log_does_not_run_on_a_cut_bundle(tmp_path: Path) -> None:
    """A bundle that ends in the middle of an entry stops the log."""
    filled(tmp_path, 5).close()
    path = tmp_path / "tile/entries/000.p/5"
    path.write_bytes(path.read_bytes()[:-1])
    assert "cut off" in contradicts(tmp_path)


def test_a_log_whose_tiles_agree_with_each_other_still_needs_its_root(tmp_path: Path) -> None:
    """Tiles of another history, whole in themselves, do not pass under this log's checkpoint."""
    filled(tmp_path / "ours", 5).close()
    other = open_store(tmp_path / "theirs")
    other.commit(DATA[10:15], {TOPIC: 5})
    other.close()
    shutil.rmtree(tmp_path / "ours" / "tile")
    shutil.copytree(tmp_path / "theirs" / "tile", tmp_path / "ours" / "tile")
    assert "do not hash to the checkpoint's root" in contradicts(tmp_path / "ours")


def test_a_log_does_not_begin_again_under_its_tiles(tmp_path: Path) -> None:
    """Somebody removed the checkpoint: a fresh one of size 0 would take back what was published."""
    filled(tmp_path, 5).close()
    (tmp_path / "checkpoint").unlink()
    assert "no checkpoint" in contradicts(tmp_path)


def test_a_checkpoint_of_another_key_is_not_this_logs(tmp_path: Path) -> None:
    """A log does not go on from what another key signed."""
    LogStore(tmp_path, ORIGIN, OTHER_KEY).close()
    assert "not this log's" in contradicts(tmp_path)


def test_a_checkpoint_of_another_origin_is_not_this_logs(tmp_path: Path) -> None:
    """A log does not go on under another name."""
    LogStore(tmp_path, "elsewhere.example", LOG_KEY).close()
    assert "not this log's" in contradicts(tmp_path)


@pytest.mark.parametrize("line", ["next", "next topic", "next topic x", "before topic 4", "next  4"])
def test_an_extension_line_that_is_no_position_is_not_this_logs(line: str) -> None:
    """The log reads only lines that it writes."""
    published = Published.sign(ORIGIN, 0, EMPTY_ROOT, {TOPIC: 4}, LOG_KEY)
    text = published.checkpoint.encode().replace(f"next {TOPIC} 4", line)
    with pytest.raises(ProofInvalid):
        Published.parse(sign_note(text, ORIGIN, LOG_KEY), ORIGIN, LOG_KEY.public)


def test_what_a_crash_left_behind_is_removed_at_the_next_start(tmp_path: Path) -> None:
    """Files that no checkpoint covers, or that a full tile replaced, are gone; the tree's own stay."""
    filled(tmp_path, 300).close()
    before = files(tmp_path)
    left = ["tile/0/000.p/9", "tile/0/001.p/45", "tile/0/002", "tile/2/000.p/1", "tile/entries/001", "tile/0/001.p/x"]
    for path in [*left, "tmp/4711"]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"half")
    open_store(tmp_path).close()
    assert files(tmp_path) == before
    assert not list((tmp_path / "tmp").iterdir())


def test_a_partial_tile_that_was_replaced_is_read_in_its_full_form(tmp_path: Path) -> None:
    """A proof that is made while a commit replaces its partial tile gets the same hashes from the full one."""
    store = filled(tmp_path, 300)
    (tmp_path / "tile/0/001").write_bytes(b"".join(HASHES[256:512]))
    shutil.rmtree(tmp_path / "tile/0/001.p")
    verify_inclusion(HASHES[299], 299, 300, store.inclusion(299, 300), store.published.checkpoint.root)


def test_paths_are_c2sps_beyond_a_thousand_tiles() -> None:
    """Tile 1234067 lies where every C2SP client looks for it."""
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file where the folder should be is one clear error."""
    (tmp_path / "log").write_text("")
    with pytest.raises(AuditError, match="log: the audit log's files cannot be used"):
        open_store(tmp_path / "log")
