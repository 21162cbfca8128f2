"""The consent record and its states."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.consent import TRANSITIONS, ConsentKey, ConsentRecord, State, Terms, change_state, give_consent
from exchange.consent.record import HISTORY_LIMIT
from exchange.errors import ConsentError
from tests.fakes.instance import GATEWAY, PROCUREMENT, TAX
from tests.fakes.moving_clock import NOON

KEY = ConsentKey("a" * 26, PROCUREMENT, "UZ/GOV/tax/registry/tax-standing", "tender-eligibility")
TERMS = Terms(KEY, TAX, frozenset({"standing"}), "uz", "0" * 64, NOON + timedelta(days=1))
STATES = st.sampled_from([State.GIVEN, State.PAUSED, State.WITHDRAWN])


def record_in(state: State) -> ConsentRecord:
    """A record that came into `state` the shortest way."""
    record = give_consent(TERMS, PROCUREMENT, NOON, "id-1", None)
    return record if state is State.GIVEN else change_state(record, state, PROCUREMENT, NOON)


def test_a_consent_is_given_with_its_terms():
    """A new record is given, now, through the agency that recorded it."""
    record = give_consent(TERMS, PROCUREMENT, NOON, "id-1", None)
    assert (record.state_at(NOON), record.given_at, record.given_through) == (State.GIVEN, NOON, PROCUREMENT)
    assert record.revision == 1


def test_giving_anew_makes_a_new_record_that_counts_on():
    """A second consent under the same key has its own id and history, and a higher revision."""
    first = record_in(State.WITHDRAWN)
    second = give_consent(TERMS, GATEWAY, NOON + timedelta(hours=1), "id-2", first)
    assert (second.record_id, second.revision) == ("id-2", first.revision + 1)
    assert [change.state for change in second.history] == [State.GIVEN]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.GIVEN, State.PAUSED),
        (State.GIVEN, State.WITHDRAWN),
        (State.PAUSED, State.GIVEN),
        (State.PAUSED, State.WITHDRAWN),
    ],
)
def test_legal_changes_are_kept_in_the_history(before, after):
    """Given and paused lead to each other and to withdrawn; each change says when and through whom."""
    record = change_state(record_in(before), after, GATEWAY, NOON + timedelta(hours=2))
    assert record.state_at(NOON + timedelta(hours=2)) is after
    assert (record.history[-1].at, record.history[-1].through) == (NOON + timedelta(hours=2), GATEWAY)


@pytest.mark.parametrize("after", [State.GIVEN, State.PAUSED, State.WITHDRAWN, State.EXPIRED])
def test_withdrawn_is_final(after):
    """Nothing leads out of withdrawn."""
    with pytest.raises(ConsentError, match="given anew") as caught:
        change_state(record_in(State.WITHDRAWN), after, PROCUREMENT, NOON)
    assert caught.value.code == "consent_transition_illegal"


@pytest.mark.parametrize("before", [State.GIVEN, State.PAUSED])
def test_time_makes_a_consent_expired(before):
    """At the end of its validity, to the instant, a given or paused consent is expired, and stays so."""
    record = record_in(before)
    assert record.state_at(TERMS.valid_until - timedelta(microseconds=1)) is before
    assert record.state_at(TERMS.valid_until) is State.EXPIRED
    with pytest.raises(ConsentError):
        change_state(record, State.GIVEN, PROCUREMENT, TERMS.valid_until)


def test_a_withdrawn_consent_does_not_expire():
    """What the individual said stays the reason, also after the validity."""
    assert record_in(State.WITHDRAWN).state_at(TERMS.valid_until) is State.WITHDRAWN


@given(st.lists(STATES, max_size=12))
def test_no_path_leads_past_the_transitions(path):
    """Whatever is asked for, in any order: every change that is made is one that the table allows."""
    record = record_in(State.GIVEN)
    for state in path:
        present = record.state_at(NOON)
        if state in TRANSITIONS[present]:
            record = change_state(record, state, PROCUREMENT, NOON)
            assert record.state_at(NOON) is state
        else:
            with pytest.raises(ConsentError):
                change_state(record, state, PROCUREMENT, NOON)


def test_a_history_stays_bounded_and_keeps_its_beginning():
    """A consent paused and resumed for ever keeps when it was given, and its newest changes."""
    record = give_consent(TERMS, PROCUREMENT, NOON, "id-1", None)
    for step in range(HISTORY_LIMIT + 5):
        state = State.PAUSED if step % 2 == 0 else State.GIVEN
        record = change_state(record, state, GATEWAY, NOON + timedelta(seconds=step + 1))
    assert len(record.history) == HISTORY_LIMIT
    assert (record.given_at, record.given_through) == (NOON, PROCUREMENT)
    assert record.revision == HISTORY_LIMIT + 6
    assert record.changed_at == NOON + timedelta(seconds=HISTORY_LIMIT + 5)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"fields": frozenset()}, "fields"),
        ({"valid_until": NOON}, "valid_until"),
        ({"language": "Uzbek language"}, "language"),
        ({"notice_digest": "F" * 64}, "notice_digest"),
    ],
)
def test_terms_that_say_nothing_are_refused(wrong, names):
    """A consent needs a field, a future, a language and the notice that was read; the message names which."""
    with pytest.raises(ConsentError, match=names):
        give_consent(replace(TERMS, **wrong), PROCUREMENT, NOON, "id-1", None)


def test_a_key_tells_its_parts_apart():
    """No two different keys have one text, also where their joined parts would read alike."""
    other = replace(KEY, target=KEY.target + KEY.purpose[:1], purpose=KEY.purpose[1:])
    assert KEY.text != other.text
    assert KEY.text == ConsentKey("a" * 26, PROCUREMENT, KEY.target, KEY.purpose).text
    assert len(KEY.text) == 64
