"""The short way of preparing an event is the slow way: the same leaf, the same bytes for Kafka, a seal that opens."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.bus.publishing.prepared import EventForm, prepare, sealed, sealing_order
from exchange.envelope import EventHeaders, Flush, Sealer, Unsealed, record_leaf
from exchange.errors import RecordTooLarge
from exchange.ids import AgencyId, PublisherId
from exchange.trust import SigningKey
from tests.fakes.encoded_record import read_back, unsealed

AGENCY = AgencyId.parse("UZ/GOV/interior/civil")
PUBLISHER = PublisherId(AGENCY, "residents")
TOPIC = "gov.interior.civil.moved.v1"
URI = "ni:///sha-256;" + "A" * 43
ID = "01934f2e-1111-7222-8333-444444444444"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = SigningKey.from_seed(b"k" * 32)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

MORE = st.tuples(st.none() | st.text("abc234", min_size=1, max_size=30), st.none() | st.just(TRACE))
EVENTS = st.tuples(
    st.none() | st.binary(max_size=60), st.none() | st.binary(max_size=3_000), st.integers(0, 10**20 - 1), MORE
)


def short(key, value, sequence, more):
    """An event as the outbox prepares it."""
    named = [(name, text.encode()) for name, text in zip(("ce_subject", "traceparent"), more, strict=True) if text]
    return EventForm(AGENCY, TOPIC, URI).prepare(0, key, value, ID, NOON, sequence, named)


def slow(key, value, sequence, more):
    """The same, header by header."""
    subject, trace = more
    headers = EventHeaders(AGENCY, TOPIC, URI).build(ID, NOON, sequence, subject=subject, traceparent=trace)
    return Unsealed(TOPIC, 0, key, value, headers)


@given(EVENTS)
def test_the_leaf_is_that_of_the_record_written_header_by_header(event):
    """Whatever key, value, sequence and optional headers: the hash is spec 3's."""
    topic, _, key, value, headers = slow(*event)
    assert short(*event).leaf == record_leaf(topic, key, headers, value)


@given(EVENTS)
def test_kafka_reads_the_record_that_was_written_header_by_header(event):
    """Key, value and headers, in order, are those of the slow way; the seal's header follows."""
    found, plain = unsealed(short(*event)), slow(*event)
    assert (found.key, found.value, found.headers[:-1]) == (plain.key, plain.value, plain.headers)
    assert found.headers[-1][0] == "exchange-seal"
    assert short(*event).size == prepare(plain).size


@given(st.lists(EVENTS, min_size=1, max_size=20))
def test_the_seals_are_those_of_the_sealer(events):
    """A flush sealed in parts has, joined, the seals of the sealer that takes whole records."""
    records = [short(*event) for event in events]
    tree = Flush(PUBLISHER, [each.leaf for each in records], epoch=2, flush=9, time=NOON)
    parts = tree.seals(KEY.public.raw, KEY.sign(tree.text.encode()))
    whole = Sealer(PUBLISHER, KEY).seal([slow(*event) for event in events], epoch=2, flush=9, time=NOON)
    found = read_back(*sealed(records, parts))
    assert [each.headers[-1] for each in found] == [("exchange-seal", seal) for seal in whole]


@given(st.lists(st.integers(0, 3), max_size=40))
def test_a_partitions_records_are_neighbours_in_the_tree(partitions):
    """Whatever the partitions: all of one stand side by side, each in its order."""
    form = EventForm(AGENCY, TOPIC, URI)
    records = [form.prepare(place, b"k", b"v", ID, NOON, n) for n, place in enumerate(partitions)]
    order = sealing_order(records)
    assert sorted(order) == list(range(len(records)))
    placed = [partitions[index] for index in order]
    assert [place for place, _ in groupby(placed)] == list(dict.fromkeys(partitions))
    for place in set(partitions):
        mine = [index for index in order if partitions[index] == place]
        assert mine == sorted(mine)


def test_a_record_can_be_sealed_again():
    """Sealing changes no record: a second epoch seals what a first could not commit."""
    record = short(b"k", b"v", 4, (None, None))
    for epoch in (1, 2):
        tree = Flush(PUBLISHER, [record.leaf], epoch=epoch, flush=1, time=NOON)
        [found] = read_back(*sealed([record], tree.seals(KEY.public.raw, KEY.sign(tree.text.encode()))))
        assert f"epoch {epoch}\n".encode() in found.headers[-1][1]
    assert (record.event_id, record.sequence) == (ID, 4)


def test_what_no_seal_can_cover_is_refused():
    """Beyond 16 MiB nobody could open the record: it is not made."""
    with pytest.raises(RecordTooLarge, match="at most"):
        short(b"k", b"x" * (16 * 1024 * 1024), 0, (None, None))
