"""A process that copies numbered rows to a topic, a few per transaction, and says how far it is; to be killed.

python -m tests.fakes.publishing_process BOOTSTRAP WORLD ROWS ROWS_PER_COMMIT
"""

from __future__ import annotations

import asyncio
import sys

from tests.fakes.bus_world import SCHEMA, World


async def copy(world: World, rows: int, step: int) -> None:
    """Continue after the row that was committed last, as an adapter does."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        row = (publisher.position or {"row": 0})["row"]
        while row < rows:
            for n in range(row, min(row + step, rows)):
                publisher.add(world.topic, {"n": n}, key=f"k{n % 11}")
            row = min(row + step, rows)
            await publisher.commit({"row": row})
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    bootstrap, name, total, per_commit = sys.argv[1:]
    asyncio.run(copy(World(bootstrap, partitions=2, name=name), int(total), int(per_commit)))
