"""Records on a real topic that nobody honest wrote: each is a dead letter, and the subscriber goes on."""

from __future__ import annotations

import os
import random
import struct
from collections import Counter

from exchange.transport.kafka import Received
from tests.fakes.bus_world import SCHEMA, World, raw_records, write_raw
from tests.fakes.unreadable_record import write_unreadable
from tests.faults.scale import Scale

SEAL = "exchange-seal"
PATH_AT = 5
HASH = 32
LARGEST = 0xFFFF

Headers = list[tuple[str, bytes]]


async def test_hostile_records_are_dead_letters_and_the_rest_is_delivered(kafka: str, scale: Scale) -> None:
    """Random bytes, seals cut short or grown, paths of 255, statements of 64 kB, 10,000 headers, unreadable names."""
    world = await World.created(kafka)
    await publish(world, 0)
    [good] = await raw_records(world, world.topic)
    seal = good.headers[-1][1]
    hostile = [*shapes(good, seal), *noise(scale.random_records, len(seal))]
    for number, (value, headers) in enumerate(hostile, 1):
        await write_raw(world, world.topic, value, headers, good.key)
        if number % 10 == 0:
            await write_unreadable(world.kafka, world.topic)
            await publish(world, number)
    await publish(world, len(hostile) + 1)
    events, codes = await take(world, len(hostile) + 1)
    assert events == [0, *range(10, len(hostile) + 1, 10), len(hostile) + 1]
    assert sum(codes.values()) == len(hostile) + len(hostile) // 10
    assert set(codes) <= {"seal_malformed", "statement_malformed", "origin_mismatch", "inclusion_invalid"}
    letters = await raw_records(world, world.social.dead_letter_topic)
    assert len(letters) == sum(codes.values())


def shapes(good: Received, seal: bytes) -> list[tuple[bytes | None, Headers]]:
    """The good record, its seal and headers made wrong one by one."""
    plain = list(good.headers[:-1])
    hashes = seal[PATH_AT]
    after = PATH_AT + 1 + HASH * hashes
    statement = seal[after + 2 :]
    seals = [seal[:length] for length in (0, 1, PATH_AT, PATH_AT + 1, after, after + 1, len(seal) // 2, len(seal) - 1)]
    seals += [seal + b"\x00", b"\x02" + seal[1:], bytes(seal[:PATH_AT]) + b"\xff" + seal[PATH_AT + 1 :]]
    seals += [seal[:PATH_AT] + b"\xff" + os.urandom(255 * HASH) + seal[after:]]
    seals += [seal[:after] + struct.pack(">H", LARGEST) + statement + b"x" * (LARGEST - len(statement))]
    seals += [seal[:after] + struct.pack(">H", LARGEST) + b"\n" * LARGEST]
    many = [(f"x-{number}", b"") for number in range(10_000)]
    return [
        *((good.value, [*plain, (SEAL, each)]) for each in seals),
        (good.value, [*plain, *many, (SEAL, seal)]),
        (good.value, [(SEAL, seal)] * 10_000),
        (good.value, [*plain, (SEAL, seal), ("after", b"")]),
        (good.value, []),
        (None, []),
        (good.value, [("x" * 40_000, b""), (SEAL, seal)]),
    ]


def noise(count: int, seal: int) -> list[tuple[bytes | None, Headers]]:
    """Bytes of chance, the same each run: as values, as seals, as everything."""
    chance = random.Random(3)  # noqa: S311  (which bytes)
    found: list[tuple[bytes | None, Headers]] = []
    for _ in range(count):
        headers = [(SEAL, chance.randbytes(chance.randrange(2 * seal)))]
        found.append((chance.randbytes(chance.randrange(2_000)), headers if chance.random() < 0.8 else []))
    return found


async def publish(world: World, number: int) -> None:
    """One good event."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": number}, key="k")


async def take(world: World, last: int) -> tuple[list[int], Counter[str]]:
    """The events up to number `last`, and the refusals by their code."""
    events: list[int] = []
    codes: Counter[str] = Counter()
    letters = world.dead_letters(world.group("copy"))
    async with world.subscriber("copy", dead_letters=letters) as subscriber:
        async for batch in subscriber.batches():
            events += [event.data["n"] for event in batch.events]
            codes.update(each.error.code for each in batch.refused)
            await subscriber.commit(batch)
            if last in events:
                break
    return events, codes
