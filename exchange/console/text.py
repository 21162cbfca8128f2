"""Values as people read them: grouped digits, units, durations, and labels that cannot break the page."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from markupsafe import Markup, escape

_LONGEST_LABEL = 160
_BREAK_AFTER = re.compile(r"(?<=[./])")
_UNITS = ("KiB", "MiB", "GiB")


def integer(value: float) -> str:
    """`336,776`."""
    return f"{round(value):,}"


def rate(per_second: float) -> str:
    """Events per second, as exact as is of use: `0`, `<0.1`, `2.4`, `61,240`; the unit is the caller's."""
    if per_second == 0:
        return "0"
    if per_second < 0.1:
        return "<0.1"
    return f"{per_second:.1f}" if per_second < 10 else integer(per_second)


def percent(share: float) -> str:
    """`12.5 %` of a share between 0 and 1."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share * 100:.1f} %"


def size(count: float) -> str:
    """Bytes as `84.2 MiB`."""
    amount = count / 1024
    for unit in _UNITS[:-1]:
        if amount < 1024:
            return f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} {_UNITS[-1]}"


def duration(seconds: float) -> str:
    """The two largest units: `41 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def clock(moment: datetime, today: datetime) -> str:
    """`10:42:07`, with the date in front when that is not today's (UTC)."""
    return f"{moment:%H:%M:%S}" if moment.date() == today.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


def plain(text: str) -> str:
    """A label without control and direction-changing characters, cut at a length nobody needs."""
    cleaned = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(each)[0] == "C" else each for each in text)
    return cleaned if len(cleaned) <= _LONGEST_LABEL else cleaned[: _LONGEST_LABEL - 1] + "…"


def breakable(text: str) -> Markup:
    """A name that may break after each `.` and `/`, escaped."""
    return Markup("<wbr>").join(escape(part) for part in _BREAK_AFTER.split(plain(text)))


def topic_parts(topic: str) -> tuple[str, str]:
    """The owner's prefix and the event of a topic: `gov.interior.civil.`, `residence-changed.v1`."""
    prefix, event = topic.split(".")[:3], topic.split(".")[3:]
    return (".".join(prefix) + ".", ".".join(event)) if event else ("", topic)
