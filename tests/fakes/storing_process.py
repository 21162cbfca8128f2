"""A process that stores a topic in an SQLite file, exactly once, and says how far it is; to be killed.

python -m tests.fakes.storing_process BOOTSTRAP WORLD PARTITIONS FILE GROUP [RECORDS]

RECORDS: the most that a batch has, 50 unless told.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from exchange.bus import Batch, Membership
from tests.fakes.bus_world import World
from tests.fakes.sqlite_sink import SqliteSink


class TellingSink(SqliteSink):
    """Says each batch's place once it is stored."""

    async def store(self, batch: Batch) -> None:
        """As its parent; then one line on standard output."""
        await super().store(batch)
        sys.stdout.write(f"{batch.partition} {batch.next_offset}\n")
        sys.stdout.flush()


async def follow(world: World, path: Path, group: str, records: int) -> None:
    """Until killed."""
    membership = Membership(session_seconds=6)
    async with world.subscriber(group, batch_records=records, membership=membership) as subscriber:
        await subscriber.exactly_once(TellingSink(path))


if __name__ == "__main__":
    bootstrap, name, partitions, file, group, *most = sys.argv[1:]
    asyncio.run(
        follow(World(bootstrap, partitions=int(partitions), name=name), Path(file), group, int(most[0]) if most else 50)
    )
