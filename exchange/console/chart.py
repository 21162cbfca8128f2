"""Geometry of the page's charts: points and widths as SVG attribute values, so no style is inline."""

from __future__ import annotations

from collections.abc import Sequence

HEIGHT = 20
"""Units of height; the width is one unit a bucket."""


def line(values: Sequence[float], peak: float) -> str:
    """`points` of a polyline through `values`; `peak` is at the top."""
    return " ".join(f"{x},{_y(value, peak)}" for x, value in enumerate(values))


def area(values: Sequence[float], peak: float) -> str:
    """`points` of a polygon under `values`."""
    return f"0,{HEIGHT} {line(values, peak)} {len(values) - 1},{HEIGHT}"


def peak(*series: Sequence[float]) -> float:
    """The largest value of all."""
    return max((value for values in series for value in values), default=0.0)


def round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten: where an axis ends."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** (len(str(int(value))) - 1)
    return next(step * unit for step in (1, 2, 5, 10) if value <= step * unit)


def _y(value: float, top: float) -> str:
    # The share first: rounding may not lift the highest point out of the box.
    return f"{HEIGHT * (1 - value / top):.2f}" if top > 0 else str(HEIGHT)
