"""Sequences (spec 3, step 9): what follows, what is missing, what is a replay; and the place kept as text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.envelope import Gap, SequenceTracker
from exchange.envelope.sequence import WINDOW
from exchange.errors import SequenceRefused

from .world import Draft, opener, seal

ONE = "UZ/GOV/customs/tariff/hs-nomenclature"
TWO = "UZ/GOV/customs/tariff/night-shift"


@dataclass(frozen=True)
class Numbered:
    """An event, as far as sequences go."""

    publisher: str
    epoch: int
    sequence: int
    leaf: bytes = b"\x01" * 32


def tracker(*seen: tuple[int, int], publisher: str = ONE) -> SequenceTracker:
    """A tracker that has seen these (epoch, sequence)."""
    place = SequenceTracker()
    for epoch, sequence in seen:
        place.observe(Numbered(publisher, epoch, sequence))
    return place


@pytest.mark.parametrize("first", [(0, 0), (3, 0), (3, 17)])
def test_a_publisher_not_met_before_may_be_anywhere(first):
    """Who starts reading in the middle meets a publisher in the middle of its sequence."""
    assert tracker().observe(Numbered(ONE, *first)) is None


@pytest.mark.parametrize("following", [(3, 5), (4, 5), (9, 5), (4, 0)], ids=["next", "continues", "later", "restarts"])
def test_what_follows_is_taken_in_silence(following):
    """The next number follows, and so does a higher epoch that continues, or starts at 0."""
    assert tracker((3, 4)).observe(Numbered(ONE, *following)) is None


@pytest.mark.parametrize(
    ("found", "gap"),
    [
        ((3, 7), Gap(ONE, 3, 5, 7)),
        ((4, 7), Gap(ONE, 4, 5, 7)),
        ((4, 2), Gap(ONE, 4, 0, 2)),
    ],
    ids=["within an epoch", "into a higher epoch", "at the start of a higher epoch"],
)
def test_a_hole_is_reported_and_the_record_taken(found, gap):
    """Missing numbers are reported once: the record is good, what follows it is silent again."""
    place = tracker((3, 4))
    assert place.observe(Numbered(ONE, *found)) == gap
    assert gap.missing == gap.found - gap.expected
    assert place.observe(Numbered(ONE, found[0], found[1] + 1)) is None


@pytest.mark.parametrize("found", [(3, 4), (3, 0), (2, 5), (0, 0)], ids=["again", "earlier", "lower epoch", "lowest"])
def test_a_replay_is_refused_and_changes_nothing(found):
    """A number seen before, or a lower epoch, is refused; the place stays where it was."""
    place = tracker((3, 4))
    with pytest.raises(SequenceRefused):
        place.observe(Numbered(ONE, *found))
    assert place.observe(Numbered(ONE, 3, 5)) is None


def test_publishers_are_counted_apart():
    """Each publisher has its own epoch and number."""
    place = tracker((3, 4))
    assert place.observe(Numbered(TWO, 1, 0)) is None
    assert place.observe(Numbered(ONE, 3, 5)) is None
    assert place.observe(Numbered(TWO, 1, 2)) == Gap(TWO, 1, 1, 2)


def test_opened_events_are_what_is_observed():
    """The tracker takes events as the opener gives them."""
    place, reader = SequenceTracker(), opener()
    records = seal([Draft(sequence=number) for number in (4, 5, 7)])
    assert [place.observe(reader.open(record)) for record in records] == [None, None, Gap(ONE, 3, 6, 7)]
    with pytest.raises(SequenceRefused):
        place.observe(reader.open(records[0]))


publishers = st.from_regex(r"UZ/(GOV|COM)/[a-z0-9]{1,20}/[a-z]{1,20}/[a-z0-9]{1,20}", fullmatch=True)
numbers = st.integers(0, 10**18)


@given(st.dictionaries(publishers, st.tuples(numbers, numbers), max_size=20))
def test_a_place_comes_back_from_its_text(places):
    """Kept as text and read again, the place refuses and takes exactly what it did."""
    place = SequenceTracker()
    for publisher, (epoch, sequence) in places.items():
        place.observe(Numbered(publisher, epoch, sequence))
    again = SequenceTracker.from_metadata(place.to_metadata())
    assert again.to_metadata() == place.to_metadata()
    for publisher, (epoch, sequence) in places.items():
        with pytest.raises(SequenceRefused):
            again.observe(Numbered(publisher, epoch, sequence))
        assert again.observe(Numbered(publisher, epoch, sequence + 1)) is None


def test_no_text_is_no_place_yet():
    """An offset committed without metadata starts an empty place; so does an empty place's own text."""
    for text in ("", SequenceTracker().to_metadata()):
        assert SequenceTracker.from_metadata(text).to_metadata() == "seq2"


@pytest.mark.parametrize(
    "text",
    [
        "seq3",
        "x",
        "seq1 ",
        f"seq1 {ONE} 3",
        f"seq1 {ONE} 3 x",
        f"seq1 {ONE} 03 5",
        "seq1 nobody 3 5",
        f"seq1 {ONE} -1 5",
        f"seq2 {ONE} 3 5",
        f"seq2 {ONE} 3 5 ",
        f"seq2 {ONE} 3 5 AAAA",
        f"seq2 {ONE} 3 5 AAAAAAAAAAB",
        f"seq2 {ONE} 3 5 AAAAAAAAAA=",
        f"seq2 {ONE} 3 5 AAAAAAAAAA*A",
        f"seq2 {ONE} 3 1 {'A' * 22}",
        f"seq2 {ONE} 3 50 {'A' * 182}",
    ],
)
def test_a_text_that_is_no_place_is_refused(text):
    """Metadata that another program wrote is not read as an empty place."""
    with pytest.raises(SequenceRefused):
        SequenceTracker.from_metadata(text)


def test_forty_publishers_fit_kafkas_metadata():
    """Kafka keeps up to 4,096 bytes of metadata with an offset."""
    place = SequenceTracker()
    for number in range(40):
        publisher = f"UZ/GOV/a-long-member-name/its-subsystem/publisher-{number}"
        for sequence in range(10**9, 10**9 + 20):
            place.observe(Numbered(publisher, 1000, sequence))
    assert len(place.to_metadata()) <= 4096


def numbered(sequence: int, epoch: int = 3, *, of: str = "first") -> Numbered:
    """A record of its own at a sequence: `of` tells two at the same sequence apart."""
    return Numbered(ONE, epoch, sequence, hashlib.sha256(f"{of} {epoch} {sequence}".encode()).digest())


def followed(*sequences: int, epoch: int = 3) -> SequenceTracker:
    """A tracker that has seen a record of its own at each of these."""
    place = SequenceTracker()
    for sequence in sequences:
        place.observe(numbered(sequence, epoch))
    return place


def refusal(place: SequenceTracker, record: Numbered) -> str:
    """The code that a record is refused with."""
    with pytest.raises(SequenceRefused) as refused:
        place.observe(record)
    return refused.value.code


@pytest.mark.parametrize("sequence", [2_000, 1_977, 2_001 - WINDOW])
def test_within_the_window_a_fork_is_told_from_a_replay(sequence):
    """The same record again is a replay; another with its number is a fork; neither moves the place."""
    place = followed(*range(2_001))
    assert refusal(place, numbered(sequence)) == "sequence_replayed"
    assert refusal(place, numbered(sequence, of="second")) == "sequence_forked"
    assert place.observe(numbered(2_001)) is None


@pytest.mark.parametrize("sequence", [2_000 - WINDOW, 0])
def test_beyond_the_window_a_fork_looks_like_a_replay(sequence):
    """What stood there is forgotten: the record is refused all the same."""
    assert refusal(followed(*range(2_001)), numbered(sequence, of="second")) == "sequence_replayed"


def test_a_restart_knows_the_last_sixteen():
    """What the metadata keeps tells forks of the last 16 records after a restart; before them it is a replay."""
    place, marks = SequenceTracker.from_metadata(followed(*range(2_001)).to_metadata()), range(1_985, 2_001)
    assert {refusal(place, numbered(sequence, of="second")) for sequence in marks} == {"sequence_forked"}
    assert {refusal(place, numbered(sequence)) for sequence in marks} == {"sequence_replayed"}
    assert refusal(place, numbered(1_984, of="second")) == "sequence_replayed"


def test_nothing_stood_in_a_hole():
    """A record that comes late into a hole is refused as a replay, even one a whole window after the last there."""
    place = followed(*range(10), 10 + WINDOW // 2)
    assert refusal(place, numbered(10, of="second")) == "sequence_replayed"
    assert refusal(place, numbered(9, of="second")) == "sequence_forked"
    place = followed(*range(10), 9 + WINDOW)
    assert refusal(place, numbered(9, of="second")) == "sequence_replayed"


def test_a_number_of_an_earlier_epoch_is_told_too():
    """Sequences go on over epochs, and so does what is known of them; a restart at 0 forgets it."""
    place = followed(*range(10))
    place.observe(numbered(10, 4))
    assert refusal(place, numbered(9, 3)) == "sequence_replayed"
    assert refusal(place, numbered(9, 3, of="second")) == "sequence_forked"
    assert refusal(place, numbered(9, 4, of="second")) == "sequence_forked"
    place.observe(numbered(0, 5))
    assert refusal(place, numbered(9, 4, of="second")) == "sequence_replayed"


def test_a_place_without_marks_is_read_and_written_with_them():
    """What an earlier release committed is gone on from."""
    place = SequenceTracker.from_metadata(f"seq1 {ONE} 3 5")
    assert place.to_metadata() == f"seq2 {ONE} 3 5 -"
    assert refusal(place, numbered(4, of="second")) == "sequence_replayed"
    assert place.observe(numbered(5)) is None
    assert refusal(SequenceTracker.from_metadata(place.to_metadata()), numbered(5, of="second")) == "sequence_forked"


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.booleans()), max_size=60))
def test_the_tracker_agrees_with_a_full_memory(steps):
    """With everything remembered, each record is what the definitions say; the window forgets nothing so small."""
    place, seen, at = SequenceTracker(), {}, None
    for epoch, sequence, is_other in steps:
        record = numbered(sequence, epoch, of="second" if is_other else "first")
        if at is not None and (epoch < at[0] or (epoch == at[0] and sequence < at[1])):
            stood = seen.get(sequence)
            forked = stood is not None and stood != record.leaf
            assert refusal(place, record) == ("sequence_forked" if forked else "sequence_replayed")
            continue
        if at is not None and sequence < at[1]:
            seen = {}
        place.observe(record)
        seen[sequence], at = record.leaf, (epoch, sequence + 1)
