"""What the audit package needs of a topic: the real one and the one in memory keep the same contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from exchange.audit.durable import DurableTopic
from exchange.audit.source import EntrySource, EntryTopic
from exchange.audit.topic import PARTITION, ensure_audit_topic
from exchange.errors import AuditError, RecordTooLarge
from exchange.transport.kafka import IdempotentProducer

from .fakes import MemorySource, MemoryTopic, MemoryWriter


@dataclass
class Kind:
    """One implementation: a topic with nothing on it."""

    topic: str
    writer: Callable[[], DurableTopic]
    source: Callable[[int], EntrySource]


@pytest.fixture(params=["kafka", "memory"])
async def kind(request: pytest.FixtureRequest, kafka: str, unique: Callable[[str], str]) -> AsyncIterator[Kind]:
    topic = unique("_exchange.audit.contract")
    if request.param == "memory":
        memory = MemoryTopic()
        yield Kind(topic, lambda: MemoryWriter(memory), lambda at: MemorySource(memory, at))
        return
    await ensure_audit_topic(kafka, topic)
    yield Kind(topic, lambda: IdempotentProducer(kafka), lambda at: EntryTopic(kafka, topic, at))


async def write(kind: Kind, *values: bytes) -> None:
    writer = kind.writer()
    await writer.start()
    for value in values:
        await writer.append(kind.topic, value, partition=PARTITION)
    await writer.close()


async def read(source: EntrySource, count: int) -> list[tuple[int, bytes | None]]:
    """The next `count` values with their offsets."""
    found: list[tuple[int, bytes | None]] = []
    while len(found) < count:
        batch = await source.read(seconds=5, limit=count - len(found))
        if batch is not None:
            found += batch.values
            assert batch.next_offset == found[-1][0] + 1
    return found


async def test_what_was_appended_is_read_in_its_order(kind: Kind) -> None:
    """Every value comes once, in order, with contiguous offsets, however it is split into batches."""
    values = [str(number).encode() for number in range(25)]
    await write(kind, *values)
    source = kind.source(0)
    found = await read(source, 10) + await read(source, 15)
    assert found == list(enumerate(values))
    await source.close()


async def test_reading_goes_on_from_an_offset(kind: Kind) -> None:
    """A source that starts at an offset gives what is there and after it."""
    await write(kind, b"a", b"b", b"c")
    source = kind.source(2)
    assert await read(source, 1) == [(2, b"c")]
    await source.close()


async def test_nothing_new_is_none(kind: Kind) -> None:
    """At the end of the topic a read ends without values."""
    await write(kind, b"a")
    source = kind.source(1)
    assert await source.read(seconds=0.05, limit=10) is None
    await source.close()


async def test_a_topic_that_ends_before_the_place_is_lost(kind: Kind) -> None:
    """A place beyond the topic's end means that the topic was made anew: nothing is read."""
    await write(kind, b"a")
    source = kind.source(5)
    with pytest.raises(AuditError) as caught:
        await source.read(seconds=5, limit=10)
    assert caught.value.code == "topic_lost"
    await source.close()


async def test_a_record_that_is_too_large_is_refused(kind: Kind) -> None:
    """A value beyond the topic's limit is refused, and the writer goes on."""
    writer = kind.writer()
    await writer.start()
    with pytest.raises(RecordTooLarge):
        await writer.append(kind.topic, b"x" * 20_000_000, partition=PARTITION)
    written = await writer.append(kind.topic, b"small", partition=PARTITION)
    assert (written.topic, written.partition, written.offset) == (kind.topic, PARTITION, 0)
    await writer.close()
