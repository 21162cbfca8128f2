"""Sequences over a whole topic."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from exchange.cli.topic_sequences import Chain
from exchange.envelope import Event
from exchange.ids import AgencyId

AGENCY = AgencyId.parse("UZ/GOV/interior/civil")
NOW = datetime(2026, 11, 28, tzinfo=UTC)


def event(sequence, epoch=1, record=None):
    """An event with a number; `record` tells one record from another with the same number."""
    leaf = (
        f"{epoch} {sequence} {record}".encode().ljust(32, b"-")[::-1]
        if record
        else b"%032d" % (epoch * 10**9 + sequence)
    )
    return Event(
        "t", 0, 0, None, "id", AGENCY, "t", NOW, None, {}, f"{AGENCY}/residents", epoch, sequence, None, leaf[::-1]
    )  # fmt: skip


def kinds(*events):
    """What is found at each event."""
    chain = Chain()
    return [found.kind if (found := chain.observe(each)) else None for each in events]


def test_numbers_that_follow_are_right():
    """Within an epoch, and over epochs that go on; the first may be anywhere."""
    assert kinds(event(7), event(8), event(9, 2), event(10, 5)) == [None] * 4


def test_a_higher_epoch_may_start_at_zero():
    """As idempotent writers do; a hole at its start is one."""
    assert kinds(event(7), event(0, 2), event(1, 2)) == [None] * 3
    assert kinds(event(7), event(3, 2)) == [None, "gap"]


def test_a_hole_is_a_gap_of_so_many():
    """Each missing number counts."""
    chain = Chain()
    chain.observe(event(0))
    found = chain.observe(event(1_000_000_000_000))
    assert (found.kind, found.missing) == ("gap", 999_999_999_999)
    assert chain.observe(event(1_000_000_000_001)) is None


def test_the_same_record_again_is_a_replay():
    """However long ago it was."""
    many = [event(number) for number in range(5_000)]
    assert kinds(*many, event(3), event(4_999), event(5_000))[-3:] == ["replay", "replay", None]


def test_another_record_with_the_number_is_a_fork():
    """However long ago it was, and in an epoch that is over."""
    many = [event(number) for number in range(5_000)]
    assert kinds(*many, event(3, record="other"))[-1] == "fork"
    assert kinds(*many, event(5_000, 2), event(3, record="other"), event(5_001, 2))[-3:] == [None, "fork", None]


def test_an_epoch_that_is_over_does_not_come_back():
    """Its numbers that were never seen are replays, too: whoever wrote them was fenced."""
    assert kinds(event(0), event(0, 3), event(1, 1), event(1, 3)) == [None, None, "replay", None]


def test_runs_that_start_anew_are_kept_apart():
    """The number of an old run is compared with what stood there in that run."""
    first, second = event(1, 1), event(1, 2)
    assert kinds(event(0, 1), first, event(0, 2), second, first, second) == [None] * 4 + ["replay", "replay"]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=40))
def test_what_is_counted_adds_up(numbers):
    """Every event follows, leaves a gap, or comes again; and the numbers that follow never go back within an epoch."""
    chain, last = Chain(), (-1, -1)
    for epoch, sequence in numbers:
        found = chain.observe(event(sequence, epoch))
        if found is None or found.kind == "gap":
            assert (epoch, sequence) > last
            last = (epoch, sequence)
        else:
            assert (epoch, sequence) <= last
            assert found.kind == "replay"
