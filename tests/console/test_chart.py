"""Geometry of the charts."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exchange.console import chart

VALUES = st.lists(st.floats(0, 1e9), min_size=2, max_size=60)


def heights(points: str) -> list[float]:
    """The y of each point."""
    return [float(point.partition(",")[2]) for point in points.split()]


def test_the_peak_is_at_the_top_and_nothing_at_the_bottom():
    """The largest value touches the top of the box, zero its bottom."""
    assert chart.line((0.0, 5.0, 10.0), 10.0) == "0,20.00 1,10.00 2,0.00"


def test_the_area_is_closed_at_the_bottom():
    """The polygon under a line starts and ends on the base line."""
    assert chart.area((5.0, 10.0), 10.0) == "0,20 0,10.00 1,0.00 1,20"


def test_nothing_at_all_is_a_line_at_the_bottom():
    """Without any event the line lies on the base line."""
    assert chart.line((0.0, 0.0), 0.0) == "0,20 1,20"


@given(VALUES)
@example([0.0, 429496730.22560763])
def test_every_point_is_within_the_box(values):
    """No value leaves the box, and points are plain numbers."""
    points = chart.line(values, chart.peak(values))
    assert all(0 <= height <= chart.HEIGHT for height in heights(points))
    assert re.fullmatch(r"(\d+,\d+(\.\d+)? ?)+", points)


def test_the_peak_is_over_all_series():
    """Two lines in one chart share their scale."""
    assert chart.peak((1.0, 3.0), (2.0,)) == 3.0
    assert chart.peak((), ()) == 0.0


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.3, 1), (1, 1), (1.2, 2), (3, 5), (9, 10), (10, 10), (101, 200), (3544, 5000)]
)
def test_axes_end_at_round_numbers(value, top):
    """An axis ends at 1, 2 or 5 times a power of ten, at or above the peak."""
    assert chart.round_up(value) == top


@given(st.floats(0, 1e12))
def test_an_axis_is_never_below_the_peak(value):
    """Nothing is drawn above the axis, and at most the lower fifth of it is all that is used."""
    top = chart.round_up(value)
    assert top >= value
    assert value < 1 or top <= 5 * value
