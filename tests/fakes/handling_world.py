"""Handlers and what becomes of what they fail on: social protection handles the civil register's events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from exchange.bus import GroupRedeliveries, Handling, Post, RetryPolicy, SetAside, Subscriber
from exchange.bus.letters.reading import Letter, parse_letter, parse_mark
from exchange.envelope import Event
from exchange.errors import TransportError
from tests.fakes.bus_world import World, raw_records
from tests.fakes.waiting import until

QUICK = RetryPolicy(attempts=2, pause=0.01, longest_pause=0.01, outage_after=100, probe=0.02, longest_probe=0.05)
"""No test waits for long; outages are looked for where a test says so."""

SHORT = (0.1, 0.2, 0.3)
"""Seconds on the back-off topics."""


def post(world: World) -> Post:
    """What social protection writes letters with."""
    return Post(world.social, world.kafka, world.keys[world.social], world.directory, world.clock)


def handled_by(world: World, group: str = "handled", **settings: Any) -> Subscriber:
    """A member of a group that also reads its redeliveries and keeps dead letters."""
    name = world.group(group)
    return world.subscriber(
        group,
        dead_letters=world.dead_letters(name),
        redeliveries=GroupRedeliveries(world.social, name),
        **settings,
    )


def handling(
    world: World,
    subscriber: Subscriber,
    group: str = "handled",
    policy: RetryPolicy = QUICK,
    delays: Sequence[float] = SHORT,
) -> Handling:
    """The handling of one group."""
    name = world.group(group)
    return Handling(subscriber, name, SetAside(name, post(world), handler="insert", delays=delays), policy)


async def handle_until(
    world: World,
    handler: Callable[[Event], Any],
    holds: Callable[[], Any],
    *,
    group: str = "handled",
    policy: RetryPolicy = QUICK,
    batch_records: int = 2_000,
) -> None:
    """Handle events until something holds, at most 40 s; `holds` may be a coroutine function."""
    async with handled_by(world, group, batch_records=batch_records) as subscriber:
        working = asyncio.ensure_future(handling(world, subscriber, group, policy).process(handler))
        try:
            await until(holds, working)
        finally:
            subscriber.stop()
            await working


async def letters_on(world: World, topic: str) -> list[Letter]:
    """The letters of one of social protection's topics, marks left out."""
    return [parse_letter(record) for record in await raw_records(world, topic) if parse_mark(record) is None]


async def dead(world: World) -> list[Letter]:
    """The dead letters of social protection."""
    return await letters_on(world, world.social.dead_letter_topic)


class Away:
    """A handler whose database is away until it is `back`; it notes what it was called with, and what it took."""

    def __init__(self, error: Callable[[], Exception] = lambda: TransportError("the database is away")) -> None:
        self.error = error
        self.is_back = False
        self.calls: list[int] = []
        self.taken: list[int] = []

    async def __call__(self, event: Event) -> None:
        """Take an event, or raise."""
        n = (event.data or {})["n"]
        self.calls.append(n)
        if not self.is_back:
            raise self.error()
        self.taken.append(n)
