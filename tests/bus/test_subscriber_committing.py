"""Committing: one request at a time, everything noted meanwhile in the next, nothing before it was noted."""

from __future__ import annotations

import asyncio

import pytest

from exchange.bus import Batch
from exchange.bus.subscribing.committing import Committer
from exchange.bus.subscribing.lags import Lags
from exchange.errors import BrokerUnreachable, TransportError
from exchange.transport.kafka import GroupPosition, Partition


class SlowBroker:
    """Answers a commit when it is told to; remembers each request."""

    def __init__(self):
        self.requests = []
        self.answers = asyncio.Queue()

    async def commit(self, positions):
        self.requests.append(dict(positions))
        answer = await self.answers.get()
        if answer is not None:
            raise answer

    def lag(self, place, next_offset):
        return 0


def batch(partition, next_offset):
    """A batch without events that ends at an offset."""
    return Batch("t", partition, 0, next_offset, [], [], f"seq2@{next_offset}", 1)


def at(partition, offset):
    """What a commit says of a partition."""
    return {Partition("t", partition): GroupPosition(offset, f"seq2@{offset}")}


async def test_what_is_noted_while_a_request_is_away_goes_in_one(sample):
    """Three batches during a round trip cost one request more, with the last place of each partition."""
    broker = SlowBroker()
    committer = Committer("g", broker, Lags("g"))
    committer.note(batch(0, 10))
    await asyncio.sleep(0)
    for each in (batch(0, 20), batch(1, 5), batch(0, 30)):
        committer.note(each)
    for _ in range(2):
        broker.answers.put_nowait(None)
    await committer.settle()
    assert broker.requests == [at(0, 10), at(0, 30) | at(1, 5)]


async def test_settling_waits_for_the_answer():
    """Returned means committed."""
    broker = SlowBroker()
    committer = Committer("g", broker, Lags("g"))
    await committer.settle()
    committer.note(batch(0, 10))
    settling = asyncio.ensure_future(committer.settle())
    done, _ = await asyncio.wait([settling], timeout=0.05)
    assert not done
    broker.answers.put_nowait(None)
    await settling


async def test_a_failure_comes_out_once_and_commits_nothing_behind_it():
    """Who asks next is told; what was noted behind the failed request is not committed before it."""
    broker = SlowBroker()
    committer = Committer("g", broker, Lags("g"))
    committer.note(batch(0, 10))
    await asyncio.sleep(0)
    committer.note(batch(0, 20))
    broker.answers.put_nowait(BrokerUnreachable("away"))
    with pytest.raises(BrokerUnreachable):
        await committer.settle()
    await committer.settle()
    broker.answers.put_nowait(None)
    committer.note(batch(0, 30))
    await committer.settle()
    assert broker.requests == [at(0, 10), at(0, 30)]


async def test_lost_batches_are_counted(sample):
    """Each batch that another member reads again is one."""
    broker = SlowBroker()
    committer = Committer("lost", broker, Lags("lost"))
    before = sample("exchange_assignments_lost_total", group="lost")
    broker.answers.put_nowait(TransportError("moved", code="assignment_lost"))
    committer.note(batch(0, 10))
    committer.note(batch(1, 10))
    with pytest.raises(TransportError):
        await committer.settle()
    assert sample("exchange_assignments_lost_total", group="lost") == before + 2


async def test_what_is_forgotten_is_never_committed():
    """A partition that is another's is left alone, whatever was under way."""
    broker = SlowBroker()
    committer = Committer("g", broker, Lags("g"))
    committer.note(batch(0, 10))
    await asyncio.sleep(0)
    committer.note(batch(0, 20))
    await committer.forget()
    broker.answers.put_nowait(None)
    await committer.settle()
    assert broker.requests == [at(0, 10)]
