"""Opening (spec 3): each step refuses with its own error, in order, and what is right comes out whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.avro import frame
from exchange.clock import to_unix_millis
from exchange.envelope import SEAL_HEADER, KafkaRecord, Opener, encode_seal, parse_seal, schema_id_of
from exchange.errors import (
    DirectoryExpired,
    InclusionInvalid,
    KeyNotValid,
    OriginMismatch,
    PublisherNotAllowed,
    SchemaMismatch,
    SealMalformed,
    SealSignatureInvalid,
    StatementMalformed,
)
from exchange.ids import uuid7

from .world import (
    CUSTOMS,
    CUSTOMS_KEY,
    DATA,
    EVENT_TIME,
    FUTURE_KEY,
    INTERIOR_KEY,
    INTERIOR_TOPIC,
    NOW,
    OTHER_SCHEMA,
    OTHER_TOPIC,
    PLAIN_SCHEMA,
    RESIDENCES,
    RETIRED_KEY,
    SCHEMA,
    SCHEMA_ID,
    STRANGER,
    TOPIC,
    UNLISTED,
    Draft,
    MovableClock,
    Schemas,
    directory,
    opener,
    seal,
    seal_of,
    seal_one,
    with_seal,
)

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def reseal(record: KafkaRecord, change: Callable[[int, bytes, bytes], tuple[int, bytes, bytes]]) -> KafkaRecord:
    """The record with its seal's parts (index, path, statement) changed."""
    return with_seal(record, encode_seal(*change(*parse_seal(seal_of(record)))))


def flip(raw: bytes, at: int) -> bytes:
    """The bytes with one bit turned over."""
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] if at >= 0 else flip(raw, len(raw) + at)


def test_a_sealed_event_comes_out_whole():
    """Every field of a verified event is what its publisher wrote."""
    event = opener().open(seal_one(Draft(sequence=42, traceparent=TRACEPARENT)))
    assert (event.topic, event.partition, event.offset, event.key) == (TOPIC, 0, 1, "0101")
    assert event.id == uuid7(to_unix_millis(NOW), (42).to_bytes(10, "big"))
    assert (event.agency, event.type, event.time) == (CUSTOMS, "gov.customs.tariff.code-listed", EVENT_TIME)
    assert (event.data, event.subject, event.traceparent) == (DATA, None, TRACEPARENT)
    assert (event.publisher, event.epoch, event.sequence) == ("UZ/GOV/customs/tariff/hs-nomenclature", 3, 42)


def test_a_subject_comes_out_with_its_event():
    """A personal-data event carries its pseudonym as the subject, with and without a trace."""
    options = {"publisher": RESIDENCES, "key": INTERIOR_KEY}
    plain = seal_one(Draft(topic=INTERIOR_TOPIC, subject="abc"), **options)
    traced = seal_one(Draft(topic=INTERIOR_TOPIC, subject="abc", traceparent=TRACEPARENT), **options)
    reader = opener()
    assert reader.open(plain).subject == reader.open(traced).subject == "abc"
    assert (reader.open(plain).traceparent, reader.open(traced).traceparent) == (None, TRACEPARENT)


def test_a_tombstone_opens_with_no_data():
    """A null value is an event without data, sealed like any other."""
    event = opener().open(seal_one(Draft(value=None)))
    assert event.data is None
    assert event.key == "0101"


def test_a_null_key_opens_as_none():
    """A record without a key has an event without one."""
    assert opener().open(seal_one(Draft(key=None))).key is None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33, 300])
def test_every_record_of_a_flush_opens_in_any_order(size):
    """Each record's proof stands alone, whatever was opened before it, also when it is read again."""
    records = seal([Draft(sequence=number) for number in range(size)])
    for order in (records, records[::-1], records[1::2] + records[::2], records[::3] * 2):
        reader = opener()
        assert [reader.open(record).sequence for record in order] == [record.offset for record in order]


# step 1 ---------------------------------------------------------------------------------------------------------


def without_seal(record: KafkaRecord) -> KafkaRecord:
    """The record as an outsider would write it."""
    return replace(record, headers=record.headers[:-1])


STEP_1 = {
    "no headers": lambda record: replace(record, headers=()),
    "no seal": without_seal,
    "seal not last": lambda record: replace(record, headers=(record.headers[-1], *record.headers[:-1])),
    "seal twice": lambda record: replace(record, headers=(*record.headers, record.headers[-1])),
    "seal null": lambda record: with_seal(record, None),
    "seal empty": lambda record: with_seal(record, b""),
    "version 2": lambda record: with_seal(record, b"\x02" + seal_of(record)[1:]),
    "byte trails": lambda record: with_seal(record, seal_of(record) + b"\x00"),
    "byte missing": lambda record: with_seal(record, seal_of(record)[:-1]),
    "path count wrong": lambda record: with_seal(record, seal_of(record)[:5] + b"\xff" + seal_of(record)[6:]),
    "header null": lambda record: replace(record, headers=(("x", None), *record.headers)),
    "name not encodable": lambda record: replace(record, headers=(("\ud800", b""), *record.headers)),
    "value over 16 MiB": lambda record: replace(record, value=bytes(16 * 1024 * 1024 + 1)),
    "key over 16 MiB": lambda record: replace(record, key=bytes(16 * 1024 * 1024 + 1)),
    "headers over 16 MiB": lambda record: replace(record, headers=(("x", bytes(1 << 24)), *record.headers)),
    "too many headers": lambda record: replace(record, headers=(("x", b""),) * 70_000 + record.headers),
}


@pytest.mark.parametrize("damage", STEP_1.values(), ids=STEP_1.keys())
def test_step_1_refuses_what_is_no_seal(damage):
    """A seal that is missing, misplaced, cut, trailed or null is malformed, and so is a record none could cover."""
    with pytest.raises(SealMalformed):
        opener().open(damage(seal_one()))


# step 2 is in test_statement.py, with every way to bend a statement ----------------------------------------------


def test_step_2_refuses_a_statement_that_does_not_parse():
    """A seal around anything but a statement is refused as such."""
    with pytest.raises(StatementMalformed):
        opener().open(reseal(seal_one(), lambda index, path, _: (index, path, b"hello\n")))


# step 3 ---------------------------------------------------------------------------------------------------------

STEP_3 = {
    "another agency": Draft().with_header("ce_source", b"/UZ/GOV/interior/civil"),
    "no slash": Draft().with_header("ce_source", b"UZ/GOV/customs/tariff"),
    "the publisher": Draft().with_header("ce_source", b"/UZ/GOV/customs/tariff/hs-nomenclature"),
    "none": Draft().without_header("ce_source"),
    "twice": Draft(headers=(*Draft().unsealed(CUSTOMS).headers, ("ce_source", b"/UZ/GOV/customs/tariff"))),
}


@pytest.mark.parametrize("draft", STEP_3.values(), ids=STEP_3.keys())
def test_step_3_refuses_another_origin(draft):
    """The agency that sealed is the agency that `ce_source` names, once."""
    with pytest.raises(OriginMismatch):
        opener().open(seal_one(draft))


def test_step_3_refuses_a_foreign_record_under_the_own_seal():
    """An agency cannot seal a record that says it is another's."""
    with pytest.raises(OriginMismatch):
        opener().open(seal_one(Draft(headers=tuple(Draft().unsealed(CUSTOMS).headers)), publisher=RESIDENCES))


# step 4 ---------------------------------------------------------------------------------------------------------


def test_step_4_refuses_an_agency_the_directory_does_not_know():
    """Whoever is not in the directory is refused, before their key is looked for."""
    with pytest.raises(PublisherNotAllowed, match="not in the directory"):
        opener().open(seal_one(publisher=STRANGER))


def test_step_4_refuses_a_suspended_agency():
    """A suspended agency's records are refused, however good their seal."""
    with pytest.raises(PublisherNotAllowed, match="suspended"):
        opener(directory=directory(suspended=True)).open(seal_one())


@pytest.mark.parametrize("topic", [INTERIOR_TOPIC, "gov.customs.tariff.unknown.v1", "x", "_exchange"])
def test_step_4_refuses_a_topic_that_is_not_the_publishers(topic):
    """A publisher writes to its own topics and to no other."""
    with pytest.raises(PublisherNotAllowed):
        opener().open(seal_one(Draft(topic=topic)))


def test_step_4_refuses_a_publisher_that_is_not_listed():
    """The topic's owner has other publishers: only those the directory lists write to it."""
    with pytest.raises(PublisherNotAllowed, match="night-shift"):
        opener().open(seal_one(publisher=UNLISTED))


def test_step_4_holds_for_each_topic_of_one_flush():
    """A statement that verified for one topic opens nothing on a topic that is not its publisher's."""
    first, second, third = seal([Draft(), Draft(topic=OTHER_TOPIC), Draft(topic=INTERIOR_TOPIC)])
    reader = opener()
    assert reader.open(first).type == "gov.customs.tariff.code-listed"
    assert reader.open(second).type == "gov.customs.tariff.code-withdrawn"
    with pytest.raises(PublisherNotAllowed):
        reader.open(third)


# step 5 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [RETIRED_KEY, FUTURE_KEY, INTERIOR_KEY], ids=["retired", "future", "foreign"])
def test_step_5_refuses_a_key_that_was_not_valid(key):
    """Only a key that the directory has for the agency at the statement's time counts."""
    with pytest.raises(KeyNotValid, match="had no key"):
        opener().open(seal_one(key=key))


@pytest.mark.parametrize("sign", [1, -1])
def test_step_5_refuses_a_statement_far_from_the_brokers_time(sign):
    """Ten minutes between the statement and the broker are allowed, a millisecond more is not, either way."""
    reader = opener()
    edge = timedelta(minutes=10) * sign
    assert reader.open(seal_one(timestamp=NOW + edge)).sequence == 0
    for fresh in (reader, opener()):
        with pytest.raises(KeyNotValid, match="600001 ms"):
            fresh.open(seal_one(timestamp=NOW + edge + timedelta(milliseconds=sign)))


def test_step_5_judges_a_key_by_the_statements_time_not_by_today():
    """A record of last year, sealed with the key of then, still opens."""
    record = seal_one(key=RETIRED_KEY, time=NOW.replace(year=2025))
    assert opener().open(record).data == DATA


# step 6 ---------------------------------------------------------------------------------------------------------


def forge(record: KafkaRecord) -> KafkaRecord:
    """The record under a statement with another root, under the old signature."""
    other = parse_seal(seal_of(seal_one(flush=4218)))[2]
    return reseal(record, lambda index, path, old: (index, path, other.rpartition(b"\n\n")[0] + b"\n\n" + tail(old)))


def tail(statement: bytes) -> bytes:
    """The signature line."""
    return statement.rpartition(b"\n\n")[2]


def test_step_6_refuses_a_signature_that_is_not_the_keys():
    """A statement under another statement's signature does not verify."""
    with pytest.raises(SealSignatureInvalid):
        opener().open(forge(seal_one()))


def test_step_6_leaves_nothing_behind():
    """A statement that failed once fails again, and the good one still opens."""
    reader, good = opener(), seal_one()
    for _ in range(2):
        with pytest.raises(SealSignatureInvalid):
            reader.open(forge(good))
        assert reader.open(good).data == DATA


# step 7 ---------------------------------------------------------------------------------------------------------


def swapped(record: KafkaRecord) -> KafkaRecord:
    """The record with two headers in the other order."""
    first, second, *rest = record.headers
    return replace(record, headers=(second, first, *rest))


STEP_7 = {
    "value": lambda record: replace(record, value=flip(record.value, -1)),
    "value gone": lambda record: replace(record, value=None),
    "value empty": lambda record: replace(record, value=b""),
    "key": lambda record: replace(record, key=b"0102"),
    "key gone": lambda record: replace(record, key=None),
    "topic": lambda record: replace(record, topic=OTHER_TOPIC),
    "header value": lambda record: replace(record, headers=(("content-type", b"text/plain"), *record.headers[1:])),
    "header added": lambda record: replace(record, headers=(("x", b""), *record.headers)),
    "header removed": lambda record: replace(record, headers=record.headers[1:]),
    "header order": swapped,
    "index": lambda record: reseal(record, lambda index, path, text: (0, path, text)),
    "index outside": lambda record: reseal(record, lambda index, path, text: (3, path, text)),
    "index huge": lambda record: reseal(record, lambda index, path, text: (2**32 - 1, path, text)),
    "sibling": lambda record: reseal(record, lambda index, path, text: (index, flip(path, 3), text)),
    "last sibling": lambda record: reseal(record, lambda index, path, text: (index, flip(path, -1), text)),
    "path short": lambda record: reseal(record, lambda index, path, text: (index, path[:-32], text)),
    "path long": lambda record: reseal(record, lambda index, path, text: (index, path + bytes(32), text)),
    "path gone": lambda record: reseal(record, lambda index, path, text: (index, b"", text)),
}


@pytest.mark.parametrize("damage", STEP_7.values(), ids=STEP_7.keys())
@pytest.mark.parametrize("before", [(), (0,), (1,), (0, 2), (2, 0, 1)], ids=str)
def test_step_7_refuses_whatever_changed_after_sealing(damage, before):
    """A changed byte, header, order, topic or path is refused, whatever of the flush was opened before."""
    records = seal([Draft(sequence=90), Draft(), Draft(sequence=91)])
    reader = opener()
    for index in before:
        reader.open(records[index])
    with pytest.raises(InclusionInvalid):
        reader.open(damage(records[1]))
    assert [reader.open(record).offset for record in records] == [0, 1, 2]


def test_step_7_refuses_a_record_under_its_neighbours_seal():
    """A seal is good for one record of the flush."""
    first, second = seal([Draft(sequence=1), Draft(sequence=2)])
    with pytest.raises(InclusionInvalid):
        opener().open(with_seal(first, seal_of(second)))


# step 8 ---------------------------------------------------------------------------------------------------------

PAYLOAD = SCHEMA.encode(DATA)
STEP_8 = {
    "unknown schema": Draft(value=frame(4711, PAYLOAD)),
    "another schema": Draft(value=frame(8, OTHER_SCHEMA.encode({"n": 1}))),
    "another ce_dataschema": Draft().with_header("ce_dataschema", OTHER_SCHEMA.uri.encode()),
    "no framing": Draft(value=b"\x01" + frame(SCHEMA_ID, PAYLOAD)[1:]),
    "value empty": Draft(value=b""),
    "framing cut": Draft(value=b"\x00\x00\x00\x00"),
    "id negative": Draft(value=b"\x00\xff\xff\xff\xff" + PAYLOAD),
    "payload cut": Draft(value=frame(SCHEMA_ID, PAYLOAD[:-1])),
    "payload trailed": Draft(value=frame(SCHEMA_ID, PAYLOAD + b"\x00")),
    "payload random": Draft(value=frame(SCHEMA_ID, b"\xff" * 40)),
    "no record": Draft(value=frame(9, PLAIN_SCHEMA.encode("x"))).with_header(
        "ce_dataschema", PLAIN_SCHEMA.uri.encode()
    ),
    "content type": Draft().with_header("content-type", b"application/json"),
    "specversion": Draft().with_header("ce_specversion", b"0.3"),
    "type": Draft().with_header("ce_type", b"gov.customs.tariff.code-withdrawn"),
    "id not v7": Draft().with_header("ce_id", b"0198a5a0-0000-4000-8000-000000000000"),
    "id variant": Draft().with_header("ce_id", b"0198a5a0-0000-7000-c000-000000000000"),
    "id upper case": Draft().with_header("ce_id", b"0198A5A0-0000-7000-8000-000000000000"),
    "id short": Draft().with_header("ce_id", b"1"),
    "time in seconds": Draft().with_header("ce_time", b"2026-11-22T10:00:00Z"),
    "time with offset": Draft().with_header("ce_time", b"2026-11-22T10:00:00.000000+05:00"),
    "time of no day": Draft().with_header("ce_time", b"2026-02-30T10:00:00.000000Z"),
    "time of hour 24": Draft().with_header("ce_time", b"2026-02-20T24:00:00.000000Z"),
    "sequence short": Draft().with_header("ce_sequence", b"1"),
    "sequence signed": Draft().with_header("ce_sequence", b"-0000000000000000001"),
    "sequence not ASCII": Draft().with_header("ce_sequence", "٠".encode() * 10),
    "traceparent": Draft().with_header("traceparent", b"00-1-2-3"),
    "subject": Draft().with_header("ce_subject", b"\xff"),
    "key": Draft(key=b"\xff"),
    "header unknown": Draft().with_header("x-extra", b""),
    "header missing": Draft().without_header("ce_id"),
}


@pytest.mark.parametrize("draft", STEP_8.values(), ids=STEP_8.keys())
def test_step_8_refuses_content_that_is_not_what_it_says(draft):
    """What an agency sealed is refused all the same where schema, value or headers are not an event's."""
    with pytest.raises(SchemaMismatch):
        opener().open(seal_one(draft))


def test_step_8_tells_an_unknown_schema_apart():
    """A schema id that is not known here has its own code, so that a reader can tell what to do."""
    with pytest.raises(SchemaMismatch) as caught:
        opener(schemas=Schemas({})).open(seal_one())
    assert caught.value.code == "schema_unknown"


def test_a_reader_learns_which_schema_to_fetch():
    """The schema id is read off the framing before anything is verified; where there is none, opening will say why."""
    assert schema_id_of(seal_one().value) == SCHEMA_ID
    assert schema_id_of(None) is None
    assert schema_id_of(b"\x00\x01") is None


def test_many_schemas_do_not_pile_up():
    """A topic may go through any number of schemas: opening goes on, and what is known stays bounded."""
    schemas = Schemas(dict.fromkeys(range(5000), SCHEMA))
    reader = opener(schemas=schemas)
    records = seal([Draft(value=frame(number % 4500, PAYLOAD)) for number in range(0, 4800, 3)])
    records += seal([Draft(value=frame(number, PAYLOAD)) for number in range(1, 4500, 3)])
    records += seal([Draft(value=frame(number, PAYLOAD)) for number in range(2, 4500, 3)])
    assert all(reader.open(record).data == DATA for record in records)


# the directory and the cache ------------------------------------------------------------------------------------


def test_past_its_expiry_the_directory_opens_nothing():
    """Once the directory is past its expiry everything is denied, also what was verified a moment ago."""
    clock = MovableClock()
    reader = opener(clock=clock)
    assert reader.open(seal_one()).data == DATA
    clock.moment = NOW + timedelta(days=1)
    with pytest.raises(DirectoryExpired):
        reader.open(seal_one())
    with pytest.raises(DirectoryExpired):
        reader.open_internal(seal_one())


def test_a_new_directory_counts_at_once():
    """A suspension refuses the very next record, of a flush that was already verified."""
    current = [directory()]
    reader = Opener(lambda: current[0], Schemas(), clock=MovableClock())
    first, second = seal([Draft(sequence=1), Draft(sequence=2)])
    assert reader.open(first).sequence == 1
    current[0] = directory(suspended=True)
    with pytest.raises(PublisherNotAllowed):
        reader.open(second)


def test_a_small_cache_forgets_and_verifies_again():
    """With room for two statements, records of five flushes open in any order."""
    flushes = [seal([Draft(sequence=number), Draft(sequence=number + 1)], flush=number) for number in range(5)]
    reader = opener(max_cached=2)
    for record in [*flushes[0], *flushes[1], *flushes[2], *flushes[0], flushes[4][0], flushes[1][1], flushes[3][0]]:
        assert reader.open(record).data == DATA


def test_the_systems_clock_is_the_default():
    """Without a clock of its own an opener takes the machine's: a directory long expired opens nothing."""
    expired = directory(expires="2020-01-01T00:00:00Z")
    with pytest.raises(DirectoryExpired):
        Opener(lambda: expired, Schemas()).open(seal_one())


# our own sealed records -----------------------------------------------------------------------------------------


def document(topic: str) -> Draft:
    """A sealed record that is no Avro event."""
    return Draft(topic=topic, key=b"UZ/GOV/customs/tariff/hs-nomenclature", value=b'{"a":1}').without_header("ce_id")


def test_an_internal_record_opens_by_its_seal_alone():
    """Any active agency's sealed record on one of our own topics comes out as it was written."""
    opened = opener().open_internal(seal_one(document("_exchange.positions")))
    assert (opened.publisher, opened.agency) == ("UZ/GOV/customs/tariff/hs-nomenclature", CUSTOMS)
    assert (opened.epoch, opened.flush, opened.time) == (3, 4217, NOW)
    assert (opened.key, opened.value) == (b"UZ/GOV/customs/tariff/hs-nomenclature", b'{"a":1}')


def test_an_internal_topic_takes_publishers_that_no_topic_lists():
    """On our own topics it is the agency that counts, not a list of publishers; the seal is checked as ever."""
    reader = opener()
    assert reader.open_internal(seal_one(document("_exchange.positions"), publisher=UNLISTED)).value == b'{"a":1}'
    with pytest.raises(PublisherNotAllowed):
        opener(directory=directory(suspended=True)).open_internal(seal_one(document("_exchange.positions")))
    with pytest.raises(InclusionInvalid):
        reader.open_internal(replace(seal_one(document("_exchange.positions")), value=b'{"a":2}'))
    with pytest.raises(SealMalformed):
        reader.open_internal(without_seal(seal_one(document("_exchange.positions"))))


@pytest.mark.parametrize("topic", CUSTOMS.own_topics)
def test_an_agencys_own_topics_take_that_agency_alone(topic):
    """Every publisher of the agency may write to its dead letters, redeliveries and retries, and no other agency."""
    letter = Draft(topic=topic, value=b"whatever it was")
    reader = opener()
    assert reader.open_internal(seal_one(letter, publisher=UNLISTED)).value == b"whatever it was"
    with pytest.raises(PublisherNotAllowed):
        reader.open_internal(seal_one(letter, publisher=RESIDENCES, key=INTERIOR_KEY))


@pytest.mark.parametrize("topic", ["_exchange.positions", "gov.customs.tariff.dead-letters"])
def test_a_record_of_no_event_topic_is_no_event(topic):
    """What is on our own topics never comes out as an event, even in an event's form."""
    record = seal_one(Draft(topic=topic))
    reader = opener()
    assert reader.open_internal(record).value == record.value
    with pytest.raises(SchemaMismatch):
        reader.open(record)


def test_two_seals_are_refused_on_internal_topics_too():
    """The seal occurs once: a second one, even a sealed one, is refused."""
    draft = document("_exchange.positions").with_header(SEAL_HEADER, b"x")
    with pytest.raises(SealMalformed):
        opener().open_internal(seal_one(draft))


def test_the_first_step_that_does_not_hold_is_the_one_named():
    """A record wrong in many ways is refused for the first of them in the order of the spec."""
    bad = seal_one(Draft(topic=INTERIOR_TOPIC, value=b"x"), key=INTERIOR_KEY, timestamp=NOW + timedelta(days=1))
    with pytest.raises(PublisherNotAllowed):
        opener().open(bad)
    with pytest.raises(KeyNotValid):
        opener().open(seal_one(Draft(value=b"x"), key=CUSTOMS_KEY, timestamp=NOW + timedelta(days=1)))
