# ruff: noqa: DTZ001, DTZ007  (naive times are what these tests are about)
"""Times by format: the fast way says what strptime says."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect.times import TimeFormat, parse_zone

FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%d-%b-%Y",
    "%Y-%m-%d %H:%M:%S.%f",
    "%y%m%d",
    "%d.%m.%Y %S",
    "%Y-%m-%d %H:%M:%S%z",
    "%Y %j",
    "%d%%%m%%%Y",
]


def outcome(parse, text):
    """The value, or that there is none."""
    try:
        return parse(text)
    except ValueError:
        return "refused"


@pytest.mark.parametrize("form", FORMATS)
@given(moment=st.datetimes(min_value=datetime(1000, 1, 1)))
def test_what_was_written_is_read(form, moment):
    """A text written with a format is read as strptime reads it."""
    text = moment.strftime(form)
    assert outcome(TimeFormat(form).parse, text) == outcome(lambda each: datetime.strptime(each, form), text)


@pytest.mark.parametrize("form", FORMATS)
@given(text=st.text(alphabet="0123456789 .:-/%TJan٣", max_size=20))
def test_any_other_text_fares_as_with_strptime(form, text):
    """No text is taken or refused that strptime would not, digits of other scripts included."""
    assert outcome(TimeFormat(form).parse, text) == outcome(lambda each: datetime.strptime(each, form), text)


@given(
    text=st.builds(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format,
        *(st.integers(0, high) for high in (9999, 14, 33, 26, 62, 63)),
    )
)
def test_impossible_dates_are_refused(text):
    """Months, days, hours and seconds that do not exist are refused as strptime refuses them."""
    form = FORMATS[0]
    assert outcome(TimeFormat(form).parse, text) == outcome(lambda each: datetime.strptime(each, form), text)


@pytest.mark.parametrize("form", ["", "yyyy-mm-dd", "%Q", "%Y-%", "%Y %Y"])
def test_what_is_no_format_is_refused(form):
    """The message shows the format."""
    with pytest.raises(ValueError, match="is not a time format"):
        TimeFormat(form)


def test_a_format_knows_what_it_names():
    """Zone, day and time of day are told apart."""
    assert TimeFormat("%Y-%m-%d %H:%M%z").has_zone
    assert not TimeFormat("%H:%M").has_day
    assert TimeFormat("%H:%M").has_time
    assert not TimeFormat("%d.%m.%y").has_time
    assert TimeFormat("%d.%m.%y").has_day


def test_a_zone_that_is_not_there_is_named():
    """An unknown name and a path are refused."""
    for name in ("Asia/Nowhere", "../etc/passwd", ""):
        with pytest.raises(ValueError, match="not a time zone"):
            parse_zone(name)
