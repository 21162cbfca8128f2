"""The style sheet: legible in both colour schemes."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STYLE = files("exchange.console").joinpath("page.css").read_text("utf-8")
TEXTS = ("text", "quiet", "accent", "second", "good", "bad", "warn")


def colours(scheme: str) -> dict[str, str]:
    """The colours of a scheme by name."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.S)
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in blocks)
    return light if scheme == "light" else light | dark


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_colour_is_legible(scheme, name):
    """Text has a contrast of at least 4.5 to 1 on the page's ground (WCAG AA)."""
    palette = colours(scheme)
    assert contrast(palette[name], palette["ground"]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["text", "bad"])
def test_notices_are_legible_on_their_ground(scheme, name):
    """What needs attention is legible on its coloured ground."""
    palette = colours(scheme)
    assert contrast(palette[name], palette["bad-ground"]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["accent", "second", "good", "bad"])
def test_lines_and_bars_are_told_from_the_ground(scheme, name):
    """Drawings have a contrast of at least 3 to 1 on the ground and on the track of a bar (WCAG AA)."""
    palette = colours(scheme)
    assert contrast(palette[name], palette["ground"]) >= 3
    assert contrast(palette[name], palette["track"]) >= 3


def test_both_schemes_name_the_same_colours():
    """No colour of the light scheme is left standing in the dark one."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.S)
    light, dark = (set(re.findall(r"--([a-z-]+):", block)) for block in blocks)
    assert light == dark


def test_the_style_sheet_loads_nothing():
    """No font, image or other sheet is fetched from anywhere."""
    assert "url(" not in STYLE
    assert "@import" not in STYLE
