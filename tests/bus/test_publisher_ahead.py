"""What is sealed before its turn: on the position of the one before it, again where that was not to be, never for long.

The sealing itself is a stand-in here; what reaches Kafka is in test_publisher_recovery and tests/faults.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from exchange.bus.publishing.ahead import AHEAD, Ahead, Work
from exchange.bus.publishing.positions import Position
from exchange.bus.publishing.writer import SealedTransaction
from exchange.errors import KeyUnavailable

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Sealing:
    """Seals a work as the flush after the position it is given; `committed` stands for the writer's."""

    def __init__(self) -> None:
        self.committed = Position(1, 1, 0, {}, None)
        self.order: list[object] = []
        self.error: Exception | None = None
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, work: Work, after: Position | None) -> SealedTransaction:
        await self.may_go_on.wait()
        self.order.append(work.application)
        if self.error is not None:
            raise self.error
        before = self.committed if after is None else after
        following = Position(1, before.epoch, before.flush + 1, {}, work.application)
        return SealedTransaction(before, following, "", NOON, b"", [])


def begun(ahead: Ahead, count: int) -> list[Work]:
    """So many works, in order."""
    works = [Work([], {}, {"n": number}) for number in range(count)]
    for work in works:
        ahead.begin(work)
    return works


async def settled() -> None:
    """Whatever can happen without waiting has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_each_is_sealed_on_the_position_of_the_one_before_it():
    """As if that were committed already; and in their order."""
    sealing = Sealing()
    first, second, third = begun(Ahead(sealing), 3)
    transactions = [await work.sealing for work in (first, second, third)]
    assert transactions[0].after is sealing.committed
    assert transactions[1].after is transactions[0].position
    assert transactions[2].after is transactions[1].position
    assert sealing.order == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_no_more_are_sealed_than_memory_is_there_for():
    """The one whose turn it is and so many behind it; another as soon as one has ended."""
    sealing, count = Sealing(), AHEAD + 3
    ahead = Ahead(sealing)
    works = begun(ahead, count)
    await settled()
    assert len(sealing.order) == AHEAD + 1
    ahead.end(works[0])
    await settled()
    assert len(sealing.order) == AHEAD + 2


async def test_what_was_sealed_for_another_epoch_is_sealed_again():
    """A recovery began an epoch: all that waits follows the new position, in the same order."""
    sealing = Sealing()
    ahead = Ahead(sealing)
    works = begun(ahead, 2)
    stale = [await work.sealing for work in works]
    sealing.committed = Position(1, 2, 1, {}, None)
    ahead.seal_anew()
    fresh = [await work.sealing for work in works]
    assert [each.position.epoch for each in stale] == [1, 1]
    assert [(each.position.epoch, each.position.flush) for each in fresh] == [(2, 2), (2, 3)]
    assert fresh[1].after is fresh[0].position


async def test_sealing_anew_breaks_off_what_is_being_sealed():
    """Nothing of the old epoch is finished behind the back of the new one."""
    sealing = Sealing()
    sealing.may_go_on.clear()
    ahead = Ahead(sealing)
    [work] = begun(ahead, 1)
    old = work.sealing
    await settled()
    ahead.seal_anew()
    sealing.may_go_on.set()
    await work.sealing
    assert old.cancelled()
    assert sealing.order == [{"n": 0}]


async def test_an_error_is_told_to_whoever_commits_that_work_and_those_after_it(caplog):
    """A key that is away: every work says so in its turn, nothing is logged as lost, and later it can be sealed."""
    sealing = Sealing()
    sealing.error = KeyUnavailable("the token is gone")
    ahead = Ahead(sealing)
    first, second = begun(ahead, 2)
    with pytest.raises(KeyUnavailable):
        await first.sealing
    with pytest.raises(KeyUnavailable):
        await second.sealing
    sealing.error = None
    ahead.seal_anew()
    assert (await second.sealing).position.flush == 2
    assert not caplog.records


async def test_closing_breaks_off_what_is_under_way():
    """A publisher that closes leaves no task behind."""
    sealing = Sealing()
    sealing.may_go_on.clear()
    ahead = Ahead(sealing)
    works = begun(ahead, 3)
    await settled()
    ahead.close()
    await settled()
    assert all(work.sealing.cancelled() for work in works)
