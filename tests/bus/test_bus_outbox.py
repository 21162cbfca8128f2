"""What the outbox makes of an event: ids, numbers, headers; and what it takes back."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.avro import RegisteredSchema, Schema, unframe
from exchange.bus.publishing.outbox import Channel, EventIds
from exchange.errors import RecordTooLarge, ValueInvalid
from exchange.ids import AgencyId
from exchange.transport.kafka import partition_of
from tests.fakes.bus_world import SCHEMA
from tests.fakes.encoded_record import unsealed

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AGENCY = AgencyId.parse("UZ/GOV/interior/civil")
TOPIC = "gov.interior.civil.moved.v1"


def channel(partitions=3, largest=1_000_000, sequences=None):
    """A channel of one topic, as `open` makes it."""
    registered = RegisteredSchema(7, Schema.parse(SCHEMA))
    return Channel(AGENCY, TOPIC, registered, partitions, largest, sequences or {})


def put(channel, n=1, key="k", **more):
    """The next record of a channel."""
    values = {"subject": None, "time": NOON, "traceparent": None, **more}
    return channel.event({"n": n}, key, values["subject"], values["time"], values["traceparent"])


def test_ids_are_uuidv7_of_their_moment_and_differ():
    """Every id is a version 7 UUID that carries the moment's milliseconds; a thousand of one moment differ."""
    ids = EventIds()
    made = [ids.next(NOON) for _ in range(1_000)]
    assert len(set(made)) == 1_000
    for text in made:
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert parsed.int >> 80 == int(NOON.timestamp() * 1000)


@given(st.binary(min_size=10, max_size=10), st.integers(0, 2**41))
def test_any_randomness_makes_valid_ids(entropy, millis):
    """Whatever the random bytes, version and variant are where RFC 9562 has them."""
    ids = EventIds(lambda size: (entropy * size)[:size])
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
    parsed = uuid.UUID(ids.next(moment))
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == millis


def test_ids_take_new_randomness_when_the_pool_is_used_up():
    """Randomness is fetched again and again, never used twice."""
    asked = []

    def entropy(size):
        asked.append(size)
        return bytes([len(asked)]) * size

    ids = EventIds(entropy)
    first, *_, last = [ids.next(NOON) for _ in range(1_025)]
    assert len(asked) == 3
    assert first != last


def test_the_headers_are_those_of_the_spec_in_order():
    """Content type, CloudEvents attributes, data schema and sequence, then subject and trace; the seal is to come."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    record = unsealed(put(channel(), subject="pseudonym", traceparent=trace))
    assert [name for name, _ in record.headers] == [
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_dataschema",
        "ce_sequence",
        "ce_subject",
        "traceparent",
        "exchange-seal",
    ]
    headers = dict(record.headers)
    assert headers["ce_source"] == b"/UZ/GOV/interior/civil"
    assert headers["ce_type"] == b"gov.interior.civil.moved"
    assert headers["ce_time"] == b"2026-11-22T12:00:00.000000Z"
    assert headers["ce_dataschema"].decode() == Schema.parse(SCHEMA).uri


def test_the_value_is_framed_with_the_schemas_number():
    """The framing names the registered schema, and the rest is its Avro."""
    schema_id, payload = unframe(unsealed(put(channel(), n=5)).value)
    assert schema_id == 7
    assert Schema.parse(SCHEMA).decode(payload) == {"n": 5, "text": None}


def test_sequences_continue_where_they_were_committed_partition_by_partition():
    """Each partition counts for itself, from where the position says."""
    lane = channel(sequences={0: 10, 2: 30})
    partition = partition_of(b"k", 3)
    start = {0: 10, 1: 0, 2: 30}[partition]
    numbers = [put(lane).sequence for _ in range(3)]
    assert numbers == [start, start + 1, start + 2]


@given(st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=12)), max_size=60))
def test_numbers_are_contiguous_whatever_the_keys(keys):
    """For any keys, each partition's sequences are 0, 1, 2 and so on, and a key stays in its partition."""
    lane = channel()
    records = [put(lane, key=key) for key in keys]
    for partition in range(3):
        mine = [each.sequence for each in records if each.partition == partition]
        assert mine == list(range(len(mine)))
    for key, record in zip(keys, records, strict=True):
        if key is not None:
            assert (unsealed(record).key, record.partition) == (key.encode(), partition_of(key.encode(), 3))


@pytest.mark.parametrize(
    ("data", "key", "more", "error"),
    [
        ({"n": "x"}, "k", {}, ValueInvalid),
        ({}, "k", {}, ValueInvalid),
        ({"n": 1, "unknown": 2}, "k", {}, ValueInvalid),
        (None, None, {}, ValueInvalid),
        ({"n": 1}, "\udc80", {}, ValueInvalid),
        ({"n": 1}, "k", {"subject": "\udc80"}, ValueInvalid),
        ({"n": 1}, "k", {"traceparent": "00-short-01"}, ValueInvalid),
        ({"n": 1}, "k", {"traceparent": "00-" + "A" * 32 + "-" + "b" * 16 + "-01"}, ValueInvalid),
        ({"n": 1, "text": "x" * 10_000}, "k", {}, RecordTooLarge),
        ({"n": 1}, "k" * 10_000, {}, RecordTooLarge),
        ({"n": 1}, "k", {"subject": "x" * 10_000}, RecordTooLarge),
    ],
)
def test_a_refused_event_takes_no_number(data, key, more, error):
    """An event that is refused leaves the sequences as they were."""
    lane = channel(largest=8_000)
    before = list(lane.sequences)
    values = {"subject": None, "time": NOON, "traceparent": None, **more}
    with pytest.raises(error):
        lane.event(data, key, values["subject"], values["time"], values["traceparent"])
    assert lane.sequences == before


def test_a_size_within_the_limit_is_taken():
    """What fits, with room for its seal, is taken to the last byte; one more is refused."""
    lane = channel(largest=8_000)
    low, high = 0, 8_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            lane.event({"n": 1, "text": "x" * middle}, "k", None, NOON, None)
            low = middle
        except RecordTooLarge:
            high = middle
    assert 5_500 < low < 7_000


def test_rolled_back_numbers_are_given_again():
    """After a roll back the same numbers are given to what follows; after a commit they are not."""
    lane = channel(partitions=1)
    put(lane), put(lane)
    lane.roll_back()
    assert put(lane).sequence == 0
    assert lane.settle() == 1
    put(lane)
    lane.roll_back()
    assert put(lane).sequence == 1
    assert lane.settle() == 1


def test_a_tombstone_has_no_value_and_keeps_its_schema():
    """A tombstone names its key and its contract, and has no value."""
    record = unsealed(channel().event(None, "gone", None, NOON, None))
    assert (record.key, record.value) == (b"gone", None)
    assert dict(record.headers)["ce_dataschema"].startswith(b"ni:///sha-256;")
