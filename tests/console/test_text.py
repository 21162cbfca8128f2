"""Values as people read them."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.console import text

from .figures import FLIGHTS, NOON


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (999, "999"), (336776, "336,776"), (12.6, "13"), (10**12, "1,000,000,000,000")]
)
def test_integers_are_grouped(value, shown):
    """Thousands are set apart."""
    assert text.integer(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.04, "<0.1"), (0.1, "0.1"), (2.44, "2.4"), (9.96, "10.0"), (10, "10"), (61240.2, "61,240")],
)
def test_rates_are_as_exact_as_is_of_use(value, shown):
    """Small rates have a decimal, large ones none, and a tiny one is not shown as none."""
    assert text.rate(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0.0 %"), (0.0004, "<0.1 %"), (0.001, "0.1 %"), (0.125, "12.5 %"), (1, "100.0 %")]
)
def test_shares_are_percentages(value, shown):
    """A share is shown in percent with one decimal."""
    assert text.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0.0 KiB"), (1536, "1.5 KiB"), (88604672, "84.5 MiB"), (3 << 30, "3.0 GiB"), (5 << 40, "5120.0 GiB")],
)
def test_sizes_have_binary_units(value, shown):
    """Bytes are shown in the unit that fits."""
    assert text.size(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-5, "0 s"),
        (0.9, "0 s"),
        (41, "41 s"),
        (60, "1 min 0 s"),
        (192, "3 min 12 s"),
        (3600, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (86400, "1 d 0 h"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations_show_two_units(value, shown):
    """A duration is shown in its two largest units."""
    assert text.duration(value) == shown


def test_a_time_of_another_day_has_its_date():
    """Today's times are short; others say which day."""
    assert text.clock(NOON, NOON) == "12:00:00"
    assert text.clock(NOON - timedelta(days=1), NOON) == "2026-11-21 12:00:00"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("weather-observed", "weather-observed"),
        ("Тошкент шаҳри", "Тошкент шаҳри"),
        ("a\x00b\nc", "a�b�c"),
        ("abc\N{RIGHT-TO-LEFT OVERRIDE}cba", "abc�cba"),
    ],
)
def test_labels_lose_what_could_deceive(raw, shown):
    """Control and direction-changing characters are made visible; letters of any script stay."""
    assert text.plain(raw) == shown


def test_a_long_label_is_cut():
    """Nobody can fill the page with one label."""
    assert len(text.plain("x" * 5000)) == 160
    assert text.plain("x" * 5000).endswith("…")
    assert text.plain("x" * 160) == "x" * 160


def test_names_may_break_after_their_dots_and_slashes():
    """Long names break where they have parts."""
    assert str(text.breakable("UZ/GOV/tax")) == "UZ/<wbr>GOV/<wbr>tax"
    assert str(text.breakable("a.b-c")) == "a.<wbr>b-c"


@given(st.text(max_size=100))
def test_a_breakable_name_has_no_markup_but_breaks(raw):
    """Whatever a name holds, without its breaks it is escaped text that reads as the plain label."""
    shown = str(text.breakable(raw)).replace("<wbr>", "")
    assert re.search(r"[<>\"']", shown) is None
    assert html.unescape(shown) == text.plain(raw)


@pytest.mark.parametrize(
    ("topic", "parts"),
    [
        (FLIGHTS, ("gov.transport.flights.", "flight-departed.v1")),
        ("gov.interior.civil.dead-letters", ("gov.interior.civil.", "dead-letters")),
        ("_schemas", ("", "_schemas")),
        ("a.b.c", ("", "a.b.c")),
        ("", ("", "")),
    ],
)
def test_a_topic_has_its_owner_in_front(topic, parts):
    """The owner's prefix and the event's name are told apart; a name without them stays whole."""
    assert text.topic_parts(topic) == parts


@given(st.text(max_size=60))
def test_topic_parts_lose_nothing(topic):
    """The two parts together are the topic."""
    assert "".join(text.topic_parts(topic)) == topic
