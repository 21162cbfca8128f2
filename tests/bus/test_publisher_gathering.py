"""What gathers for a transaction: numbered in order, given back whole, closed in turn."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.avro import RegisteredSchema, Schema
from exchange.bus import NewEvent
from exchange.bus.publishing.bundle import Cause
from exchange.bus.publishing.gathering import Gathering
from exchange.bus.publishing.outbox import Channel
from exchange.errors import SettingsError, ValueInvalid
from exchange.ids import AgencyId
from tests.fakes.bus_world import SCHEMA
from tests.fakes.moving_clock import NOON, MovingClock

AGENCY = AgencyId.parse("UZ/GOV/interior/civil")
TOPIC = "gov.interior.civil.moved.v1"
OTHER = "gov.interior.civil.left.v1"


def gathering(*topics, partitions=2, clock=None):
    """A gathering with open topics."""
    gathering = Gathering("UZ/GOV/interior/civil/residents", clock or MovingClock())
    for topic in topics:
        registered = RegisteredSchema(7, Schema.parse(SCHEMA))
        gathering.open(Channel(AGENCY, topic, registered, partitions, 1_000_000, {}))
    return gathering


def put(gathering, topic=TOPIC, data=None, key="k", time=None):
    """Add an event."""
    return gathering.put(NewEvent(topic, {"n": 1} if data is None else data, key, None, time))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from([TOPIC, OTHER]), st.sampled_from("abcdef")),
        st.tuples(st.just("wrong"), st.sampled_from([TOPIC, OTHER]), st.just("a")),
        st.tuples(st.just("close"), st.none(), st.none()),
        st.tuples(st.just("discard"), st.none(), st.none()),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(steps=steps)
def test_what_is_closed_is_numbered_without_a_hole(steps):
    """Whatever is added, refused, closed and discarded: the closed bundles' sequences are 0, 1, 2 in each partition."""
    gathered = gathering(TOPIC, OTHER)
    closed = []
    for what, topic, key in steps:
        if what == "put":
            put(gathered, topic, key=key)
        elif what == "wrong":
            with pytest.raises(ValueInvalid):
                put(gathered, topic, {"n": "x"}, key)
        elif what == "close":
            closed.append(gathered.close())
        else:
            gathered.discard()
    following = {}
    for bundle in closed:
        for record in bundle.records:
            place = (record.topic, record.partition)
            assert record.sequence == following.get(place, 0)
            following[place] = record.sequence + 1
        assert bundle.size == sum(record.size for record in bundle.records)
        assert sum(bundle.events.values()) == len(bundle.records)
        for topic, numbers in bundle.sequences.items():
            assert numbers == {partition: following.get((topic, partition), 0) for partition in (0, 1)}


def test_a_bundle_tells_only_of_topics_it_has_events_for():
    """A position repeats no topic that the transaction does not touch."""
    gathered = gathering(TOPIC, OTHER)
    put(gathered, OTHER)
    assert set(gathered.close().sequences) == {OTHER}
    assert gathered.close().sequences == {}


def test_a_bundle_is_of_one_cause():
    """What begins by hand stays so until it is closed or discarded; then events gather by themselves again."""
    gathered = gathering(TOPIC)
    gathered.begin(Cause.COMMIT)
    put(gathered)
    assert gathered.bundle.cause is Cause.COMMIT
    assert gathered.close().cause is Cause.COMMIT
    assert gathered.bundle.cause is Cause.AUTOMATIC
    gathered.begin(Cause.TRANSACTION)
    assert gathered.discard().cause is Cause.TRANSACTION
    assert gathered.bundle.cause is Cause.AUTOMATIC


def test_times_are_the_clocks_unless_given():
    """Without a time the event's is now, and a clock that was set back is followed."""
    clock = MovingClock()
    gathered = gathering(TOPIC, clock=clock)
    for minutes in (0, 5, -10):
        clock.move(minutes=minutes)
        put(gathered)
    put(gathered, time=datetime(2020, 1, 1, tzinfo=UTC))
    stamps = [b"".join(record.parts).decode("utf-8", "replace") for record in gathered.close().records]
    for stamp, time in zip(stamps, ("12:00:00", "12:05:00", "11:55:00", "2020-01-01T00:00:00"), strict=True):
        assert time in stamp
    assert NOON.minute == 0


@pytest.mark.parametrize(
    ("event", "error", "says"),
    [
        (NewEvent("gov.interior.civil.gone.v1", {"n": 1}, key="k"), SettingsError, "call `open` first"),
        (NewEvent(TOPIC, {"n": 1}, key="k", time=datetime(2026, 1, 1)), ValueInvalid, "no zone"),  # noqa: DTZ001
        (NewEvent(TOPIC, key="k"), ValueInvalid, "tombstone"),
        (NewEvent(TOPIC, None), ValueInvalid, "needs a key"),
    ],
)
def test_what_is_refused_leaves_the_bundle_as_it_was(event, error, says):
    """One clear error, and nothing was added."""
    gathered = gathering(TOPIC)
    put(gathered)
    with pytest.raises(error, match=says):
        gathered.put(event)
    assert len(gathered.bundle.records) == 1
    put(gathered)
    assert [record.sequence for record in gathered.close().records] == [0, 1]
