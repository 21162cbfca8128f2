"""What the processes do that are killed: publish numbered rows, and copy them into a database."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from exchange.bus import Batch, Membership, StoredPosition
from exchange.cli.app import fail
from exchange.errors import ExchangeError
from tests.fakes.bus_world import SCHEMA, World
from tests.faults.copies import Copy, open_copy
from tests.faults.lives import Report

KEYS = 11
"""Rows are of so many keys, in turn."""

SESSION_SECONDS = 6.0
"""How long the group waits for a copy that was killed: the least that Kafka takes."""


def key_of(row: int) -> str:
    """The key of a row."""
    return f"k{row % KEYS}"


def publish(report: Report, world: dict[str, Any], step: int, until: int | None) -> None:
    """Publish rows, `step` a transaction, from the one that was committed last up to `until` (None: for ever).

    Reports the row it begins with, then the next row after each commit. An error of the exchange is reported by its
    code and ends it as it would the command line.
    """
    _run(report, _publish(report, World(**world), step, until))


def copy(report: Report, world: dict[str, Any], group: str, place: str, until: int | None, records: int) -> None:
    """Copy the topic into the database at `place`, at most `records` a transaction, until it has `until` rows.

    Reports how many rows it wrote after each transaction. SIGTERM drains.
    """
    _run(report, _copy(report, World(**world), group, open_copy(place), until, records))


def _run(report: Report, work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except ExchangeError as error:
        report.send(error.code)
        fail(error)  # what the command line does


async def _publish(report: Report, world: World, step: int, until: int | None) -> None:
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        row = (publisher.position or {"row": 0})["row"]
        report.send(row)
        while until is None or row < until:
            for n in range(row, row + step):
                publisher.add(world.topic, {"n": n}, key=key_of(n))
            row += step
            await publisher.commit({"row": row})
            report.send(row)


async def _copy(report: Report, world: World, group: str, into: Copy, until: int | None, records: int) -> None:
    membership = Membership(session_seconds=SESSION_SECONDS)
    with into:
        async with world.subscriber(group, batch_records=records, membership=membership) as subscriber:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, subscriber.stop)
            sink = _Told(report, into, until, subscriber.stop)
            sink.stop_if_whole()
            await subscriber.exactly_once(sink)


class _Told:
    """A copy that tells what it stores, and stops once it is whole."""

    def __init__(self, report: Report, into: Copy, until: int | None, stop: Callable[[], None]) -> None:
        self._report = report
        self._into = into
        self._until = until
        self._stop = stop

    async def load(self, group: str, topic: str, partition: int) -> StoredPosition | None:
        return await self._into.load(group, topic, partition)

    async def store(self, batch: Batch) -> None:
        await self._into.store(batch)
        self._report.send(len(batch.events))
        self.stop_if_whole()

    def stop_if_whole(self) -> None:
        if self._until is not None and self._into.count() >= self._until:
            self._stop()
