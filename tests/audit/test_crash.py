"""SIGKILL at every step of what the log does to its disk: nothing published is lost, nothing is half there."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from exchange.audit.disk import Disk
from exchange.merkle import Tree, leaf_hash

from .crash import killed_at
from .world import TOPIC, open_store

DATA = [hashlib.sha256(str(number).encode()).digest() for number in range(900)]


def tree(size: int) -> Tree:
    return Tree(map(leaf_hash, DATA[:size]))


def files(folder: Path) -> dict[str, bytes]:
    found = [*(folder / "tile").rglob("*"), folder / "checkpoint"]
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in found if each.is_file()}


def grow(folder: Path, *sizes: int) -> None:
    """Open the log, and publish checkpoints of these sizes beyond the one it has."""
    store = open_store(folder)
    for size in sizes:
        store.commit(DATA[store.published.size : size], {TOPIC: size})
    store.close()


def test_a_commit_that_is_killed_at_any_step_happened_or_did_not(tmp_path: Path) -> None:
    """After SIGKILL at each step the log opens at its old or its new checkpoint, whole, and grows to the same tree."""
    before, folder = tmp_path / "before", tmp_path / "log"
    grow(before, 100, 250)
    sizes, step, killed = [], 0, True
    while killed:
        step += 1
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(before, folder)
        killed = killed_at(step, folder, lambda: grow(folder, 600))
        store = open_store(folder)
        sizes.append(store.published.size)
        assert store.published.positions == {TOPIC: store.published.size}
        assert store.published.checkpoint.root == tree(store.published.size).root
        store.close()
        grow(folder, 700)
        assert open_and_root(folder) == tree(700).root
    assert sizes == sorted(sizes)
    assert set(sizes) == {250, 600}
    assert step > 20


def test_a_log_that_is_killed_while_it_begins_can_begin_again(tmp_path: Path) -> None:
    """SIGKILL at each step of the very first start leaves a folder that a next start takes."""
    step, killed = 0, True
    while killed:
        step += 1
        folder = tmp_path / str(step)
        killed = killed_at(step, folder, lambda at=folder: grow(at, 3))  # type: ignore[misc]
        grow(folder, 300)
        assert open_and_root(folder) == tree(300).root
    assert step > 5


def test_a_start_that_is_killed_while_it_tidies_up_can_be_repeated(tmp_path: Path) -> None:
    """SIGKILL at each step of removing what an earlier crash left takes nothing of the tree away."""
    before, folder = tmp_path / "before", tmp_path / "log"
    grow(before, 300)
    whole = files(before)
    for path in ("tile/0/002", "tile/entries/001", "tile/0/000.p/17", "tmp/left"):
        (before / path).parent.mkdir(parents=True, exist_ok=True)
        (before / path).write_bytes(b"left")
    step, killed = 0, True
    while killed:
        step += 1
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(before, folder)
        killed = killed_at(step, folder, lambda: grow(folder))
        grow(folder)
        assert files(folder) == whole


def test_a_file_that_is_killed_on_its_way_is_not_there(tmp_path: Path) -> None:
    """A file is there whole or not at all, whenever its writer ends."""
    content, step, killed = b"x" * 100_000, 0, True
    while killed:
        step += 1
        folder = tmp_path / str(step)
        Disk(folder)
        killed = killed_at(step, folder, lambda at=folder: Disk(at).write({"a/b": content, "a/c": content}))  # type: ignore[misc]
        disk = Disk(folder)
        disk.clean()
        found = [disk.read("a/b"), disk.read("a/c")]
        assert set(found) <= {None, content}
        assert sorted(disk.paths("")) == [path for path, data in zip(["a/b", "a/c"], found, strict=True) if data]


def open_and_root(folder: Path) -> bytes:
    store = open_store(folder)
    try:
        return store.published.checkpoint.root
    finally:
        store.close()
