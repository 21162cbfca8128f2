"""Sequences (spec 3, step 9): what follows, what is missing, what is a replay; and the place kept as text."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.envelope import Gap, SequenceTracker
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


def test_a_copy_goes_on_by_itself():
    """What a copy takes in, the original has not seen."""
    place = tracker((3, 4))
    other = place.copy()
    other.observe(Numbered(ONE, 3, 5))
    assert place.to_metadata() == f"seq1 {ONE} 3 5"
    assert other.to_metadata() == f"seq1 {ONE} 3 6"


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
        assert SequenceTracker.from_metadata(text).to_metadata() == "seq1"


@pytest.mark.parametrize(
    "text",
    [
        "seq2",
        "x",
        "seq1 ",
        f"seq1 {ONE} 3",
        f"seq1 {ONE} 3 x",
        f"seq1 {ONE} 03 5",
        "seq1 nobody 3 5",
        f"seq1 {ONE} -1 5",
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
        place.observe(Numbered(f"UZ/GOV/a-long-member-name/its-subsystem/publisher-{number}", 1000, 10**9))
    assert len(place.to_metadata()) <= 4096
