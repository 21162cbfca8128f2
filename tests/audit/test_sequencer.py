"""From the topic to the tree: its order, and nothing in it that no gateway signed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from exchange.audit import AuditRecord, EntryKind, sign_entry
from exchange.audit.sequencer import PATIENCE, Sequencer
from exchange.audit.source import Batch
from exchange.audit.store import LogStore
from exchange.clock import format_micros
from exchange.errors import AuditError
from exchange.transport.http import Credentials
from tests.fakes.moving_clock import MovingClock

from .fakes import MemorySource, MemoryTopic
from .world import OTHER_KEY, TAX, TOPIC, World, open_store, salt_of, tree_of

INTERVAL = timedelta(seconds=1)


@dataclass
class Running:
    """A sequencer, and everything around it that a test moves."""

    world: World
    topic: MemoryTopic
    store: LogStore
    clock: MovingClock
    sequencer: Sequencer

    async def publish(self) -> None:
        """Let a second pass, and whatever is due happen."""
        self.clock.move(seconds=1)
        await self.sequencer.step()

    @property
    def size(self) -> int:
        return self.store.published.size

    @property
    def root(self) -> bytes:
        return self.store.published.checkpoint.root


def start(folder: Path, world: World, topic: MemoryTopic) -> Running:
    store, clock = open_store(folder), MovingClock()
    source = MemorySource(topic, store.published.positions.get(TOPIC, 0))
    return Running(world, topic, store, clock, Sequencer(TOPIC, source, store, world.directory, clock, INTERVAL))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = start(tmp_path, World(), MemoryTopic())
    yield running
    running.store.close()


def values(records: list[AuditRecord]) -> list[bytes]:
    return [record.encode() for record in records]


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"exchange_audit_{name}", labels) or 0.0


async def test_the_tree_is_the_topic_in_its_order(running: Running) -> None:
    """Entries become leaves in the order in which the topic has them."""
    records = running.world.records(300)
    running.topic.extend(values(records))
    await running.publish()
    assert (running.size, running.root) == (300, tree_of(records).root)
    assert running.store.published.positions == {TOPIC: 300}


async def test_checkpoints_are_at_least_an_interval_apart(running: Running) -> None:
    """Within a second entries wait for one checkpoint together; without a new one there is no checkpoint."""
    notes = [running.store.published.note]
    for number in range(3):
        running.topic.extend(values([running.world.record(number)]))
        running.clock.move(seconds=0.3)
        await running.sequencer.step()
        assert running.store.published.note == notes[0]
    running.clock.move(seconds=0.1)
    await running.sequencer.step()
    assert running.size == 3
    notes.append(running.store.published.note)
    await running.publish()
    await running.publish()
    assert running.store.published.note == notes[1]


async def test_a_clock_that_is_set_back_does_not_hold_checkpoints_up(running: Running) -> None:
    """After the clock jumped back an hour the next entry is published all the same."""
    running.clock.move(hours=-1)
    running.topic.extend(values(running.world.records(1)))
    await running.sequencer.step()
    assert running.size == 1


async def test_a_leaf_that_was_read_is_pending_until_it_is_published(running: Running) -> None:
    """Whoever asks in between learns that the entry is on its way."""
    record = running.world.record()
    leaf = tree_of([record]).root
    assert not running.sequencer.is_pending(leaf)
    running.topic.extend(values([record]))
    await running.sequencer.step()
    assert running.sequencer.is_pending(leaf)
    await running.publish()
    assert not running.sequencer.is_pending(leaf)
    assert running.store.find(leaf) == 0


async def test_what_no_gateway_signed_is_passed_over_and_counted(running: Running) -> None:
    """Forged, foreign, broken and empty records are no leaves; those around them are, and their offsets are passed."""
    world = running.world
    forged = sign_entry(world.entry(1), Credentials(world.gateway, OTHER_KEY), salt_of(1))
    foreign = sign_entry(world.entry(2, gateway=TAX), Credentials(TAX, OTHER_KEY), salt_of(2))
    good = [world.record(3), world.record(4)]
    before = {reason: metric("refused_total", reason=reason) for reason in ("not_signed", "malformed", "unreadable")}
    running.topic.values = [
        good[0].encode(), forged.encode(), foreign.encode(), b"\x00random", None, good[1].encode(), b"{}",
    ]  # fmt: skip
    await running.publish()
    assert (running.size, running.root) == (2, tree_of(good).root)
    assert running.store.published.positions == {TOPIC: 7}
    after = {reason: metric("refused_total", reason=reason) - count for reason, count in before.items()}
    assert after == {"not_signed": 2, "malformed": 2, "unreadable": 1}


async def test_the_same_topic_gives_the_same_tree_to_anyone(running: Running, tmp_path: Path) -> None:
    """Another process, restarted after each checkpoint, computes the same checkpoints' tree."""
    records = running.world.records(700)
    running.topic.extend(values(records))
    await running.publish()
    size, position = 0, 0
    while size < 700:
        part = MemoryTopic()
        part.values = running.topic.values[: position + 123]
        other = start(tmp_path / "other", running.world, part)
        await other.publish()
        size, position = other.size, other.store.published.positions[TOPIC]
        root = other.root
        other.store.close()
    assert root == running.root


async def test_nothing_is_refused_under_an_expired_directory(running: Running) -> None:
    """While the directory is expired entries wait, and the process is not ready; a fresh directory takes them."""
    running.topic.extend(values(running.world.records(2)))
    running.world.content["expires"] = format_micros(running.world.now)
    await running.publish()
    assert running.size == 0
    assert "expired" in (running.sequencer.not_ready() or "")
    running.world.content["expires"] = format_micros(running.world.now + timedelta(days=1))
    await running.publish()
    assert running.size == 2
    assert running.sequencer.not_ready() is None


def from_a_new_gateway_key(running: Running) -> list[AuditRecord]:
    """Entries 0 (known key) and 1 (a key that only directory version 2 has)."""
    world = running.world
    new = sign_entry(world.entry(1, directory_version=2), Credentials(world.gateway, OTHER_KEY), salt_of(1))
    return [world.record(0), new]


async def test_an_entry_made_under_a_newer_directory_waits_for_it(running: Running) -> None:
    """A gateway that learned of its new key before the log did loses no entry."""
    records = from_a_new_gateway_key(running)
    running.topic.extend(values(records))
    await running.publish()
    assert running.size == 1
    assert "newer directory" in (running.sequencer.not_ready() or "")
    world = running.world
    world.content["version"] = 2
    world.content["members"][0]["subsystems"][0]["keys"].append(world.key(OTHER_KEY))
    await running.publish()
    assert (running.size, running.root) == (2, tree_of(records).root)
    assert running.sequencer.not_ready() is None


async def test_an_entry_under_a_directory_that_never_comes_does_not_stop_the_log(running: Running) -> None:
    """After a while such an entry is refused, and those behind it go on."""
    records = [*from_a_new_gateway_key(running), running.world.record(2)]
    running.topic.extend(values(records))
    await running.publish()
    running.clock.move(seconds=PATIENCE.total_seconds())
    await running.publish()
    assert (running.size, running.root) == (2, tree_of([records[0], records[2]]).root)
    assert running.sequencer.not_ready() is None


async def test_a_broker_that_is_away_is_waited_for(running: Running) -> None:
    """While Kafka does not answer the process says so, and goes on when it does."""
    running.topic.extend(values(running.world.records(1)))
    running.topic.broken = True
    assert await running.sequencer.step() is False
    assert running.sequencer.not_ready() == "the broker does not answer"
    running.topic.broken = False
    await running.publish()
    assert running.size == 1
    assert running.sequencer.not_ready() is None


async def test_a_topic_that_was_made_anew_stops_the_log(tmp_path: Path) -> None:
    """A topic that ends before the tree does would fork the log; it does not go on."""
    topic, world = MemoryTopic(), World()
    first = start(tmp_path, world, topic)
    topic.extend(values(world.records(5)))
    await first.publish()
    first.store.close()
    topic.values = topic.values[:2]
    second = start(tmp_path, world, topic)
    with pytest.raises(AuditError) as caught:
        await second.sequencer.run(asyncio.Event())
    assert caught.value.code == "topic_lost"
    second.store.close()


async def test_offsets_that_are_skipped_are_counted(running: Running) -> None:
    """A hole in the topic is visible, and what follows it is taken."""

    class Holed(MemorySource):
        async def read(self, *, seconds: float, limit: int) -> Batch | None:
            batch = await super().read(seconds=seconds, limit=limit)
            if batch is None:
                return None
            return replace(batch, values=[(number + 5, value) for number, value in batch.values])

    before = metric("offset_gaps_total")
    source = Holed(running.topic)
    sequencer = Sequencer(TOPIC, source, running.store, running.world.directory, running.clock, INTERVAL)
    running.topic.extend(values(running.world.records(2)))
    running.clock.move(seconds=1)
    await sequencer.step()
    assert metric("offset_gaps_total") - before == 1
    assert running.store.published.positions == {TOPIC: 7}


async def test_being_told_to_stop_publishes_what_was_taken(running: Running) -> None:
    """Entries that were read are in a checkpoint before the process ends, due or not."""
    stop = asyncio.Event()
    running.topic.extend(values(running.world.records(3)))
    await running.sequencer.step()
    assert running.size == 0
    stop.set()
    await running.sequencer.run(stop)
    assert running.size == 3


async def test_a_standstill_ends_when_it_is_told_to(running: Running) -> None:
    """A process that waits for Kafka still stops at once."""
    running.topic.broken = True
    stop = asyncio.Event()
    task = asyncio.create_task(running.sequencer.run(stop))
    while running.sequencer.not_ready() is None:
        await asyncio.sleep(0)
    stop.set()
    await task


async def test_a_read_that_hangs_does_not_hold_the_end_up(running: Running) -> None:
    """A process whose connection hangs still stops at once, and publishes what it had."""
    hanging = asyncio.Event()

    class Hanging(MemorySource):
        async def read(self, *, seconds: float, limit: int) -> Batch | None:
            batch = await super().read(seconds=seconds, limit=limit)
            if batch is None:
                hanging.set()
                await asyncio.Event().wait()
            return batch

    source = Hanging(running.topic)
    sequencer = Sequencer(TOPIC, source, running.store, running.world.directory, running.clock, INTERVAL)
    running.topic.extend(values(running.world.records(3)))
    stop = asyncio.Event()
    task = asyncio.create_task(sequencer.run(stop))
    await hanging.wait()
    stop.set()
    await task
    assert running.size == 3


async def test_the_figures_are_those_of_the_log(running: Running) -> None:
    """Entries by kind, the tree's size and the checkpoint's age are there to be scraped."""
    before = metric("entries_total", kind="consent-changed")
    records = [running.world.record(number, kind=EntryKind.CONSENT_CHANGED) for number in range(4)]
    running.topic.extend(values(records))
    await running.publish()
    assert metric("entries_total", kind="consent-changed") - before == 4
    assert metric("tree_size") == 4
    assert metric("storage_full") == 0
    running.clock.move(seconds=7)
    assert metric("checkpoint_age_seconds") == 7
