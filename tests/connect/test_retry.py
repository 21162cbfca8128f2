"""Between two attempts an adapter waits longer each time, and not a moment when it is told to stop."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from exchange.connect.places import place_of
from exchange.connect.retry import Backoff, Patience, pause, require_first_start
from exchange.errors import AdapterError, BrokerUnreachable, DatabaseUnavailable, PeerUnreachable

AWAY = DatabaseUnavailable("locked")


async def waits(backoff, attempts):
    """The seconds that were announced for each of some failures."""
    with capture_logs() as logs:
        for _ in range(attempts):
            await backoff.after(AWAY, "hourly")
    return [entry["seconds"] for entry in logs]


async def test_pauses_double_up_to_the_longest():
    """And begin anew after an attempt that held."""
    stop = asyncio.Event()
    stop.set()
    backoff = Backoff(Patience(first=1, longest=5), stop)
    assert await waits(backoff, 5) == [1, 2, 4, 5, 5]
    backoff.reset()
    assert await waits(backoff, 2) == [1, 2]


async def test_stopping_ends_a_pause():
    """However long it was to be."""
    stop = asyncio.Event()
    waiting = asyncio.create_task(pause(stop, 3600))
    await asyncio.sleep(0)
    stop.set()
    await waiting


async def test_what_will_not_pass_is_raised_at_once():
    """Waiting would only hide it."""
    backoff = Backoff(Patience(), asyncio.Event())
    with pytest.raises(AdapterError, match="no such column"):
        await backoff.after(AdapterError("no such column"), "hourly")


async def test_failures_are_counted_by_code():
    """Those that pass and those that do not."""
    stop = asyncio.Event()
    stop.set()
    name, labels = "exchange_adapter_errors_total", {"code": "database_unavailable"}
    before = REGISTRY.get_sample_value(name, labels) or 0
    await Backoff(Patience(), stop).after(AWAY, "hourly")
    assert REGISTRY.get_sample_value(name, labels) == before + 1


@pytest.mark.parametrize("error", [BrokerUnreachable("no Kafka"), PeerUnreachable("no registry")])
def test_what_was_never_there_is_not_waited_for(error):
    """At the start a wrong address is likelier than an outage; later it is the other way round."""
    with pytest.raises(type(error)):
        require_first_start(error, has_started=False)
    require_first_start(error, has_started=True)


def test_a_locked_database_is_waited_for_at_the_start_too():
    """Some job of the agency's has it, and will let go."""
    require_first_start(AWAY, has_started=False)


FILE = """\
a:
  - b: {c: 1, d: 2}
    e: [x, y]
f: 5
"""


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (("a",), "1:1"),
        (("a", 0), "2:5"),
        (("a", 0, "b", "d"), "2:15"),
        (("a", 0, "e", 1), "3:12"),
        (("a", 0, "missing"), "2:5"),
        (("a", 7), "1:1"),
        (("f", "deeper"), "4:1"),
        ((), "1:1"),
    ],
)
def test_a_place_is_the_deepest_part_that_the_file_has(tmp_path, location, place):
    """As line and column, from 1."""
    path = tmp_path / "file.yaml"
    path.write_text(FILE)
    assert place_of(path, *location) == f"{path}:{place}"


@pytest.mark.parametrize("content", [b"a: [", b"\xff", None])
def test_a_file_that_cannot_be_read_is_named_alone(tmp_path, content):
    """An error about an error helps nobody."""
    path = tmp_path / "file.yaml"
    if content is not None:
        path.write_bytes(content)
    assert place_of(path, "a") == str(path)
