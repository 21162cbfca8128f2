"""What a walk over a whole topic adds up to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchange.cli.topic_ledger import SHOWN, Ledger
from exchange.cli.topic_progress import Progress
from exchange.cli.topic_walk import Range
from exchange.envelope import Event, KafkaRecord, Statement, parse_statement
from exchange.errors import InclusionInvalid, KeyNotValid, SealMalformed
from exchange.ids import PublisherId
from exchange.trust import SigningKey, key_id
from tests.fakes.instance import INTERIOR, RESIDENCE_TOPIC, FakeInstance
from tests.fakes.moving_clock import NOON
from tests.fakes.statements import sign_statement

PUBLISHER = PublisherId(INTERIOR, "residents")


@pytest.fixture
def instance():
    """An instance whose civil register publishes."""
    return FakeInstance(NOON)


@pytest.fixture
def ledger(instance):
    """Nothing was read yet."""
    return Ledger(RESIDENCE_TOPIC, instance.directory(), compacted=False)


def statement(key, flush=1, root=b"r" * 32, seconds=0) -> Statement:
    """A statement by a key of the civil register."""
    time = NOON + timedelta(seconds=seconds)
    return parse_statement(sign_statement(PUBLISHER, key, 10, root, epoch=1, flush=flush, time=time))


def event(sequence, *, partition=0, data=None, offset=None, mark=b"") -> Event:
    """An event of the civil register."""
    leaf = (mark or b"%d" % sequence).ljust(32)
    at = sequence if offset is None else offset
    return Event(
        RESIDENCE_TOPIC, partition, at, "k", "id", INTERIOR, "t", NOON, None, data, str(PUBLISHER), 1, sequence,
        None, leaf,
    )  # fmt: skip


def record(offset) -> KafkaRecord:
    """A record that is not looked into."""
    return KafkaRecord(RESIDENCE_TOPIC, 0, offset, 0, None, b"value", ())


def test_what_verifies_is_good(ledger, instance):
    """Records, tombstones, publishers by partition, seals and keys are counted."""
    key = instance.keys[INTERIOR]
    for number in range(10):
        ledger.take_event(event(number // 2, partition=number % 2, data={} if number else None), statement(key))
    report = ledger.report()
    assert ledger.is_good
    assert (report["records"], report["verified"], report["tombstones"], report["seals"]) == (10, 10, 1, 1)
    assert [(each["partition"], each["records"], each["first"], each["last"]) for each in report["publishers"]] == [
        (0, 5, 0, 4),
        (1, 5, 0, 4),
    ]
    (used,) = report["keys"]
    assert (used["keyid"], used["records"], used["seals"]) == (key_id(INTERIOR, key.public), 10, 1)
    assert report["problems"] == []


def test_each_key_has_its_own_row(ledger, instance):
    """After a rotation: which key sealed what, from when to when."""
    old, new = instance.keys[INTERIOR], SigningKey.generate()
    entry = {**instance.subsystem(instance.content, INTERIOR)["keys"][0], "public": new.public.text}
    directory = instance.edit(lambda content: instance.subsystem(content, INTERIOR)["keys"].append(entry))
    ledger = Ledger(RESIDENCE_TOPIC, directory, compacted=False)
    for number, (key, flush) in enumerate([(old, 1), (old, 1), (old, 2), (new, 3)]):
        ledger.take_event(event(number), statement(key, flush, seconds=flush))
    rows = {each["keyid"]: (each["records"], each["seals"], each["first"]) for each in ledger.report()["keys"]}
    assert rows == {
        key_id(INTERIOR, old.public): (3, 2, "2026-11-22T12:00:01.000Z"),
        key_id(INTERIOR, new.public): (1, 1, "2026-11-22T12:00:03.000Z"),
    }


def test_refused_records_are_counted_by_step(ledger):
    """Whatever the step, nothing is good any more; what no client decodes has no seal."""
    for offset, error in enumerate([KeyNotValid("old"), InclusionInvalid("moved"), KeyNotValid("old")]):
        ledger.take_refused(record(offset), error)
    ledger.take_unreadable(1, 7)
    report = ledger.report()
    assert not ledger.is_good
    assert [(each["step"], each["code"], each["records"]) for each in report["refused_by_step"]] == [
        (1, SealMalformed.code, 1),
        (5, KeyNotValid.code, 2),
        (7, InclusionInvalid.code, 1),
    ]
    assert report["problems"][-1] == {
        "partition": 1, "offset": 7, "code": "seal_malformed", "step": 1, "reason": "no client can decode the record",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("second", "code", "reason"),
    [
        (event(3), "sequence_gap", "before sequence 3 of epoch 1 of UZ/GOV/interior/civil/residents 2 are missing"),
        (event(0, offset=1), "sequence_replay", "sequence 0 of epoch 1 of UZ/GOV/interior/civil/residents comes again"),
        (event(0, offset=1, mark=b"x"), "sequence_fork", "is another record than the one before with that number"),
    ],
)
def test_gaps_replays_and_forks_are_not_good(ledger, second, code, reason):
    """Each is told with its place."""
    ledger.take_event(event(0), None)
    ledger.take_event(second, None)
    assert not ledger.is_good
    (problem,) = ledger.report()["problems"]
    assert (problem["code"], problem["step"], problem["offset"]) == (code, 9, second.offset)
    assert reason in problem["reason"]


def test_a_compacted_topic_has_gaps_by_nature(instance):
    """They are counted and not told; a fork is one there, too."""
    ledger = Ledger(RESIDENCE_TOPIC, instance.directory(), compacted=True)
    ledger.take_event(event(0), None)
    ledger.take_event(event(5), None)
    assert ledger.is_good
    assert (ledger.report()["gaps"], ledger.report()["missing"], ledger.report()["problems"]) == (1, 4, [])
    ledger.take_event(event(5, offset=6, mark=b"x"), None)
    assert not ledger.is_good


def test_a_flush_has_one_root(ledger, instance):
    """Another statement of the same flush is told, and not the same one again."""
    key = instance.keys[INTERIOR]
    for number, root in enumerate([b"a" * 32, b"a" * 32, b"b" * 32]):
        ledger.take_event(event(number), statement(key, root=root))
    report = ledger.report()
    assert not ledger.is_good
    assert (report["resealed"], report["seals"]) == (1, 1)
    assert report["problems"][0]["code"] == "flush_sealed_twice"


def test_only_the_first_problems_are_told(ledger):
    """All are counted: a topic of rubbish does not fill the memory."""
    for offset in range(3 * SHOWN):
        ledger.take_refused(record(offset), SealMalformed("none"))
    report = ledger.report()
    assert (report["refused"], len(report["problems"])) == (3 * SHOWN, SHOWN)


def test_records_of_our_own_have_no_sequences(ledger, instance):
    """Dead letters and positions: who sealed them, and how many."""
    for offset in range(3):
        ledger.take_other(record(offset), statement(instance.keys[INTERIOR]))
    (row,) = ledger.report()["publishers"]
    assert (row["records"], row["epochs"], row["first"], row["last"]) == (3, None, None, None)
    assert ledger.is_good


def test_progress_is_told_every_two_seconds(capsys):
    """A short walk is silent; a long one says how far it is, and how fast."""
    seconds = 0.0
    progress = Progress([Range(10, 500), Range(0, 510)], lambda: seconds)
    progress.add(100)
    seconds = 1.9
    progress.add(100)
    assert capsys.readouterr().err == ""
    seconds = 2.0
    progress.add(200)
    assert capsys.readouterr().err == "400 of 1,000 offsets, 200 a second\n"
    seconds = 3.0
    progress.add(600)
    assert capsys.readouterr().err == ""
