# ruff: noqa: DTZ001  (naive times are what these tests are about)
"""A database's values as values of Avro fields."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect.convert import CONVERTERS, NATIVE, Unfit, time_converter
from exchange.connect.times import TimeFormat, parse_zone

UTC = dt.UTC
TASHKENT = parse_zone("Asia/Tashkent")
AWARE = dt.datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
NAIVE = dt.datetime(2026, 11, 22, 10, 0)

FITS = [
    ("string", "a", "a"),
    ("string", 7, "7"),
    ("string", Decimal("1.50"), "1.50"),
    ("string", dt.date(2026, 1, 2), "2026-01-02"),
    ("long", 7, 7),
    ("long", " 7 ", 7),
    ("long", 7.0, 7),
    ("long", Decimal(7), 7),
    ("double", 1.5, 1.5),
    ("double", "1.5", 1.5),
    ("double", 2, 2.0),
    ("double", Decimal("1.5"), 1.5),
    ("decimal", "12.50", Decimal("12.5")),
    ("decimal", 12.1, Decimal("12.1")),
    ("decimal", 12, Decimal(12)),
    ("boolean", True, True),
    ("boolean", 1, True),
    ("boolean", "false", False),
    ("boolean", "T", True),
    ("bytes", memoryview(b"x"), b"x"),
    ("json", Decimal("1.50"), "1.50"),
    ("json", 5, 5),
    ("json", AWARE, "2026-11-22T05:00:00Z"),
    ("union", "any", "any"),
]


@pytest.mark.parametrize(("kind", "value", "result"), FITS)
def test_values_become_what_the_field_takes(kind, value, result):
    """The usual types that carry a value of a kind are converted, without loss."""
    converted = CONVERTERS[kind](value)
    assert converted == result
    assert type(converted) is type(result)


UNFIT = [
    ("string", b"a"),
    ("string", 1.5),
    ("string", True),
    ("long", "seven"),
    ("long", 7.5),
    ("long", True),
    ("long", b"7"),
    ("double", "nan"),
    ("double", "inf"),
    ("double", True),
    ("decimal", "twelve"),
    ("decimal", "NaN"),
    ("decimal", True),
    ("boolean", "yes"),
    ("boolean", 2),
    ("bytes", "x"),
    ("json", b"x"),
]


@pytest.mark.parametrize(("kind", "value"), UNFIT)
def test_what_would_lose_or_guess_is_refused(kind, value):
    """Fractions, not-a-numbers, undecoded bytes and loose truths are not guessed at."""
    with pytest.raises(ValueError):
        CONVERTERS[kind](value)


@given(value=st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.booleans(), st.binary()))
def test_native_values_pass_as_they_are(value):
    """A value of exactly a kind's own class is its own conversion: what the generated function relies on."""
    for kind, native in NATIVE.items():
        if type(value) is native and value not in (float("inf"), float("-inf")):
            assert CONVERTERS[kind](value) == value


@given(value=st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_keep_their_value(value):
    """However a decimal is written, its value stays."""
    assert CONVERTERS["decimal"](str(value)) == value


TIMES = [
    ("timestamp-micros", "%Y-%m-%d %H:%M", TASHKENT, "2026-11-22 10:00", AWARE),
    ("timestamp-millis", "%Y-%m-%d %H:%M %z", None, "2026-11-22 10:00 +0500", AWARE),
    ("timestamp-micros", None, None, "2026-11-22T05:00:00+00:00", AWARE),
    ("timestamp-micros", None, TASHKENT, NAIVE, AWARE),
    ("timestamp-micros", None, None, AWARE, AWARE),
    ("local-timestamp-millis", "%d.%m.%Y %H:%M", None, "22.11.2026 10:00", NAIVE),
    ("date", "%d.%m.%Y", None, "22.11.2026", dt.date(2026, 11, 22)),
    ("date", "%Y%m%d", None, 20261122, dt.date(2026, 11, 22)),
    ("date", None, None, "2026-11-22", dt.date(2026, 11, 22)),
    ("date", None, None, dt.date(2026, 11, 22), dt.date(2026, 11, 22)),
    ("date", None, None, NAIVE, dt.date(2026, 11, 22)),
    ("time-millis", "%H:%M", None, "10:30", dt.time(10, 30)),
    ("time-micros", None, None, "10:30:00", dt.time(10, 30)),
    ("time-micros", None, None, dt.time(10, 30), dt.time(10, 30)),
]


@pytest.mark.parametrize(("kind", "form", "zone", "value", "result"), TIMES)
def test_times_become_what_the_logical_type_takes(kind, form, zone, value, result):
    """Text by its format, ISO 8601 without one, and a database's own types; moments end in UTC."""
    convert, _ = time_converter(kind, TimeFormat(form) if form else None, zone)
    assert convert(value) == result
    assert type(convert(value)) is type(result)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("timestamp-micros", NAIVE),
        ("timestamp-micros", dt.date(2026, 1, 1)),
        ("local-timestamp-micros", AWARE),
        ("date", dt.time(1, 2)),
        ("date", 5),
        ("time-millis", dt.date(2026, 1, 1)),
    ],
)
def test_times_of_another_kind_are_refused(kind, value):
    """A moment without a zone is no moment, and a date is no time."""
    convert, _ = time_converter(kind, None, None)
    with pytest.raises(Unfit):
        convert(value)


@given(moment=st.datetimes(min_value=dt.datetime(1900, 1, 1), max_value=dt.datetime(2100, 1, 1)))
def test_the_same_text_gives_the_same_moment_twice(moment):
    """What a converter remembers is what it would read."""
    convert, of_text = time_converter("timestamp-micros", TimeFormat("%Y-%m-%d %H:%M:%S"), TASHKENT)
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    expected = moment.replace(microsecond=0, tzinfo=TASHKENT).astimezone(UTC)
    assert convert(text) == of_text(text) == convert(text) == expected
