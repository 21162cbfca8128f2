"""The short way of opening: a record after one like it has the outcome it would have on its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.avro import frame
from exchange.envelope import KafkaRecord, Opener
from exchange.errors import DirectoryExpired, ExchangeError, PublisherNotAllowed

from .world import (
    CUSTOMS,
    DATA,
    INTERIOR_KEY,
    INTERIOR_TOPIC,
    NOW,
    OTHER_SCHEMA,
    OTHER_TOPIC,
    RESIDENCES,
    SCHEMA,
    SCHEMA_ID,
    TARIFF,
    Draft,
    MovableClock,
    Schemas,
    directory,
    opener,
    seal,
    seal_of,
    with_seal,
)

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FLUSH = seal([Draft(sequence=number) for number in range(5)])
NAMES = [name for name, _ in FLUSH[0].headers]


def outcome(reader: Opener, record: KafkaRecord):
    """The event, or the error's class, code and words."""
    try:
        return reader.open(record)
    except ExchangeError as error:
        return type(error), error.code, error.message


def assert_same(records: list[KafkaRecord]) -> None:
    """Each record's outcome after the others is its outcome alone."""
    reader = opener()
    assert [outcome(reader, each) for each in records] == [outcome(opener(), each) for each in records]


def with_value(record: KafkaRecord, at: int, value: bytes | None) -> KafkaRecord:
    headers = list(record.headers)
    headers[at] = (headers[at][0], value)
    return replace(record, headers=tuple(headers))


BENT = {
    **{f"{name} of another length": lambda at=at: with_value(FLUSH[1], at, b"x") for at, name in enumerate(NAMES)},
    **{f"{name} is null": lambda at=at: with_value(FLUSH[1], at, None) for at, name in enumerate(NAMES)},
    **{
        f"{name} renamed": lambda at=at, name=name: replace(
            FLUSH[1], headers=tuple((f"{n}x" if n == name else n, v) for n, v in FLUSH[1].headers)
        )
        for at, name in enumerate(NAMES)
    },
    **{f"{NAMES[at]} of the next": lambda at=at: with_value(FLUSH[1], at, FLUSH[2].headers[at][1]) for at in (2, 7, 8)},
    "no headers": lambda: replace(FLUSH[1], headers=()),
    "a header more": lambda: replace(FLUSH[1], headers=(("x", b"y"), *FLUSH[1].headers)),
    "a header less": lambda: replace(FLUSH[1], headers=FLUSH[1].headers[1:]),
    "headers in another order": lambda: replace(FLUSH[1], headers=(*FLUSH[1].headers[7::-1], FLUSH[1].headers[8])),
    "another key": lambda: replace(FLUSH[1], key=b"0102"),
    "no key": lambda: replace(FLUSH[1], key=None),
    "an empty key": lambda: replace(FLUSH[1], key=b""),
    "another value": lambda: replace(FLUSH[1], value=FLUSH[1].value + b"x"),
    "no value": lambda: replace(FLUSH[1], value=None),
    "a value larger than any": lambda: replace(FLUSH[1], value=bytes(16 * 1024 * 1024)),
    "another topic": lambda: replace(FLUSH[1], topic=OTHER_TOPIC),
    "a topic of another": lambda: replace(FLUSH[1], topic=INTERIOR_TOPIC),
    "an older timestamp": lambda: replace(FLUSH[1], timestamp=FLUSH[1].timestamp - 600_001),
    "a newer timestamp": lambda: replace(FLUSH[1], timestamp=FLUSH[1].timestamp + 600_001),
    "a seal cut off": lambda: with_seal(FLUSH[1], seal_of(FLUSH[1])[:40]),
    "the statement alone": lambda: with_seal(FLUSH[1], seal_of(FLUSH[1])[6 + 3 * 32 :]),
    "a hash more in the path": lambda: with_seal(FLUSH[1], seal_of(FLUSH[1])[:6] + bytes(32) + seal_of(FLUSH[1])[6:]),
    "a seal of another version": lambda: with_seal(FLUSH[1], b"\x02" + seal_of(FLUSH[1])[1:]),
}
"""A record of the flush, and what an outsider may do to it."""


@pytest.mark.parametrize("bent", BENT.values(), ids=BENT.keys())
def test_a_bent_record_is_refused_in_the_middle_of_its_flush_as_it_is_alone(bent):
    """Between good records a bad one has the error it has alone, and the good ones open."""
    record = bent()
    assert_same([FLUSH[0], record, FLUSH[2], record, FLUSH[3]])
    assert isinstance(outcome(opener(), record), tuple)


SEALED = {
    "a key": Draft(key=b"0109"),
    "no key": Draft(key=None),
    "an empty key": Draft(key=b""),
    "a key that is no text": Draft(key=b"\xff"),
    "a tombstone": Draft(value=None),
    "no frame": Draft(value=b"x"),
    "an empty value": Draft(value=b""),
    "a value that ends too soon": Draft(value=frame(SCHEMA_ID, SCHEMA.encode(DATA)[:-1])),
    "a value with a byte more": Draft(value=frame(SCHEMA_ID, SCHEMA.encode(DATA) + b"x")),
    "a value of another schema": Draft(value=frame(8, OTHER_SCHEMA.encode({"n": 1}))),
    "a value of no known schema": Draft(value=frame(99, b"")),
    "a subject": Draft(subject="abc"),
    "a trace": Draft(traceparent=TRACEPARENT),
    "another topic": Draft(topic=OTHER_TOPIC),
    "an id that is none": Draft().with_header("ce_id", b"0" * 36),
    "an id cut off": Draft().with_header("ce_id", b"0"),
    "a time that is none": Draft().with_header("ce_time", b"2026-13-22T09:59:58.654321Z"),
    "a time at hour 24": Draft().with_header("ce_time", b"2026-11-22T24:00:00.000000Z"),
    "a time in milliseconds": Draft().with_header("ce_time", b"2026-11-22T09:59:58.654Z"),
    "a sequence that is none": Draft().with_header("ce_sequence", b"x" * 20),
    "another type": Draft().with_header("ce_type", b"gov.customs.tariff.other"),
    "another agency": Draft().with_header("ce_source", b"/UZ/GOV/interior/civil"),
    "another content type": Draft().with_header("content-type", b"application/json"),
    "another version": Draft().with_header("ce_specversion", b"1.1"),
    "another schema's name": Draft().with_header("ce_dataschema", OTHER_SCHEMA.uri.encode()),
}
"""What a publisher may seal, for better or worse."""


@pytest.mark.parametrize("draft", SEALED.values(), ids=SEALED.keys())
def test_whatever_is_sealed_opens_in_its_flush_as_it_does_alone(draft):
    """Well sealed records, events or not, come out among like and unlike as they come out alone."""
    others = [Draft(sequence=number) for number in range(3)]
    assert_same(seal([others[0], draft, others[1], draft, draft, others[2]]))


@given(at=st.integers(0, 1 << 20), bit=st.integers(0, 7))
def test_no_bit_of_a_seal_may_change_within_a_flush(at, bit):
    """A seal with any bit turned over has the error after its neighbour that it has alone."""
    sealed = bytearray(seal_of(FLUSH[1]))
    sealed[at % len(sealed)] ^= 1 << bit
    record = with_seal(FLUSH[1], bytes(sealed))
    assert_same([FLUSH[0], record, FLUSH[1]])
    assert isinstance(outcome(opener(), record), tuple)


@given(st.permutations(range(10)), st.permutations(range(10)))
def test_flushes_of_several_topics_and_publishers_open_in_any_order(one, two):
    """Records of several flushes, topics and agencies come out alike however they are mixed."""
    tariff = seal([Draft(sequence=n, topic=OTHER_TOPIC if n % 3 else Draft.topic) for n in range(10)], publisher=TARIFF)
    residences = seal(
        [Draft(sequence=n, topic=INTERIOR_TOPIC, subject="s" if n % 4 else None) for n in range(10)],
        publisher=RESIDENCES,
        key=INTERIOR_KEY,
    )
    mixed = [each for a, b in zip(one, two, strict=True) for each in (tariff[a], residences[b])]
    assert_same(mixed)


def test_an_unknown_schema_opens_once_it_is_known():
    """A record that lacked nothing but its schema opens among those like it as soon as the schema is there."""
    found = {}

    class Growing:
        def get(self, schema_id):
            return found.get(schema_id)

    reader = opener(schemas=Growing())
    assert outcome(reader, FLUSH[0])[1] == "schema_unknown"
    found[SCHEMA_ID] = Schemas().get(SCHEMA_ID)
    assert [reader.open(each).sequence for each in FLUSH] == [0, 1, 2, 3, 4]


def test_a_directory_that_suspends_an_agency_ends_its_flush_in_the_middle():
    """Under a new directory the next record is verified anew, like the one before it or not."""
    snapshots = [directory()]
    reader = Opener(lambda: snapshots[-1], Schemas(), clock=MovableClock())
    assert reader.open(FLUSH[0]).agency == CUSTOMS
    assert reader.open(FLUSH[1]).agency == CUSTOMS
    snapshots.append(directory(suspended=True))
    with pytest.raises(PublisherNotAllowed):
        reader.open(FLUSH[2])
    snapshots.append(directory())
    assert reader.open(FLUSH[2]).sequence == 2


def test_a_directory_that_expires_ends_a_flush_in_the_middle():
    """Once the directory has expired nothing opens, like the record before it or not."""
    clock = MovableClock(NOW)
    reader = opener(clock=clock, directory=directory(expires="2026-11-22T12:00:00Z"))
    assert reader.open(FLUSH[0]).sequence == 0
    clock.moment = NOW.replace(hour=13)
    with pytest.raises(DirectoryExpired):
        reader.open(FLUSH[1])


def test_a_record_of_a_flush_that_another_key_signed_does_not_pass():
    """A statement with the same words by another key is another statement."""
    other = seal([Draft(sequence=number) for number in range(5)], key=INTERIOR_KEY)
    assert isinstance(outcome(opener(), other[1]), tuple)
    assert_same([FLUSH[0], other[1], FLUSH[2]])
