"""Two processes of one publisher: the later one has it, the earlier one ends and says why."""

from __future__ import annotations

from exchange.errors import PublisherFenced
from tests.fakes.bus_world import World, read_all
from tests.faults.lives import Life
from tests.faults.verdict import require_exactly_once
from tests.faults.work import publish

STEP = 20


async def test_the_earlier_process_ends_with_its_code_and_does_not_come_back(kafka: str) -> None:
    """It exits as `publisher_fenced`, having begun one epoch; the later one goes on from what it committed."""
    world = await World.created(kafka, partitions=2)
    earlier = Life(publish, world.place, STEP, None)
    for _ in range(3):
        assert isinstance(await earlier.hear(), int)
    later = Life(publish, world.place, STEP, None)
    heard = await earlier.hear()
    while isinstance(heard, int):
        heard = await earlier.hear()
    assert heard == "publisher_fenced"
    assert await earlier.end() == PublisherFenced.exit_code
    row = 0
    for _ in range(5):
        row = await later.hear()
    later.kill()
    await later.end()
    last = Life(publish, world.place, STEP, row + 10 * STEP)
    rows = max(row + 10 * STEP, await last.hear())  # the later one was ahead of its reports
    assert await last.end() == 0
    await require_exactly_once(world, rows)
    epochs = {event.epoch for event in await read_all(world, rows)}
    assert {1, 2} <= epochs <= {1, 2, 3}
