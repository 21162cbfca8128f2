"""Writing entries: durable before anything goes on, or an error that stops it."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from exchange.audit import AuditRecord, AuditWriter, Receipt, verify_entry
from exchange.audit.durable import Connection
from exchange.errors import AuditError, AuditUnavailable, TransportError
from exchange.transport.http import Credentials

from .fakes import MemoryTopic, MemoryWriter
from .world import OTHER_KEY, TAX, World, salt_of


def writer_of(world: World, topic: MemoryTopic, credentials: Credentials | None = None) -> AuditWriter:
    numbers = itertools.count()
    return AuditWriter(
        "127.0.0.1:1",
        credentials or world.credentials,
        world.directory,
        salt=lambda size: salt_of(next(numbers))[:size],
        connect=lambda _: MemoryWriter(topic),
    )


async def test_the_receipt_is_what_is_on_the_topic() -> None:
    """The entry is on the topic, signed and salted, when its receipt comes back."""
    world, topic = World(), MemoryTopic()
    receipt = await writer_of(world, topic).append(world.entry(1))
    record = AuditRecord.parse(topic.values[0] or b"")
    assert Receipt(record) == receipt
    assert verify_entry(record, world.directory()).entry == world.entry(1)
    assert record.salt == salt_of(0)


async def test_every_entry_has_a_salt_of_its_own() -> None:
    """The same entry written twice makes two leaves."""
    world, topic = World(), MemoryTopic()
    writer = writer_of(world, topic)
    receipts = [await writer.append(world.entry(1)) for _ in range(2)]
    assert receipts[0].leaf != receipts[1].leaf


async def test_concurrent_entries_share_one_connection() -> None:
    """A hundred callers at once connect once, and all their entries are there."""
    world, topic = World(), MemoryTopic()
    writer = writer_of(world, topic)
    await asyncio.gather(*(writer.append(world.entry(number)) for number in range(100)))
    assert (topic.connections, len(topic.values)) == (1, 100)


async def test_an_entry_that_is_not_durable_stops_what_needs_it() -> None:
    """Where Kafka does not confirm, there is no receipt but an error that may be retried."""
    world, topic = World(), MemoryTopic()
    writer = writer_of(world, topic)
    topic.broken = True
    with pytest.raises(AuditUnavailable, match="nothing is released") as caught:
        await writer.append(world.entry())
    assert caught.value.retriable
    assert topic.values == []


async def test_after_a_failure_a_new_connection_writes() -> None:
    """A producer that failed is not used again: with Kafka back, the next entry goes through."""
    world, topic = World(), MemoryTopic()
    writer = writer_of(world, topic)
    await writer.append(world.entry(0))
    topic.broken = True
    for _ in range(2):
        with pytest.raises(AuditUnavailable):
            await writer.append(world.entry(1))
    topic.broken = False
    await writer.append(world.entry(2))
    assert len(topic.values) == 2


@pytest.mark.parametrize("member", ["expired", "foreign", "large", "text"])
async def test_what_the_log_would_refuse_is_not_written(member: str) -> None:
    """A wrong gateway, an expired key, an entry that is too large or is no text is refused before it is a trace."""
    world, topic = World(), MemoryTopic()
    credentials, entry = world.credentials, world.entry()
    if member == "expired":
        world.content["members"][0]["subsystems"][0]["keys"][0]["not_after"] = "2026-01-01T00:00:00.000Z"
    elif member == "foreign":
        credentials, entry = Credentials(TAX, OTHER_KEY), world.entry(gateway=TAX)
    elif member == "large":
        entry = world.entry(purpose="x" * 100_000)
    else:
        entry = world.entry(purpose="\ud800")
    with pytest.raises(AuditError, match="would refuse this entry") as caught:
        await writer_of(world, topic, credentials).append(entry)
    assert (caught.value.code, caught.value.retriable) == ("entry_refused", False)
    assert topic.values == []


class Slow(MemoryWriter):
    """A connection that takes until `open_up` is set."""

    def __init__(self, topic: MemoryTopic, open_up: asyncio.Event) -> None:
        super().__init__(topic)
        self._open_up = open_up

    async def start(self) -> None:
        await self._open_up.wait()
        await super().start()


async def test_all_who_wait_for_one_attempt_learn_how_it_ended() -> None:
    """While Kafka is away callers fail together and at once, not one after the other's timeout."""
    topic, open_up = MemoryTopic(), asyncio.Event()
    topic.broken = True
    connection = Connection(lambda: Slow(topic, open_up))
    callers = [asyncio.create_task(connection.get()) for _ in range(20)]
    await asyncio.sleep(0)
    open_up.set()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(outcome, TransportError) for outcome in outcomes)
    assert topic.connections == 1


async def test_a_caller_that_gives_up_does_not_take_the_others_connection_away() -> None:
    """One caller is cancelled while connecting; the other gets the connection."""
    topic, open_up = MemoryTopic(), asyncio.Event()
    connection = Connection(lambda: Slow(topic, open_up))
    first, second = (asyncio.create_task(connection.get()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    open_up.set()
    assert isinstance(await second, Slow)
    assert topic.connections == 1


async def test_what_failed_is_closed_before_the_end() -> None:
    """Dropped and open connections are closed when the writer ends; ending twice is harmless."""
    topic = MemoryTopic()
    connection = Connection(lambda: MemoryWriter(topic))
    dropped = await connection.get()
    connection.drop(dropped)
    connection.drop(dropped)
    opened = await connection.get()
    await connection.close()
    await connection.close()
    assert dropped is not opened
    assert [each.closed for each in (dropped, opened) if isinstance(each, MemoryWriter)] == [True, True]


async def test_ending_while_it_connects_ends_the_attempt() -> None:
    """A writer that is told to end while Kafka does not answer ends."""
    connection = Connection(lambda: Slow(MemoryTopic(), asyncio.Event()))
    caller = asyncio.create_task(connection.get())
    await asyncio.sleep(0)
    await connection.close()
    with pytest.raises(asyncio.CancelledError):
        await caller
