"""Letters survive SIGKILL: what was set aside, delivered again or replayed is so exactly once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from contextlib import suppress

from exchange.bus import ReplayOrder
from tests.fakes.bus_world import publish, raw_records
from tests.fakes.handling_world import dead, letters_on

RECORDS = 120


async def start(world, mode):
    """The process under test."""
    command = [sys.executable, "-m", "tests.fakes.letters_process", mode, world.kafka, world.name, str(RECORDS)]
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)


async def kill_and_finish(world, mode, kills, chance):
    """Kill it in the middle a few times, after some of its lines, then let it end."""
    for _ in range(kills):
        process = await start(world, mode)
        for _ in range(chance.randrange(1, 6)):
            await process.stdout.readline()
        await asyncio.sleep(chance.random() * 0.02)
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
    process = await start(world, mode)
    await process.communicate()
    assert process.returncode == 0


async def test_a_killed_handler_sets_each_failure_aside_once(world):
    """Killed between the letters and the commit, or anywhere: each event that failed is one dead letter."""
    await publish(world, range(RECORDS))
    await kill_and_finish(world, "handle", 3, random.Random(5))  # noqa: S311  (the same kills each run)
    letters = Counter(letter.offset for letter in await dead(world))
    assert letters == Counter(range(0, RECORDS, 3))


async def test_killed_retries_deliver_each_letter_once(world):
    """Each open letter is delivered again and marked once, however often the command was killed and repeated."""
    await publish(world, range(RECORDS))
    process = await start(world, "handle")
    await process.communicate()
    await kill_and_finish(world, "retry", 4, random.Random(3))  # noqa: S311
    again = Counter(letter.offset for letter in await letters_on(world, world.social.redelivery_topic))
    assert again == Counter(range(0, RECORDS, 3))
    marks = [dict(record.headers) for record in await raw_records(world, world.social.dead_letter_topic)]
    marked = Counter(each["exchange-dlq-number"] for each in marks if "exchange-dlq-mark" in each)
    assert len(marked) == RECORDS / 3
    assert set(marked.values()) == {1}


async def test_a_killed_replay_delivers_each_record_once(world):
    """Asked for again, a replay goes on where the transaction before the kill ended."""
    await publish(world, range(RECORDS))
    await kill_and_finish(world, "replay", 4, random.Random(11))  # noqa: S311
    letters = await letters_on(world, world.social.redelivery_topic)
    assert [letter.offset for letter in letters] == list(range(RECORDS))
    assert {letter.origin for letter in letters} == {"replay/all"}
    assert ReplayOrder(world.topic, "g", "all").publisher != ReplayOrder(world.topic, "h", "all").publisher
