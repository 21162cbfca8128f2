"""Reports of events, worked out from where Kafka says each batch lies."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.avro import RegisteredSchema, Schema
from exchange.bus.publishing.bundle import Bundle, Cause
from exchange.bus.publishing.delivery import Committed, Deliveries, Places
from exchange.bus.publishing.outbox import Channel
from exchange.envelope import MAX_FLUSH
from exchange.errors import TransportError
from exchange.ids import AgencyId
from exchange.transport.kafka import Written
from tests.fakes.bus_world import SCHEMA

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AGENCY = AgencyId.parse("UZ/GOV/interior/civil")
TOPICS = ("gov.interior.civil.moved.v1", "gov.interior.civil.left.v1")


def channels():
    """Two topics of three partitions."""
    registered = RegisteredSchema(7, Schema.parse(SCHEMA))
    return [Channel(AGENCY, topic, registered, 3, 1_000_000, {}) for topic in TOPICS]


def records_of(choices):
    """A record for each (topic, key)."""
    lanes = channels()
    return [lanes[topic].event({"n": n}, key, None, NOON, None) for n, (topic, key) in enumerate(choices)]


def batches(records, sizes, gap):
    """Where Kafka might have put them: each partition's records in batches of `sizes`, others' records in between."""
    written, true = [], {}
    places = {(record.topic, record.partition) for record in records}
    for number, place in enumerate(sorted(places)):
        mine = [i for i, record in enumerate(records) if (record.topic, record.partition) == place]
        offset, turn = 100 * number, 0
        while mine:
            size = sizes[turn % len(sizes)]
            batch, mine = mine[:size], mine[size:]
            stamp = 1_000 * number + turn
            true |= {i: (offset + rank, stamp) for rank, i in enumerate(batch)}
            written.append(Written(*place, offset, stamp, offset + len(batch) - 1))
            offset, turn = offset + len(batch) + gap, turn + 1
    return written, true


keys = st.none() | st.sampled_from("abcdefgh")


@settings(deadline=None)
@given(
    choices=st.lists(st.tuples(st.integers(0, 1), keys), max_size=60),
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    gap=st.integers(0, 3),
    seed=st.integers(0, 1_000),
)
def test_every_record_is_found_in_its_batch(choices, sizes, gap, seed):
    """However the records spread over topics, partitions and batches, each has its own offset, time and sequence."""
    records = records_of(choices)
    written, true = batches(records, sizes, gap)
    by_place = [
        [batch for batch in written if (batch.topic, batch.partition) == place]
        for place in {(batch.topic, batch.partition) for batch in written}
    ]
    Random(seed).shuffle(by_place)  # noqa: S311  batches of one partition are in order, partitions in any
    places = Places(records, Committed([batch for each in by_place for batch in each], 4, 10))
    for i, record in enumerate(records):
        found = places.delivery(i)
        assert (found.offset, round(found.timestamp.timestamp() * 1000)) == true[i]
        assert (found.topic, found.partition, found.epoch, found.flush) == (record.topic, record.partition, 4, 10)
        assert (found.id, found.sequence) == (record.event_id, record.sequence)


def test_each_tree_of_a_transaction_is_a_flush():
    """The flush that a report names is the one in the record's own statement."""
    records = records_of([(0, "a")] * (MAX_FLUSH + 1))
    places = Places(records, Committed(None, 1, 7))
    assert [places.delivery(i).flush for i in (0, MAX_FLUSH - 1, MAX_FLUSH)] == [7, 7, 8]


def test_a_place_that_nobody_knows_is_none():
    """Where Kafka's answer was lost, id and sequence are known all the same."""
    [record] = records_of([(0, "a")])
    found = Places([record], Committed(None, 1, 2)).delivery(0)
    assert (found.offset, found.timestamp) == (None, None)
    assert (found.id, found.sequence) == (record.event_id, 0)


def test_topics_that_keep_writers_times_have_no_brokers_time():
    """A batch without the broker's timestamp is reported without one."""
    [record] = records_of([(0, "a")])
    written = [Written(record.topic, record.partition, 5, None, 5)]
    found = Places([record], Committed(written, 1, 2)).delivery(0)
    assert (found.offset, found.timestamp) == (5, None)


def test_reports_are_a_sequence():
    """They can be counted, indexed from both ends, cut, and gone through."""
    records = records_of([(0, "a")] * 5)
    places = Places(records, Committed(None, 1, 2))
    reports = Deliveries(places, [0, 2, 4])
    assert len(reports) == 3
    assert [each.sequence for each in reports] == [0, 2, 4]
    assert reports[-1].sequence == 4
    assert [each.sequence for each in reports[1:]] == [2, 4]
    with pytest.raises(IndexError):
        reports[3]


async def test_all_who_wait_for_a_bundle_are_told_the_same():
    """Those who came before and after its end get its outcome, or its error."""
    [record] = records_of([(0, "a")])
    good, bad = Bundle(Cause.AUTOMATIC), Bundle(Cause.AUTOMATIC)
    for bundle in (good, bad):
        bundle.append(record)
    waiting = [asyncio.create_task(each.wait()) for each in (good, bad)]
    await asyncio.sleep(0)
    good.settle(Committed(None, 3, 2))
    bad.fail(TransportError("gone"))
    assert (await waiting[0]).delivery(0).epoch == (await good.wait()).delivery(0).epoch == 3
    for late in (waiting[1], bad.wait()):
        with pytest.raises(TransportError, match="gone"):
            await late
