"""Times as they are written (spec 2, 3)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.clock import SystemClock, format_micros, format_millis, from_unix_millis, parse_time, to_unix_millis

MOMENT = datetime(2026, 11, 22, 10, 0, 0, 123456, UTC)


def test_times_are_written_in_utc_with_fixed_digits():
    """Milliseconds in statements and microseconds in `ce_time`, always UTC, always Z."""
    assert format_millis(MOMENT) == "2026-11-22T10:00:00.123Z"
    assert format_micros(MOMENT) == "2026-11-22T10:00:00.123456Z"
    tashkent = MOMENT.astimezone(timezone(timedelta(hours=5)))
    assert format_micros(tashkent) == format_micros(MOMENT)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_time_reads_back(moment):
    """What `format_micros` writes, `parse_time` reads."""
    assert parse_time(format_micros(moment)) == moment


@pytest.mark.parametrize(
    "text", ["", "Z", "2026-11-22", "2026-11-22T10:00:00+00:00", "2026-11-22 10:00:00Z", "2026-13-22T10:00:00Z"]
)
def test_another_form_is_refused(text):
    """A time without Z, without T or not on the calendar is refused."""
    with pytest.raises(ValueError):
        parse_time(text)


@given(st.integers(0, 4_000_000_000_000))
def test_broker_timestamps_read_back(millis):
    """A broker's milliseconds and a time are one-to-one."""
    assert to_unix_millis(from_unix_millis(millis)) == millis


def test_the_systems_clock_gives_aware_utc():
    """Process time is timezone-aware UTC."""
    assert SystemClock().now().tzinfo is UTC
