"""From the history to what the page shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.consent import DENIALS
from exchange.console import History, Page, build_page
from exchange.console.exposition import CONSENT_CHANGES, DEAD_LETTERS, GAPS, REFUSED, TREE_SIZE
from exchange.console.flow import UNNAMED
from exchange.console.view import agency_of, kind_of

from .figures import (
    COPY,
    DEPARTURES,
    FLIGHTS,
    NOON,
    RESIDENCES,
    RESIDENTS,
    TAX_STANDING,
    consumed,
    counting,
    gauging,
    history_of,
    lag,
    looked_up,
    published,
    series,
)


def page_of(history: History, seconds: float = 0.0) -> Page:
    """The page `seconds` after noon."""
    return build_page(history, "UZ", NOON + timedelta(seconds=seconds))


def test_nothing_scraped_is_an_empty_page():
    """Before the first round there is a page with no rows and no figures."""
    page = page_of(History())
    assert page.scraped is None
    assert (page.topics, page.agencies, page.outcomes, page.lags, page.processes) == ((), (), (), (), ())
    assert page.totals.published.total == 0
    assert page.totals.audit_entries is None


def test_topics_are_added_up_over_processes():
    """Two processes that publish to one topic are one row."""
    page = page_of(
        history_of(
            one=counting({published(): 10}),
            two=counting({published(publisher=RESIDENTS): 5, published(RESIDENCES, RESIDENTS): 1}),
        )
    )
    assert [(row.topic, row.published.total) for row in page.topics] == [(FLIGHTS, 15), (RESIDENCES, 1)]
    assert page.totals.published.total == 16


def test_a_topic_row_has_all_that_happened_to_the_topic():
    """Publishing, consuming, refusing, dead letters and gaps of a topic meet in its row."""
    page = page_of(
        history_of(
            publisher=counting({published(RESIDENCES, RESIDENTS): 20}),
            subscriber=counting(
                {
                    consumed(): 17,
                    series(REFUSED, topic=RESIDENCES, code="seal_malformed"): 2,
                    series(REFUSED, topic=RESIDENCES, code="inclusion_invalid"): 1,
                    series(DEAD_LETTERS, topic=RESIDENCES, code="seal_malformed"): 3,
                    series(GAPS, topic=RESIDENCES): 1,
                }
            ),
        )
    )
    [row] = page.topics
    assert (row.published.total, row.consumed.total) == (20, 17)
    assert (row.refused, row.dead_letters, row.gaps) == (3, 3, 1)
    assert (page.totals.refused, page.totals.dead_letters, page.totals.gaps) == (3, 3, 1)


def test_a_topic_that_was_only_refused_has_a_row():
    """A topic whose every record was refused is not left out."""
    page = page_of(history_of(one=counting({series(REFUSED, topic=FLIGHTS, code="seal_malformed"): 1})))
    assert [(row.topic, row.published.total, row.refused) for row in page.topics] == [(FLIGHTS, 0, 1)]


def test_agencies_are_those_of_publishers_and_groups():
    """An agency's row has what its publishers published and its groups consumed."""
    page = page_of(
        history_of(
            flights=counting({published(): 75}),
            residents=counting({published(RESIDENCES, RESIDENTS): 25}),
            copy=counting({consumed(): 20}),
        )
    )
    rows = {row.agency: (row.published.total, row.consumed.total, row.share) for row in page.agencies}
    assert rows == {
        "UZ/GOV/transport/flights": (75, 0, 0.75),
        "UZ/GOV/interior/civil": (25, 0, 0.25),
        "UZ/GOV/social/benefits": (0, 20, 0.0),
    }


@pytest.mark.parametrize(
    ("identifier", "agency"),
    [
        (DEPARTURES, "UZ/GOV/transport/flights"),
        (COPY, "UZ/GOV/social/benefits"),
        ("console-tail", UNNAMED),
        ("a/b", UNNAMED),
        ("", UNNAMED),
        (None, UNNAMED),
    ],
)
def test_the_agency_of_an_identifier(identifier, agency):
    """A publisher or a group named like one belongs to an agency; anything else to none."""
    assert agency_of(identifier) == agency


def test_outcomes_permitted_first_then_by_number():
    """Outcomes read from what was released to what was rarest."""
    page = page_of(
        history_of(
            gateway=counting(
                {
                    looked_up("consent_missing"): 30,
                    looked_up("permitted"): 10,
                    looked_up("provider_timeout"): 40,
                    looked_up("field_not_agreed"): 20,
                }
            )
        )
    )
    assert [(row.outcome, row.kind, row.lookups.total, row.share) for row in page.outcomes] == [
        ("permitted", "permitted", 10, 0.1),
        ("provider_timeout", "failed", 40, 0.4),
        ("consent_missing", "denied", 30, 0.3),
        ("field_not_agreed", "denied", 20, 0.2),
    ]
    assert (page.totals.permitted, page.totals.denied, page.totals.failed) == (10, 50, 40)
    assert page.totals.lookups.total == 100


def test_services_have_their_outcomes_side_by_side():
    """Each service shows how its lookups ended."""
    page = page_of(
        history_of(
            gateway=counting(
                {
                    looked_up("permitted"): 4,
                    looked_up("consent_missing"): 3,
                    looked_up("consent_withdrawn"): 2,
                    looked_up("permitted", "UZ/GOV/interior/civil/residence"): 1,
                    looked_up("lookup_failed", "UZ/GOV/interior/civil/residence"): 1,
                }
            )
        )
    )
    assert [(row.service, row.permitted, row.denied, row.failed) for row in page.services] == [
        ("UZ/GOV/interior/civil/residence", 1, 0, 1),
        (TAX_STANDING, 4, 5, 0),
    ]


@pytest.mark.parametrize("code", DENIALS)
def test_every_denial_of_the_decision_is_a_denial_here(code):
    """No code of the decision is shown as a failure or, worse, as permitted."""
    assert kind_of(code) == "denied"


@given(st.text(max_size=30).filter(lambda text: text != "permitted"))
def test_only_permitted_is_permitted(outcome):
    """An outcome the console does not know is never shown as data released."""
    assert kind_of(outcome) in ("denied", "failed")


def test_refusals_are_by_topic_and_code():
    """Refused records are listed with the code of the step that did not hold."""
    one = counting({series(REFUSED, topic=FLIGHTS, code="seal_malformed"): 1})
    two = counting(
        {
            series(REFUSED, topic=FLIGHTS, code="seal_malformed"): 1,
            series(REFUSED, topic=FLIGHTS, code="origin_mismatch"): 4,
            series(REFUSED, topic=FLIGHTS, code="key_not_valid"): 0,
        }
    )
    page = page_of(history_of(one=one, two=two))
    assert [(row.topic, row.code, row.count) for row in page.refusals] == [
        (FLIGHTS, "origin_mismatch", 4),
        (FLIGHTS, "seal_malformed", 2),
    ]


def test_a_series_without_labels_is_shown_as_unnamed():
    """A counter without the label counts; its row says that it has no name."""
    page = page_of(history_of(one=counting({series("exchange_published_total"): 3})))
    assert [(row.topic, row.published.total) for row in page.topics] == [(UNNAMED, 3)]
    assert [row.agency for row in page.agencies] == [UNNAMED]


def test_the_audit_log_and_consent_changes_are_in_the_totals():
    """The size of the tree and the number of consent changes are figures of their own."""
    page = page_of(
        history_of(
            audit=gauging({series(TREE_SIZE): 63}),
            gateway=counting(
                {series(CONSENT_CHANGES, state="given"): 2, series(CONSENT_CHANGES, state="withdrawn"): 1}
            ),
        )
    )
    assert page.totals.audit_entries == 63
    assert page.totals.consent_changes == 3


def test_the_lag_of_all_groups_is_in_the_totals():
    """What is not consumed yet is one figure, too."""
    page = page_of(history_of(one=gauging({lag(0): 3, lag(1): 4}), two=gauging({lag(0, FLIGHTS, "g"): 5})))
    assert page.totals.lag == 12


def test_rates_of_processes_are_added():
    """The rate now is the sum over the processes that answered."""
    history = history_of(one=counting({published(): 0}), two=counting({published(): 0}))
    later = NOON + timedelta(seconds=2)
    history.process("one", later).answer(counting({published(): 10}), later)
    history.process("two", later).answer(counting({published(): 20}), later)
    [row] = page_of(history, 2).topics
    assert row.published.per_second == 15.0


def test_an_up_process_shows_what_it_is():
    """Uptime, memory and version are of the last answer."""
    started = NOON - timedelta(seconds=90)
    page = page_of(history_of(gateway=counting({}, started=started, memory=88 << 20, version="0.1.0")), 30)
    [row] = page.processes
    assert (row.name, row.state, row.since, row.reason) == ("gateway", "up", NOON, None)
    assert (row.uptime, row.memory, row.version) == (120, 88 << 20, "0.1.0")


def test_a_process_that_never_answered_is_down():
    """A process that was registered and is silent from the first moment is down since then."""
    history = History()
    history.register(["gateway"], NOON)
    history.process("gateway", NOON).fail("cannot be reached", NOON)
    [row] = page_of(history, 30).processes
    assert (row.state, row.since, row.reason, row.uptime) == ("down", NOON, "cannot be reached", None)


def test_a_silent_process_is_down_since_its_first_failure():
    """A process that stops answering is down with the reason, and nothing is said of its memory."""
    history = history_of(gateway=counting({}, memory=1 << 20, started=NOON))
    at = NOON + timedelta(seconds=8)
    history.process("gateway", at).fail("no whole answer within 2 s", at)
    [row] = page_of(history, 20).processes
    assert (row.state, row.since, row.reason) == ("down", at, "no whole answer within 2 s")
    assert (row.uptime, row.memory) == (None, None)


def test_a_process_that_is_not_ready_says_what_is_missing():
    """Not ready is a state between up and down."""
    history = History()
    history.register(["gateway"], NOON)
    history.process("gateway", NOON).answer(counting({}), NOON, "the consent view is behind")
    [row] = page_of(history).processes
    assert (row.state, row.reason) == ("not_ready", "the consent view is behind")


def test_an_ended_process_is_shown_for_five_minutes_and_counted_for_ever():
    """What ended leaves the list after a while; what it published stays in the totals."""
    history = history_of(adapter=counting({published(): 10}))
    history.register([], NOON)
    assert [row.state for row in page_of(history, 299).processes] == ["ended"]
    later = page_of(history, 301)
    assert later.processes == ()
    assert later.totals.published.total == 10


def test_old_figures_are_called_old():
    """A page whose figures nobody refreshed says so."""
    history = history_of(gateway=counting({}))
    assert page_of(history, 30).notices == ()
    [notice] = page_of(history, 31).notices
    assert notice == "The figures are old: nothing was scraped since 12:00:00 UTC."


def test_cut_figures_are_called_too_low():
    """A process with more series than are kept is named."""
    [notice] = page_of(history_of(gateway=counting({}, truncated=True))).notices
    assert notice == "gateway exposes more series than are kept here: its figures are too low."


def test_what_keeps_the_console_from_looking_is_said():
    """A list of processes that cannot be read is on the page."""
    history = History()
    history.notice = "The list of processes could not be read: no permission"
    assert page_of(history).notices == (history.notice,)
