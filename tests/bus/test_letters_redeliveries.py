"""Letters as a group reads them: its own alone, sealed by its agency alone, and what they bring back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchange.bus import GroupRedeliveries, Redelivered
from exchange.bus.letters.letter import Case, Reason, letter_of
from exchange.bus.letters.outage import Outage
from exchange.bus.letters.policy import RetryPolicy
from exchange.envelope import KafkaRecord
from exchange.errors import InclusionInvalid, PublisherNotAllowed, RecordRefused
from exchange.ids import PublisherId
from tests.envelope.world import CUSTOMS, INTERIOR, INTERIOR_KEY, NOW, Draft, opener, seal_one

GROUP = f"{CUSTOMS}/copy"
ORIGINAL = KafkaRecord("gov.interior.civil.moved.v1", 2, 41, 17, b"k", b"v", (("exchange-seal", b"s"),))


def letter(record=ORIGINAL, *, topic=CUSTOMS.redelivery_topic, group=GROUP, agency=CUSTOMS, **settings):
    """A letter as it lies on its topic, sealed by its agency."""
    options = {"key": INTERIOR_KEY} if agency == INTERIOR else {}
    publisher = PublisherId(agency, "dlq")
    case = Case(Reason("x", 0, "m"), group, 3, **settings)
    unsealed = letter_of(publisher, topic, record, case, NOW)
    draft = Draft(topic=topic, key=unsealed.key, value=unsealed.value, headers=tuple(unsealed.headers))
    return seal_one(draft, publisher=publisher, **options)


def read(record, group=GROUP):
    """What a group of customs reads in it."""
    return GroupRedeliveries(CUSTOMS, group).read(record, opener())


def test_a_letter_brings_its_record_back_with_when_and_how_often():
    """The record at its own place, the attempts so far, when it is due, and the letter's own offset."""
    assert read(letter(due=99)) == Redelivered(ORIGINAL, 99, 3, "retry", 1)
    assert read(letter()).due_millis == 0


@pytest.mark.parametrize(
    ("topic", "origin", "word"),
    [
        (CUSTOMS.redelivery_topic, None, "retry"),
        (CUSTOMS.redelivery_topic, "gov.customs.tariff.dead-letters/0/4", "retry"),
        (CUSTOMS.redelivery_topic, "replay/november", "replay"),
        (CUSTOMS.retry_topics[1], "gov.customs.tariff.retries-10s/0/4", "retries-1m"),
    ],
)
def test_what_brings_a_record_back_is_told_in_a_word(topic, origin, word):
    """A person's retry, a replay, or the back-off topic."""
    assert read(letter(topic=topic, origin=origin)).origin == word


def test_a_group_reads_its_own_letters_alone():
    """Another group's letter, and what is none, is passed over, whoever sealed it."""
    assert read(letter(group=f"{CUSTOMS}/other")) is None
    assert read(replace(letter(), headers=())) is None


def test_a_letter_to_another_group_cannot_be_turned_into_ones_own():
    """The group is inside the seal."""
    other = letter(group=f"{CUSTOMS}/other")
    name = "exchange-dlq-group"
    turned = replace(other, headers=tuple((n, GROUP.encode() if n == name else v) for n, v in other.headers))
    with pytest.raises(InclusionInvalid):
        read(turned)


def test_another_agency_brings_nothing_back():
    """Nobody else may write to an agency's redeliveries, nor does a letter of one's own count on another's topic."""
    with pytest.raises(PublisherNotAllowed):
        read(letter(agency=INTERIOR))
    theirs = letter(agency=INTERIOR, topic=INTERIOR.redelivery_topic)
    with pytest.raises(RecordRefused) as refused:
        read(theirs)
    assert refused.value.code == "origin_mismatch"


def test_a_letter_without_its_record_brings_nothing_back():
    """What was kept by its digest cannot be delivered, and is refused rather than passed over."""
    with pytest.raises(RecordRefused) as refused:
        read(letter(replace(ORIGINAL, value=bytes(8 * 1024 * 1024))))
    assert refused.value.code == "letter_malformed"


def test_a_group_reads_redeliveries_and_retries():
    """The four topics that bring letters back, and not the dead letters."""
    assert set(GroupRedeliveries(CUSTOMS, GROUP).topics) == set(CUSTOMS.own_topics) - {CUSTOMS.dead_letter_topic}


def fail(outage, kind, *places):
    """Records that failed in one way."""
    for place in places:
        outage.note_failure(kind, "code", place)
    return outage.is_on


def test_an_outage_is_different_records_that_fail_the_same_way_in_a_row(sample):
    """One record that fails often, failures of several kinds, and a success in between are none."""
    policy = RetryPolicy(outage_after=3)
    assert not fail(Outage("one", policy), "a", 1, 1, 1, 1)
    mixed = Outage("mixed", policy)
    assert not fail(mixed, "a", 1, 2)
    assert not fail(mixed, "b", 3, 4)
    broken = Outage("broken", policy)
    fail(broken, "a", 1, 2)
    broken.note_success()
    assert not fail(broken, "a", 3, 4)
    assert fail(broken, "a", 5)
    assert sample("exchange_handler_paused", group="broken") == 1
    broken.note_success()
    assert not broken.is_on
    assert sample("exchange_handler_paused", group="broken") == 0


def test_pauses_grow_to_the_longest_and_begin_anew_with_each_outage():
    """Twice as long each time; the next outage starts with the first again."""
    outage = Outage("growing", RetryPolicy(outage_after=1, probe=1.0, longest_probe=5.0))
    for _ in range(2):
        fail(outage, "a", 1)
        assert [outage.next_pause() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
        outage.note_success()
    pauses = RetryPolicy(pause=0.1, longest_pause=0.3).pauses()
    assert [next(pauses) for _ in range(4)] == pytest.approx([0.1, 0.2, 0.3, 0.3])
