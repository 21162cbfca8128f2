"""Totals, rates and buckets over time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.console import History
from exchange.console.history import BUCKETS, MAX_PROCESSES, Process, bucket_of, complete_buckets

from .figures import NOON, MovedClock, counting, published

LONG_AGO = NOON - timedelta(days=3)


def answered(process: Process, clock: MovedClock, count: float, **facts: object) -> None:
    """The process answers now that it published `count` events."""
    process.answer(counting({published(): count}, **({"started": LONG_AGO} | facts)), clock.now())


def total(process: Process) -> float:
    return process.counters[published()].total


def rate(process: Process) -> float:
    return process.counters[published()].per_second


def recent(process: Process, clock: MovedClock) -> tuple[float, ...]:
    return complete_buckets(process.counters[published()].buckets, clock.now())


@pytest.fixture
def process() -> Process:
    """A process nobody has asked yet."""
    return Process("adapter", NOON)


def test_the_rate_is_over_the_last_interval(process, clock):
    """Ten events in two seconds are five a second; nothing in the next two are none."""
    answered(process, clock, 100)
    clock.pass_seconds(2)
    answered(process, clock, 110)
    assert rate(process) == 5.0
    clock.pass_seconds(2)
    answered(process, clock, 110)
    assert rate(process) == 0.0


def test_what_happened_before_the_first_look_is_in_the_total_only(process, clock):
    """The first answer of a process that runs since long counts, but nobody saw when it happened."""
    answered(process, clock, 5000)
    assert (total(process), rate(process)) == (5000, 0.0)
    assert not any(recent(process, clock))


def test_a_process_that_began_just_now_has_a_rate_at_once(process, clock):
    """What a process of two seconds counted happened in those two seconds."""
    answered(process, clock, 50, started=NOON - timedelta(seconds=2))
    assert (total(process), rate(process)) == (50, 25.0)


def test_a_series_that_appears_later_counts_from_zero(process, clock):
    """The first event of a topic is in the rate: its counter was not there before."""
    process.answer(counting({}, started=LONG_AGO), clock.now())
    clock.pass_seconds(2)
    answered(process, clock, 4)
    assert (total(process), rate(process)) == (4, 2.0)


def test_a_counter_that_shrank_began_again(process, clock):
    """After a restart, what the counter shows is new, and the total goes on."""
    answered(process, clock, 100)
    clock.pass_seconds(2)
    answered(process, clock, 6)
    assert (total(process), rate(process)) == (106, 3.0)


def test_a_restart_is_seen_by_the_start_time(process, clock):
    """A restarted process that has already counted further than before loses no event."""
    answered(process, clock, 100)
    clock.pass_seconds(10)
    answered(process, clock, 130, started=clock.now() - timedelta(seconds=5))
    assert total(process) == 230
    assert rate(process) == 26.0


def test_a_series_missing_after_a_restart_rests(process, clock):
    """A counter that a restarted process does not show yet has no rate, and then counts from zero."""
    answered(process, clock, 100)
    clock.pass_seconds(2)
    process.answer(counting({}, started=clock.now()), clock.now())
    assert (total(process), rate(process)) == (100, 0.0)
    clock.pass_seconds(2)
    answered(process, clock, 101, started=clock.now() - timedelta(seconds=2))
    assert total(process) == 201


def test_a_clock_that_went_back_gives_no_rate(process, clock):
    """Without time between two answers there is no rate, and the total is right all the same."""
    answered(process, clock, 10)
    clock.pass_seconds(-3)
    answered(process, clock, 20)
    assert (total(process), rate(process)) == (20, 0.0)


def test_a_start_time_in_the_future_is_not_believed(process, clock):
    """A start time after now (clocks differ) does not turn the interval around."""
    answered(process, clock, 10, started=NOON + timedelta(minutes=5))
    clock.pass_seconds(2)
    answered(process, clock, 20, started=NOON + timedelta(minutes=5))
    assert (total(process), rate(process)) == (20, 5.0)


def test_an_interval_is_spread_over_the_buckets_it_covers(process, clock):
    """Ten events over ten seconds are one a second in each of the buckets between."""
    answered(process, clock, 0)
    clock.pass_seconds(10)
    answered(process, clock, 10)
    assert recent(process, clock)[-2:] == (1.0, 1.0)
    assert recent(process, clock)[-3] == 0.0


def test_the_bucket_under_way_is_not_shown(process, clock):
    """The newest value is of a whole bucket, so that the line does not dip at its end."""
    answered(process, clock, 0)
    clock.pass_seconds(7)
    answered(process, clock, 70)
    assert recent(process, clock)[-1] == 10.0
    assert len(recent(process, clock)) == BUCKETS


def test_old_buckets_are_forgotten(process, clock):
    """After five minutes and a bucket nothing of an event is kept but the total."""
    answered(process, clock, 0)
    for count in range(1, 400):
        clock.pass_seconds(2)
        answered(process, clock, count * 2)
    assert len(process.counters[published()].buckets) <= BUCKETS + 2
    assert all(value == pytest.approx(1.0) for value in recent(process, clock))


def test_a_silence_of_hours_fills_only_the_window(process, clock):
    """An interval longer than the window costs no more than the window."""
    answered(process, clock, 0)
    clock.pass_seconds(36000)
    answered(process, clock, 36000)
    assert all(value == pytest.approx(1.0) for value in recent(process, clock))
    assert len(process.counters[published()].buckets) <= BUCKETS + 2


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(0.1, 4.0)), min_size=1, max_size=40))
def test_buckets_add_up_to_what_was_counted(steps):
    """Within the window, all buckets together hold exactly the increase."""
    clock, process, count = MovedClock(), Process("adapter", NOON), 0
    answered(process, clock, count)
    for more, seconds in steps:
        count += more
        clock.pass_seconds(seconds)
        answered(process, clock, count)
    held = sum(process.counters[published()].buckets.values()) if process.counters else 0
    assert held == pytest.approx(count)
    assert total(process) == count


@given(st.lists(st.integers(0, 100), min_size=1, max_size=30))
def test_the_total_never_shrinks(values):
    """Whatever a counter shows, the total only grows: by the increase, or by all of it after a restart."""
    clock, process, last = MovedClock(), Process("adapter", NOON), 0.0
    for value in values:
        answered(process, clock, value)
        assert total(process) >= max(last, value)
        last = total(process)
        clock.pass_seconds(2)


def test_a_failure_keeps_totals_and_ends_rates(process, clock):
    """A silent process publishes nothing that we know of; what it did stays."""
    answered(process, clock, 0)
    clock.pass_seconds(2)
    answered(process, clock, 10)
    process.fail("no whole answer within 2 s", clock.now())
    assert (total(process), rate(process)) == (10, 0.0)


def test_since_is_when_the_silence_began(process, clock):
    """Further failures do not move the time since which a process is silent."""
    answered(process, clock, 0)
    began = clock.pass_seconds(2)
    process.fail("refused", began)
    process.fail("refused", clock.pass_seconds(2))
    assert (process.since, process.problem) == (began, "refused")


def test_since_moves_when_it_answers_again(process, clock):
    """The first answer after a silence is since when it is up."""
    answered(process, clock, 0)
    process.fail("refused", clock.pass_seconds(2))
    back = clock.pass_seconds(60)
    answered(process, clock, 0)
    answered(process, MovedClock(clock.pass_seconds(2)), 0)
    assert (process.since, process.problem) == (back, None)


def test_a_change_of_readiness_moves_since(process, clock):
    """`since` belongs to the state, and not being ready is one."""
    process.answer(counting({}), clock.now())
    changed = clock.pass_seconds(2)
    process.answer(counting({}), changed, "the consent view is behind")
    process.answer(counting({}), clock.pass_seconds(2), "the consent view is behind")
    assert (process.since, process.not_ready) == (changed, "the consent view is behind")


def test_a_process_no_longer_registered_has_ended():
    """What ended keeps its counters and says since when."""
    history = History()
    history.register(["adapter"], NOON)
    later = NOON + timedelta(seconds=2)
    history.register([], later)
    history.register([], later + timedelta(seconds=2))
    [process] = history.processes()
    assert (process.registered, process.since, process.problem) == (False, later, "ended")


def test_a_process_that_comes_back_is_the_same():
    """A restarted process under the same name goes on where it was."""
    history = History()
    history.register(["adapter"], NOON)
    history.process("adapter", NOON).answer(counting({published(): 5}), NOON)
    history.register([], NOON)
    history.register(["adapter"], NOON)
    [process] = history.processes()
    assert process.registered
    assert total(process) == 5


def test_the_longest_ended_are_forgotten_past_the_limit():
    """However many processes come and go, a bounded number is kept, and none that runs is lost."""
    history, moment = History(), NOON
    for number in range(MAX_PROCESSES + 50):
        moment += timedelta(seconds=1)
        history.register(["gateway", f"adapter-{number}"], moment)
    names = [process.name for process in history.processes()]
    assert len(names) == MAX_PROCESSES
    assert "gateway" in names
    assert "adapter-0" not in names
    assert f"adapter-{MAX_PROCESSES + 49}" in names


def test_buckets_are_counted_from_1970():
    """The same moment lies in the same bucket in every process, so bars do not move between loads."""
    assert bucket_of(NOON) == int(NOON.timestamp()) // 5
    assert bucket_of(NOON + timedelta(seconds=4.999)) == bucket_of(NOON)
    assert bucket_of(NOON + timedelta(seconds=5)) == bucket_of(NOON) + 1
