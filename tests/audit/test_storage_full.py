"""A disk without room: nothing half-written, nothing lost, and it goes on by itself once there is room."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from exchange.audit.disk import Disk
from exchange.audit.sequencer import Sequencer
from exchange.audit.store import LogStore
from exchange.errors import AuditError, StorageFull
from tests.fakes.moving_clock import MovingClock

from .fakes import MemorySource, MemoryTopic
from .tight_disk import can_mount, fill, no_large_files, small_disk
from .world import TOPIC, World, open_store, tree_of

WAYS = ["limit", "disk"] if can_mount() else ["limit"]
RECORDS = World().records(300)
Full = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=WAYS)
def tight(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Full]]:
    """A folder, and a block in which its disk has no room: a full file system, or a limit on files."""
    if request.param == "limit":
        yield tmp_path, lambda: no_large_files(4096)
        return

    @contextmanager
    def full() -> Iterator[None]:
        ballast = fill(tmp_path / "disk")
        yield
        ballast.unlink()

    with small_disk(tmp_path / "disk", 256) as folder:
        yield folder, full


def running(store: LogStore, topic: MemoryTopic, clock: MovingClock) -> Sequencer:
    source = MemorySource(topic, store.published.positions.get(TOPIC, 0))
    return Sequencer(TOPIC, source, store, World().directory, clock, timedelta(seconds=1))


def served(folder: Path) -> dict[str, bytes]:
    found = [*(folder / "tile").rglob("*"), folder / "checkpoint"]
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in found if each.is_file()}


async def test_entries_wait_while_there_is_no_room(tight: tuple[Path, Full]) -> None:
    """On a full disk the log keeps its checkpoint and says why; with room again every entry is in the tree."""
    folder, full = tight[0] / "log", tight[1]
    store, topic, clock = open_store(folder), MemoryTopic(), MovingClock()
    sequencer = running(store, topic, clock)
    topic.extend([record.encode() for record in RECORDS[:40]])
    clock.move(seconds=1)
    await sequencer.step()
    before = served(folder)
    with full():
        topic.extend([record.encode() for record in RECORDS[40:]])
        for _ in range(3):
            clock.move(seconds=1)
            await sequencer.step()
        assert "no room for the audit log" in (sequencer.not_ready() or "")
        assert REGISTRY.get_sample_value("exchange_audit_storage_full") == 1
        assert store.published.size == 40
        assert served(folder) == before
        assert not list((folder / "tmp").iterdir())
    clock.move(seconds=1)
    await sequencer.step()
    assert sequencer.not_ready() is None
    assert REGISTRY.get_sample_value("exchange_audit_storage_full") == 0
    assert store.published.checkpoint.root == tree_of(RECORDS).root
    store.close()


async def test_being_told_to_stop_on_a_full_disk_says_that_entries_are_not_stored(tight: tuple[Path, Full]) -> None:
    """The process ends with StorageFull; the next one takes the same entries from the topic."""
    folder, full = tight[0] / "log", tight[1]
    store, topic, clock = open_store(folder), MemoryTopic(), MovingClock()
    sequencer = running(store, topic, clock)
    topic.extend([record.encode() for record in RECORDS])
    stop = asyncio.Event()
    with full():
        await sequencer.step()
        stop.set()
        with pytest.raises(StorageFull):
            await sequencer.run(stop)
    store.close()
    store = open_store(folder)
    await again(store, topic)
    assert store.published.checkpoint.root == tree_of(RECORDS).root
    store.close()


async def again(store: LogStore, topic: MemoryTopic) -> None:
    clock = MovingClock()
    sequencer = running(store, topic, clock)
    clock.move(seconds=1)
    await sequencer.step()


def test_a_log_opens_on_a_full_disk(tight: tuple[Path, Full]) -> None:
    """What was published is served even when nothing can be added."""
    folder, full = tight[0] / "log", tight[1]
    store = open_store(folder)
    store.commit([bytes(32)] * 300, {TOPIC: 300})
    store.close()
    with full():
        store = open_store(folder)
        assert store.published.size == 300
        store.close()


def test_no_file_of_a_write_that_found_no_room_is_left(tight: tuple[Path, Full]) -> None:
    """Where the second of two files does not fit, the first is not left either."""
    disk = Disk(tight[0] / "files")
    with tight[1](), pytest.raises(StorageFull) as caught:
        disk.write({"a": b"", "b": b"x" * 5000})
    assert caught.value.retriable
    assert sorted(disk.paths("")) == []


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tight: tuple[Path, Full]) -> None:
    """The old content is there until the new is there whole."""
    disk = Disk(tight[0] / "files")
    disk.replace("a", b"old")
    with tight[1](), pytest.raises(StorageFull):
        disk.replace("a", b"x" * 5000)
    assert disk.read("a") == b"old"


def test_another_failure_of_the_disk_is_not_called_full(tmp_path: Path) -> None:
    """A folder in a file's place is an error that names it, not a lack of room."""
    disk = Disk(tmp_path)
    os.mkdir(tmp_path / "a")
    (tmp_path / "a" / "b").write_bytes(b"")
    with pytest.raises(AuditError, match="cannot be used") as caught:
        disk.replace("a", b"new")
    assert not isinstance(caught.value, StorageFull)
