"""What must not reach an application: each refused with its own code, and kept as a dead letter, once."""

from __future__ import annotations

import asyncio
import os
import struct
from datetime import timedelta

import pytest

from exchange.envelope import Opener, Sealer, Unsealed
from exchange.errors import DirectoryExpired, SchemaMismatch
from exchange.ids import PublisherId
from tests.fakes.bus_world import World, publish, raw_records, write_raw
from tests.fakes.unreadable_record import write_unreadable


async def take(world: World, count: int, **settings):
    """(events, refusals) of the next batches, until `count` records were seen."""
    events, refused = [], []
    letters = world.dead_letters(world.group("copy"))
    async with world.subscriber("copy", dead_letters=letters, **settings) as subscriber:
        async for batch in subscriber.batches():
            events += batch.events
            refused += batch.refused
            await subscriber.commit(batch)
            if len(events) + len(refused) >= count:
                break
    return events, refused


async def letters_of(world: World):
    return await raw_records(world, world.social.dead_letter_topic)


def header(record, name):
    return dict(record.headers)[name].decode()


async def test_forged_wrongly_signed_and_unsigned_records_are_refused_each_by_its_code(world):
    """A changed byte, another agency's seal, no seal: three codes and dead letters, and the good ones delivered."""
    await publish(world, [1, 2])
    good = (await raw_records(world, world.topic))[0]
    changed = bytearray(good.value)
    changed[-2] ^= 1
    await write_raw(world, world.topic, bytes(changed), good.headers, good.key)
    await write_raw(world, world.topic, good.value, seal_as_social(world, good), good.key)
    await write_raw(world, world.topic, good.value, good.headers[:-1], good.key)
    await publish(world, [3])
    events, refused = await take(world, 6)
    assert [event.data["n"] for event in events] == [1, 2, 3]
    assert [each.error.code for each in refused] == ["inclusion_invalid", "publisher_not_allowed", "seal_malformed"]
    kept = await letters_of(world)
    codes = [header(letter, "exchange-dlq-code") for letter in kept if letter.key == good.key]
    assert codes == ["inclusion_invalid", "publisher_not_allowed", "seal_malformed"]


def seal_as_social(world: World, record) -> list[tuple[str, bytes]]:
    """The record's headers as social protection would forge them: its own source, its own seal."""
    impostor = PublisherId(world.social, "residents")
    headers = [(name, f"/{world.social}".encode() if name == "ce_source" else value) for name, value in record.headers]
    forged = Unsealed(record.topic, 0, record.key, record.value, headers[:-1])
    [seal] = Sealer(impostor, world.keys[world.social]).seal([forged], epoch=1, flush=1, time=world.clock.now())
    return [*forged.headers, ("exchange-seal", seal)]


async def test_a_dead_letter_keeps_the_record_whole_and_is_sealed_by_who_refused_it(world):
    """Key, value and every header, its seal among them, are in the dead letter, with where it was and why."""
    await publish(world, [1])
    good = (await raw_records(world, world.topic))[0]
    written = await write_raw(world, world.topic, good.value + b"x", good.headers, good.key)
    await take(world, 2)
    [letter] = await letters_of(world)
    assert (letter.key, letter.value) == (good.key, good.value + b"x")
    prefix = "exchange-dlq-h-"
    kept = [(name.removeprefix(prefix), value) for name, value in letter.headers if name.startswith(prefix)]
    assert kept == list(good.headers)
    assert header(letter, "exchange-dlq-topic") == world.topic
    assert header(letter, "exchange-dlq-offset") == str(written.offset)
    assert header(letter, "exchange-dlq-group") == world.group("copy")
    assert header(letter, "exchange-dlq-step") == "7"
    opened = Opener(world.directory, world.cache()).open_internal(letter)
    assert opened.agency == world.social


async def test_random_bytes_are_refused_and_do_not_stop_the_topic(world):
    """Truncated, empty, oversized and random records are dead letters; what follows them is delivered."""
    await publish(world, [1])
    good = (await raw_records(world, world.topic))[0]
    await write_raw(world, world.topic, os.urandom(200), [("exchange-seal", os.urandom(90))], os.urandom(9))
    await write_raw(world, world.topic, good.value[:3], good.headers, good.key)
    await write_raw(world, world.topic, b"", [], b"")
    await write_raw(world, world.topic, None, [], None)
    await write_raw(world, world.topic, os.urandom(1_000_000), [("x", os.urandom(20_000))] * 2)
    await publish(world, [2])
    events, refused = await take(world, 7)
    assert [event.data["n"] for event in events] == [1, 2]
    assert {each.error.code for each in refused} == {"seal_malformed", "inclusion_invalid"}
    assert len(await letters_of(world)) == 5


async def test_a_record_that_no_client_can_decode_is_a_dead_letter_by_its_offset(world):
    """A header's name that is not UTF-8 costs its own record only: refused, and kept by where it was."""
    await publish(world, [1])
    await write_unreadable(world.kafka, world.topic)
    await publish(world, [2])
    events, refused = await take(world, 3)
    assert [event.data["n"] for event in events] == [1, 2]
    assert [each.error.code for each in refused] == ["seal_malformed"]
    [letter] = await letters_of(world)
    assert letter.value is None
    assert header(letter, "exchange-dlq-offset") == str(refused[0].record.offset)


async def test_a_record_too_heavy_to_keep_is_kept_by_its_digest(world):
    """A record with more headers than a dead letter can hold is kept as its size and SHA-256."""
    await write_raw(world, world.topic, b"value", [("h", b"")] * 1_500)
    await take(world, 1)
    [letter] = await letters_of(world)
    assert "5 bytes, 1500 headers, value SHA-256" in header(letter, "exchange-dlq-cut")


async def test_a_replayed_record_is_refused(world):
    """A record copied to the topic again is verified, and still refused: its sequence was seen."""
    await publish(world, [1, 2])
    first = (await raw_records(world, world.topic))[0]
    await write_raw(world, world.topic, first.value, first.headers, first.key)
    events, refused = await take(world, 3)
    assert [event.data["n"] for event in events] == [1, 2]
    assert [each.error.code for each in refused] == ["sequence_replayed"]


def sealed(world: World, record, *, epoch: int, sequence: int) -> list[tuple[str, bytes]]:
    """The record's headers with another sequence, sealed by its own publisher."""
    headers = [(n, b"%020d" % sequence if n == "ce_sequence" else v) for n, v in record.headers if n != "exchange-seal"]
    unsealed = Unsealed(record.topic, 0, record.key, record.value, headers)
    sealer = Sealer(world.publisher_id, world.keys[world.civil])
    [seal] = sealer.seal([unsealed], epoch=epoch, flush=1, time=world.clock.now())
    return [*headers, ("exchange-seal", seal)]


async def test_a_hole_is_counted_and_the_record_behind_it_delivered(world, sample):
    """Sequences that are missing raise the gap counter; the good record is delivered all the same."""
    await publish(world, [1])
    first = (await raw_records(world, world.topic))[0]
    await write_raw(world, world.topic, first.value, sealed(world, first, epoch=1, sequence=5), first.key)
    events, refused = await take(world, 2)
    assert [event.sequence for event in events] == [0, 5]
    assert refused == []
    assert sample("exchange_sequence_gaps_total", topic=world.topic) == 1


async def test_a_hole_on_a_compacted_topic_is_no_alarm(kafka, sample):
    """Compaction removes records, so that holes on a compacted topic are not counted."""
    world = await World.created(kafka, compacted=True)
    await publish(world, [1])
    first = (await raw_records(world, world.topic))[0]
    await write_raw(world, world.topic, first.value, sealed(world, first, epoch=1, sequence=5), first.key)
    events, _ = await take(world, 2)
    assert [event.sequence for event in events] == [0, 5]
    assert sample("exchange_sequence_gaps_total", topic=world.topic) == 0


async def test_a_lower_epoch_is_refused(world):
    """A record of an epoch that is over is a replay, whatever its number."""
    await publish(world, [1])
    await publish(world, [2])
    first = (await raw_records(world, world.topic))[0]
    await write_raw(world, world.topic, first.value, sealed(world, first, epoch=1, sequence=9), first.key)
    events, refused = await take(world, 3)
    assert [event.epoch for event in events] == [1, 2]
    assert [each.error.code for each in refused] == ["sequence_replayed"]


async def test_dead_letters_are_kept_once_also_when_the_batch_is_read_again(world):
    """A subscriber that ends between the dead letter and its commit keeps no second copy when it comes back."""
    await write_raw(world, world.topic, b"forged", [])
    for _ in range(3):
        letters = world.dead_letters(world.group("copy"))
        async with world.subscriber("copy", dead_letters=letters) as subscriber:
            batch = await anext(subscriber.batches())
            assert len(batch.refused) == 1  # and no commit
    assert len(await letters_of(world)) == 1


async def test_a_registry_that_is_away_pauses_and_refuses_nothing(world, sample):
    """While the registry does not answer nothing is refused; once it does, the record is delivered."""
    await publish(world, [1])
    world.registry.away = 2
    events, refused = await take(world, 1)
    assert [event.data["n"] for event in events] == [1]
    assert refused == []
    assert sample("exchange_schema_waits_total", group=world.group("copy")) == 2


async def test_stopping_does_not_wait_for_the_registry(world):
    """SIGTERM ends a subscriber that waits for the registry, and nothing is committed or lost."""
    await publish(world, [1])
    world.registry.away = 1_000_000
    async with world.subscriber("copy") as subscriber:
        batches = subscriber.batches()
        waiting = asyncio.ensure_future(anext(batches, None))
        await subscriber.wait_assigned()
        subscriber.stop()
        assert await waiting is None
    world.registry.away = 0
    events, _ = await take(world, 1)
    assert [event.data["n"] for event in events] == [1]


async def test_a_schema_that_does_not_exist_is_a_dead_letter(world):
    """A properly sealed record whose schema id the registry never gave out is refused at step 8."""
    await publish(world, [1])
    good = (await raw_records(world, world.topic))[0]
    value = b"\x00" + struct.pack(">i", 4_711) + good.value[5:]
    unsealed = Unsealed(world.topic, 0, good.key, value, list(good.headers[:-1]))
    [seal] = Sealer(world.publisher_id, world.keys[world.civil]).seal(
        [unsealed], epoch=9, flush=1, time=world.clock.now()
    )
    await write_raw(world, world.topic, value, [*unsealed.headers, ("exchange-seal", seal)], good.key)
    events, refused = await take(world, 2)
    assert len(events) == 1
    [refusal] = refused
    assert isinstance(refusal.error, SchemaMismatch)
    assert refusal.error.code == "schema_unknown"


async def test_an_expired_directory_stops_delivery_and_refuses_nothing(world):
    """Past the directory's expiry the subscriber stops with that error; no record becomes a dead letter."""
    await publish(world, [1])
    world.valid = timedelta(seconds=-1)
    world.renew()
    with pytest.raises(DirectoryExpired):
        await take(world, 1)
    assert await letters_of(world) == []
    world.valid = timedelta(days=1)
    world.renew()
    events, refused = await take(world, 1)
    assert (len(events), refused) == (1, [])


async def test_refusals_are_counted_by_topic_and_code(world, sample):
    """The refused counter and the dead-letter counter go up by one for each record, under its code."""
    await write_raw(world, world.topic, b"x", [])
    await take(world, 1)
    labels = {"topic": world.topic, "code": "seal_malformed"}
    assert sample("exchange_refused_total", **labels) == 1
    assert sample("exchange_dead_letters_total", **labels) == 1
