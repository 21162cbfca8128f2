"""The guide's own sink does what the guide says of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.bus import Batch, StoredPosition
from exchange.envelope import Event
from exchange.errors import SinkFenced
from exchange.ids import AgencyId

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "follow-a-topic.md"


@pytest.fixture
def sink_of_the_guide(monkeypatch, tmp_path):
    """Makes `CopyOfDepartures` of the guide over one file."""
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path))
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    [program] = [block for block in blocks if "class CopyOfDepartures" in block]
    names = {"__name__": "copy_departures"}
    exec(compile(program, str(PAGE), "exec"), names)  # noqa: S102  (the guide's own program)
    return lambda: names["CopyOfDepartures"](tmp_path / "departed.db")


def batch_of(first, count):
    """Departures from an offset on."""
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    data = {"airline": "HY", "flight_number": 1, "scheduled_departure": moment, "departure_delay_minutes": 5}
    agency = AgencyId.parse("UZ/GOV/transport/flights")
    events = [
        Event("t", 0, at, "k", "", agency, "t", moment, None, data, "p", 1, at, None)
        for at in range(first, first + count)
    ]
    return Batch("t", 0, first, first + count, events, [], f"seq2@{first + count}", 1, group="g")


async def test_the_guides_sink_keeps_rows_and_place_together(sink_of_the_guide):
    """What it stored is its place for the next process."""
    sink = sink_of_the_guide()
    assert await sink.load("g", "t", 0) is None
    await sink.store(batch_of(0, 3))
    await sink.store(batch_of(3, 2))
    again = sink_of_the_guide()
    assert await again.load("g", "t", 0) == StoredPosition(5, "seq2@5")


async def test_the_guides_sink_stores_nothing_for_who_was_overtaken(sink_of_the_guide):
    """A second process that does not know that it lost the partition is told, and no row is there twice."""
    late, other = sink_of_the_guide(), sink_of_the_guide()
    await late.load("g", "t", 0)
    await other.load("g", "t", 0)
    await other.store(batch_of(0, 3))
    with pytest.raises(SinkFenced):
        await late.store(batch_of(0, 3))
    assert await late.load("g", "t", 0) == StoredPosition(3, "seq2@3")
    await late.store(batch_of(3, 1))
