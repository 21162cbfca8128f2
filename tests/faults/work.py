"""What the processes do that are killed: publish numbered rows, and copy them into a database."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from exchange.errors import ExchangeError
from tests.fakes.bus_world import SCHEMA, World
from tests.faults.copies import Copy, open_copy
from tests.faults.lives import Report

KEYS = 11
"""Rows are of so many keys, in turn."""


def key_of(row: int) -> str:
    """The key of a row."""
    return f"k{row % KEYS}"


def publish(report: Report, world: dict[str, Any], step: int, until: int | None) -> None:
    """Publish rows, `step` a transaction, from the one that was committed last up to `until` (None: for ever).

    Reports the row it begins with, then the next row after each commit. An error of the exchange ends it with the
    exit code that the command line would give.
    """
    _run(_publish(report, World(**world), step, until))


def copy(report: Report, world: dict[str, Any], group: str, place: str, until: int | None, records: int) -> None:
    """Copy the topic into the database at `place`, at most `records` a transaction, until it has `until` rows.

    Reports 0 once it has its partitions, then how many rows it wrote after each transaction. SIGTERM drains.
    """
    _run(_copy(report, World(**world), group, open_copy(place), until, records))


def _run(work: Any) -> None:
    try:
        asyncio.run(work)
    except ExchangeError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        sys.exit(error.exit_code)


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
    with into:
        subscriber = world.subscriber(group, positions=into, batch_records=records)
        async with subscriber:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, subscriber.stop)
            await subscriber.wait_assigned()
            report.send(0)
            if until is not None and into.count() >= until:
                return
            async for batch in subscriber.batches():
                into.store(batch)
                await subscriber.commit(batch)
                report.send(len(batch.events))
                if until is not None and into.count() >= until:
                    return
