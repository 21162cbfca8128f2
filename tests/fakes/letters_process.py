"""A process that moves letters, and says each step it has durably done; to be killed.

python -m tests.fakes.letters_process handle|retry|replay BOOTSTRAP WORLD RECORDS
"""

from __future__ import annotations

import asyncio
import sys

from exchange.bus import (
    Batch,
    DeadLetterDesk,
    Handling,
    Membership,
    Replay,
    ReplayOrder,
    Selection,
    SetAside,
    Subscriber,
)
from exchange.envelope import Event, Opener
from tests.fakes.bus_world import World
from tests.fakes.handling_world import QUICK, handled_by, post


def say(text: object) -> None:
    """Tell whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Told:
    """A subscriber's batches; each commit is told, and the last one ends it."""

    def __init__(self, subscriber: Subscriber, topic: str, records: int) -> None:
        self.batches, self.pause = subscriber.batches, subscriber.pause
        self._subscriber, self._topic, self._records = subscriber, topic, records

    async def commit(self, batch: Batch) -> None:
        """Commit, tell, and stop after the last."""
        say(f"handled {batch.next_offset}")
        await self._subscriber.commit(batch)
        say(f"at {batch.next_offset}")
        if batch.topic == self._topic and batch.next_offset >= self._records:
            self._subscriber.stop()


async def handle(world: World, records: int) -> None:
    """A handler that fails on every third event for good, until all were handled or set aside."""

    async def third_fails(event: Event) -> None:
        if (event.data or {})["n"] % 3 == 0:
            raise ValueError("for good")

    name = world.group("killed")
    quick = Membership(session_seconds=6)  # a member that was killed is soon forgotten
    async with handled_by(world, "killed", batch_records=10, membership=quick) as subscriber:
        told = Told(subscriber, world.topic, records)
        await Handling(told, name, SetAside(name, post(world)), QUICK).process(third_fails)


async def retry(world: World, records: int) -> None:
    """Deliver every open letter again, a few a transaction."""
    opener = Opener(world.directory, world.cache(), clock=world.clock)
    async with DeadLetterDesk(post(world), opener, step=4) as desk:
        async for done in desk.retry(desk.select(Selection(), "retried")):
            say(done.letter.number)


async def replay(world: World, records: int) -> None:
    """Deliver the topic again to one group, a few records a transaction."""
    order = ReplayOrder(world.topic, world.group("killed"), "all")
    async with Replay(post(world), world.cache(), order, step=3) as again:
        async for progress in again.run({0: range(records)}):
            say(progress.copied)


if __name__ == "__main__":
    mode, bootstrap, name, total = sys.argv[1:]
    asyncio.run({"handle": handle, "retry": retry, "replay": replay}[mode](World(bootstrap, name=name), int(total)))
