"""Counting permits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.audit import AuditEntry, EntryKind
from exchange.consent import AccessRequest
from exchange.gateway import CapCounters
from exchange.ids import uuid7
from tests.fakes.instance import GATEWAY, PROCUREMENT, SOCIAL, TAX_STANDING
from tests.fakes.moving_clock import NOON

REQUEST = AccessRequest(PROCUREMENT, TAX_STANDING, "tender-eligibility", frozenset({"standing"}), "a" * 26)


def entry(**change) -> AuditEntry:
    """A permit as the audit topic has it."""
    values = {
        "id": uuid7(),
        "time": NOON,
        "kind": EntryKind.LOOKUP_DECIDED,
        "gateway": GATEWAY,
        "directory_version": 1,
        "consumer": PROCUREMENT,
        "service": TAX_STANDING,
        "purpose": "tender-eligibility",
        "individual": "a" * 26,
        "fields": ("standing",),
        "decision": "permit",
    }
    return AuditEntry(**{**values, **change})


def counts(counters: CapCounters, now=NOON) -> tuple[int, int]:
    """Of the individual's day and of the consumer's hour."""
    return counters.of_individual(REQUEST, now), counters.of_consumer(REQUEST, now)


def test_a_permit_counts_for_its_day_and_its_hour():
    """The individual's count ends with the UTC day, the consumer's with the UTC hour."""
    counters = CapCounters()
    counters.count(REQUEST, NOON)
    assert counts(counters) == (1, 1)
    assert counts(counters, NOON + timedelta(minutes=59)) == (1, 1)
    assert counts(counters, NOON + timedelta(hours=1)) == (1, 0)
    assert counts(counters, NOON + timedelta(hours=12)) == (0, 0)


@pytest.mark.parametrize(
    ("change", "individual", "consumer"),
    [
        ({"individual": "b" * 26}, 0, 1),
        ({"consumer": SOCIAL}, 0, 0),
        ({"purpose": "capped"}, 0, 0),
        ({"target": "UZ/GOV/tax/registry/other"}, 0, 0),
        ({"fields": frozenset({"debt_uzs"})}, 1, 1),
    ],
)
def test_counts_are_kept_apart(change, individual, consumer):
    """Another individual has a day of its own; another consumer, service or purpose also an hour of its own."""
    counters = CapCounters()
    counters.count(replace(REQUEST, **change), NOON)
    assert counts(counters) == (individual, consumer)


def test_old_windows_are_forgotten():
    """What no cap can ask for any more is not kept."""
    counters = CapCounters()
    for number in range(50):
        counters.count(replace(REQUEST, individual=f"{number:0>26}"), NOON)
    counters.count(REQUEST, NOON + timedelta(days=2))
    assert len(counters) == 2


def test_a_permit_taken_back_does_not_count():
    """Undoing leaves the counts as they were, and never below nothing."""
    counters = CapCounters()
    counters.count(REQUEST, NOON)
    counters.take_back(REQUEST, NOON)
    counters.take_back(REQUEST, NOON)
    assert counts(counters) == (0, 0)


def test_a_restart_counts_again_what_was_decided():
    """Permits on the audit topic count; denials, outcomes and changes of consent do not."""
    counters = CapCounters()
    counters.recount(entry())
    counters.recount(entry(decision="consent_missing"))
    counters.recount(entry(kind=EntryKind.LOOKUP_COMPLETED))
    counters.recount(entry(kind=EntryKind.CONSENT_CHANGED, decision="given"))
    counters.recount(entry(individual=None))
    assert counts(counters) == (1, 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.timedeltas(timedelta(0), timedelta(days=2))), max_size=40))
def test_a_restart_at_any_moment_counts_as_if_there_had_been_none(permits):
    """Whatever was permitted when: counters rebuilt from the entries show what the running ones showed."""
    running, rebuilt = CapCounters(), CapCounters()
    permits = sorted(permits, key=lambda permit: permit[1])
    for individual, after in permits:
        running.count(replace(REQUEST, individual=str(individual) * 26), NOON + after)
        name = "abcd"[individual] * 26
        rebuilt.recount(entry(individual=name, time=NOON + after))
    now = NOON + (permits[-1][1] if permits else timedelta(0))
    for individual in range(4):
        mine = replace(REQUEST, individual=str(individual) * 26)
        theirs = replace(REQUEST, individual="abcd"[individual] * 26)
        assert running.of_individual(mine, now) == rebuilt.of_individual(theirs, now)
        assert running.of_consumer(mine, now) == rebuilt.of_consumer(theirs, now)
