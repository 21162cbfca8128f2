"""Letters as they are written and read: what is kept, what is cut, what is told, what is refused (spec 2)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.bus.letters.letter import (
    Case,
    Reason,
    Refusal,
    letter_of,
    lost_letter,
    mark_of,
    reason_of,
    refused_letter,
    rejected_letter,
)
from exchange.bus.letters.reading import MALFORMED, group_of, parse_letter, parse_mark
from exchange.envelope import KafkaRecord
from exchange.errors import DatabaseUnavailable, RecordRefused, SealMalformed, SequenceRefused
from exchange.ids import AgencyId, PublisherId

SOCIAL = AgencyId.parse("UZ/GOV/social/benefits")
WRITER = PublisherId(SOCIAL, "dead-letters-1")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TOPIC = "gov.interior.civil.residence-changed.v1"
WHY = Case(Reason("handler_failed", 0, "the handler raised ValueError"), "UZ/GOV/social/benefits/copy", 3)
RECORD = KafkaRecord(TOPIC, 2, 41, 1_700_000_000_123, b"k", b"\x00\x01", (("ce_id", b"x"), ("exchange-seal", b"s")))


def written(unsealed, offset=7, timestamp=1_800_000_000_000):
    """A letter as it comes back from its topic."""
    return KafkaRecord(
        unsealed.topic,
        unsealed.partition,
        offset,
        timestamp,
        unsealed.key,
        unsealed.value,
        (*unsealed.headers, ("exchange-seal", b"the agency's own")),
    )


def without(record, *names):
    """The record, some headers of the letter gone."""
    kept = tuple(each for each in record.headers if each[0].removeprefix("exchange-dlq-") not in names)
    return KafkaRecord(
        *(getattr(record, field) for field in KafkaRecord.__dataclass_fields__ if field != "headers"), kept
    )


HEADERS = st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=20)), max_size=8)


@given(st.none() | st.binary(max_size=40), st.none() | st.binary(max_size=40), HEADERS)
def test_a_record_comes_back_from_its_letter_as_it_was(key, value, headers):
    """Key, value, every header in order, place and broker's time are what they were, whatever they are."""
    record = KafkaRecord(TOPIC, 2, 41, 1_700_000_000_123, key, value, tuple(headers))
    letter = parse_letter(written(letter_of(WRITER, SOCIAL.dead_letter_topic, record, WHY, NOW)))
    assert letter.record == record
    assert (letter.topic, letter.partition, letter.offset) == (TOPIC, 2, 41)


def test_a_letter_says_why_for_whom_how_often_and_until_when():
    """Everything that the writer said is read back; the letter's number is its own offset."""
    case = Case(
        Reason("peer_unreachable", 0, "away"), "UZ/GOV/social/benefits/copy", 6, "insert", 1_900_000_000_000, "o/0/3"
    )
    letter = parse_letter(written(letter_of(WRITER, SOCIAL.retry_topics[0], RECORD, case, NOW)))
    assert (letter.number, letter.written) == (7, 1_800_000_000_000)
    assert (letter.code, letter.step, letter.message) == ("peer_unreachable", 0, "away")
    assert (letter.group, letter.attempts, letter.handler) == ("UZ/GOV/social/benefits/copy", 6, "insert")
    assert (letter.due, letter.origin, letter.cut, letter.details) == (1_900_000_000_000, "o/0/3", None, {})


def test_the_headers_of_a_letter_stand_in_the_order_of_the_specification():
    """The layout is a format: ours, then why, where and for whom, then the record's own."""
    case = Case(Reason("x", 7, "m"), "g", 1, "h", 5, "o")
    names = [name for name, _ in letter_of(WRITER, SOCIAL.redelivery_topic, RECORD, case, NOW).headers]
    ours = ["content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"]
    why = ["code", "step", "message", "topic", "partition", "offset", "timestamp"]
    says = [*why, "group", "attempts", "handler", "due", "origin"]
    kept = ["exchange-dlq-h-ce_id", "exchange-dlq-h-exchange-seal"]
    assert names == [*ours, *(f"exchange-dlq-{name}" for name in says), *kept]


def test_a_refusal_names_the_step_and_counts_the_attempts():
    """What did not verify says which step; a redelivery that is refused says which letter brought it."""
    first = parse_letter(written(refused_letter(WRITER, Refusal(RECORD, SequenceRefused("a replay")), "g", NOW)))
    assert (first.code, first.step, first.message, first.attempts) == ("sequence_refused", 9, "a replay", 1)
    assert first.origin is None
    brought = written(letter_of(WRITER, SOCIAL.redelivery_topic, RECORD, WHY, NOW), offset=12)
    refusal = Refusal(RECORD, SealMalformed("no seal"), brought, 4)
    again = parse_letter(written(refused_letter(WRITER, refusal, "g", NOW)))
    assert (refusal.offset, again.attempts, again.origin) == (12, 4, f"{SOCIAL.redelivery_topic}/0/12")


def test_a_record_too_large_or_of_too_many_headers_is_kept_by_its_digest():
    """What does not fit is told by size and SHA-256, and cannot be delivered again."""
    large = KafkaRecord(TOPIC, 0, 1, 2, b"k", bytes(7 * 1024 * 1024), ())
    many = KafkaRecord(TOPIC, 0, 1, 2, b"k", b"v", (("h", b""),) * 1_001)
    for record in (large, many):
        letter = parse_letter(written(letter_of(WRITER, SOCIAL.dead_letter_topic, record, WHY, NOW)))
        assert letter.record is None
        assert "SHA-256" in letter.cut
        assert (letter.topic, letter.partition, letter.offset) == (TOPIC, 0, 1)


def test_a_record_that_its_topic_no_longer_has_is_kept_by_its_place():
    """Reason, place and key are kept; there is nothing to deliver again."""
    unsealed = lost_letter(WRITER, SOCIAL.dead_letter_topic, (TOPIC, 1, 9), b"k", WHY, NOW)
    letter = parse_letter(written(unsealed))
    assert (unsealed.key, unsealed.value, letter.record) == (b"k", None, None)
    assert (letter.topic, letter.partition, letter.offset, letter.code) == (TOPIC, 1, 9, "handler_failed")


def test_a_row_that_never_became_an_event_is_a_letter_without_a_record():
    """Its table and cursor are details; no group waits for it."""
    unsealed = rejected_letter(WRITER, "value_invalid", "no such code", "7", {"table": "FUQARO", "cursor": "7"}, NOW)
    letter = parse_letter(written(unsealed))
    assert (letter.record, letter.group, letter.topic) == (None, None, None)
    assert letter.details == {"table": "FUQARO", "cursor": "7"}


def test_a_mark_is_no_letter_and_a_letter_no_mark():
    """A mark names its letter by number, what became of it, why, and by which key."""
    record = written(mark_of(WRITER, 5, "dropped", "a test record", "ab12", NOW))
    mark = parse_mark(record)
    assert (mark.number, mark.state, mark.message, mark.by) == (5, "dropped", "a test record", "ab12")
    assert mark.written == 1_800_000_000_000
    assert parse_mark(written(letter_of(WRITER, SOCIAL.dead_letter_topic, RECORD, WHY, NOW))) is None


class SecretError(Exception):
    """An exception of a library, whose text quotes what it was given."""


def test_what_other_exceptions_say_is_not_kept():
    """A library's message may quote a person's data: only the exception's class is told."""
    reason = reason_of(SecretError("duplicate key (pinfl)=(12345678901234)"))
    assert reason.code == "handler_failed"
    assert "SecretError" in reason.message
    assert "1234" not in reason.message
    assert reason_of(KeyError("12345678901234")).message == "the handler raised KeyError"


def test_what_our_own_errors_say_is_kept():
    """The exchange's errors hold nothing personal: code, step and message are told."""
    assert reason_of(DatabaseUnavailable("locked")) == Reason("database_unavailable", 0, "locked")
    assert reason_of(SequenceRefused("twice")).step == 9
    assert len(reason_of(DatabaseUnavailable("x" * 5_000)).message) == 1_000


@pytest.mark.parametrize("name", ["code", "step", "message", "attempts"])
def test_a_letter_without_a_part_is_refused_by_name(name):
    """What every letter says must be there."""
    letter = written(letter_of(WRITER, SOCIAL.dead_letter_topic, RECORD, WHY, NOW))
    with pytest.raises(RecordRefused, match=f"exchange-dlq-{name}") as refused:
        parse_letter(without(letter, name))
    assert refused.value.code == MALFORMED


@pytest.mark.parametrize("text", [b"", b"-1", b"1.5", b"\xd9\xa3", b"9" * 30, b"9223372036854775808", b"\xff"])
def test_a_number_that_is_none_is_refused(text):
    """Offsets and counts are whole numbers of ASCII digits that fit 63 bits; nothing else crashes the reader."""
    letter = written(letter_of(WRITER, SOCIAL.dead_letter_topic, RECORD, WHY, NOW))
    headers = tuple((n, text if n == "exchange-dlq-offset" else v) for n, v in letter.headers)
    with pytest.raises(RecordRefused, match="exchange-dlq-offset"):
        parse_letter(KafkaRecord(letter.topic, 0, 7, 1, letter.key, letter.value, headers))


@given(st.lists(st.tuples(st.text(max_size=12).map(lambda text: f"exchange-dlq-{text}"), st.binary(max_size=12))))
def test_whatever_the_headers_are_reading_ends_in_a_letter_or_in_a_refusal(headers):
    """Headers of any name and value never crash the reader."""
    record = KafkaRecord(SOCIAL.dead_letter_topic, 0, 1, 2, b"k", b"v", tuple(headers))
    for read in (parse_letter, parse_mark, group_of):
        with suppress(RecordRefused):
            read(record)


def test_the_group_of_a_letter_is_read_without_the_rest():
    """Other groups' letters are passed over by one header."""
    letter = written(letter_of(WRITER, SOCIAL.redelivery_topic, RECORD, WHY, NOW))
    assert group_of(letter) == "UZ/GOV/social/benefits/copy"
    assert group_of(RECORD) is None
