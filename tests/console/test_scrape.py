"""Asking processes that are really served."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from exchange.console import History, Scraper
from exchange.console.history import Process
from exchange.errors import SettingsError
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port

from .figures import FLIGHTS, MovedClock, ServedProcess, lag, published


@pytest.fixture
def history() -> History:
    """Nothing seen yet."""
    return History()


def scraper_of(targets: dict[str, str], history: History, client: HttpClient, clock: MovedClock) -> Scraper:
    """A scraper of these targets."""
    return Scraper(lambda: targets, history, client, clock)


def only(history: History) -> Process:
    """The one process of the history."""
    [process] = history.processes()
    return process


async def test_a_served_process_is_read(process: ServedProcess, history, client, clock):
    """What the official client exposes is what the history holds."""
    registry = CollectorRegistry()
    Counter("exchange_published_total", "", ["topic", "publisher"], registry=registry).labels(FLIGHTS, "p").inc(12)
    Gauge("exchange_consumer_lag", "", ["topic", "partition", "group"], registry=registry).labels("t", "0", "g").set(4)
    process.metrics = generate_latest(registry).decode()
    await scraper_of({"adapter": process.address}, history, client, clock).scrape()
    read = only(history)
    assert read.problem is None
    assert read.latest.counters == {published(FLIGHTS, "p"): 12.0}
    assert read.latest.gauges == {lag(0, "t", "g"): 4.0}
    assert history.scraped == clock.now()


async def test_two_rounds_give_a_rate(process: ServedProcess, history, client, clock):
    """The rate is of what was counted between two rounds."""
    scraper = scraper_of({"adapter": process.address}, history, client, clock)
    process.metrics = 'exchange_published_total{topic="t",publisher="p"} 10\n'
    await scraper.scrape()
    clock.pass_seconds(2)
    process.metrics = 'exchange_published_total{topic="t",publisher="p"} 40\n'
    await scraper.scrape()
    assert only(history).counters[published("t", "p")].per_second == 15.0


async def test_the_address_of_the_metrics_may_be_given_whole(process: ServedProcess, history, client, clock):
    """A target may be the address of a process or of its metrics."""
    await scraper_of({"adapter": f"{process.address}/metrics"}, history, client, clock).scrape()
    assert only(history).problem is None


async def test_a_process_that_is_not_there_does_not_answer(history, client, clock):
    """A refused connection is the reason that is shown."""
    address = f"http://127.0.0.1:{free_port()}"
    await scraper_of({"gateway": address}, history, client, clock).scrape()
    assert f"{address} cannot be reached" in only(history).problem
    assert only(history).since == clock.now()


async def test_a_process_that_hangs_does_not_hold_up_the_rest(process: ServedProcess, history, client, clock):
    """A process that never finishes its answer is given up; the others are read all the same."""
    process.hangs = True
    targets = {"hanging": process.address, "gone": f"http://127.0.0.1:{free_port()}"}
    await scraper_of(targets, history, client, clock).scrape()
    gone, hanging = history.processes()
    assert "in time" in hanging.problem or "within 2 s" in hanging.problem
    assert gone.problem is not None


async def test_an_error_status_is_said(process: ServedProcess, history, client, clock):
    """A process that answers with an error is not up."""
    process.status = 500
    await scraper_of({"gateway": process.address}, history, client, clock).scrape()
    assert only(history).problem == "it answers 500 at /metrics"


async def test_metrics_that_are_none_are_said(process: ServedProcess, history, client, clock):
    """A process that serves something else is not up, and its figures are not half-read."""
    process.metrics = 'exchange_published_total{topic="t"} 1\nexchange_published_total{topic="broken\n'
    await scraper_of({"gateway": process.address}, history, client, clock).scrape()
    assert "not Prometheus text" in only(history).problem
    assert only(history).latest is None


async def test_a_process_that_is_not_ready_says_why(process: ServedProcess, history, client, clock):
    """The one line of `/readyz` is taken over, shortened and on one line."""
    process.missing = "the consent view\nis behind " + "x" * 500
    await scraper_of({"gateway": process.address}, history, client, clock).scrape()
    assert only(history).not_ready.startswith("the consent view is behind xxx")
    assert len(only(history).not_ready) == 200


async def test_a_process_that_comes_back_is_up_again(process: ServedProcess, history, client, clock):
    """After a failure the next good answer ends it."""
    scraper = scraper_of({"gateway": process.address}, history, client, clock)
    process.status = 503
    await scraper.scrape()
    process.status = 200
    back = clock.pass_seconds(2)
    await scraper.scrape()
    assert (only(history).problem, only(history).since) == (None, back)


@pytest.mark.parametrize("address", ["", "ftp://127.0.0.1/", "gateway", "file:///etc/hostname", "http://"])
async def test_an_address_that_is_none_is_refused(address, history, client, clock):
    """Only HTTP addresses are asked."""
    await scraper_of({"gateway": address}, history, client, clock).scrape()
    assert only(history).problem == f"{address!r} is not the address of a process"


@pytest.mark.parametrize(
    "failure", [OSError("permission denied"), SettingsError("run: not a folder"), ValueError("bad JSON")]
)
async def test_a_list_that_cannot_be_read_is_a_notice(process: ServedProcess, failure, history, client, clock):
    """While the list of processes cannot be read, what is known stays and the page says why it is old."""
    broken = False

    def targets() -> dict[str, str]:
        if broken:
            raise failure
        return {"gateway": process.address}

    scraper = Scraper(targets, history, client, clock)
    await scraper.scrape()
    broken = True
    await scraper.scrape()
    assert history.notice == f"The list of processes could not be read: {failure}"
    assert only(history).registered
    broken = False
    await scraper.scrape()
    assert history.notice is None


async def test_a_process_taken_off_the_list_has_ended(process: ServedProcess, history, client, clock):
    """What is not listed any more is not asked any more."""
    targets = {"adapter": process.address}
    scraper = scraper_of(targets, history, client, clock)
    await scraper.scrape()
    targets.clear()
    await scraper.scrape()
    assert not only(history).registered


async def test_too_many_targets_are_bounded(history, client, clock):
    """However long the list is, a bounded number is asked."""
    targets = {f"adapter-{number:04}": "no address" for number in range(1000)}
    await scraper_of(targets, history, client, clock).scrape()
    assert len(history.processes()) == 200


async def test_the_loop_goes_on_until_it_is_cancelled(process: ServedProcess, history, client, clock):
    """Rounds follow each other, and ending the task ends them."""
    rounds = asyncio.Queue()

    def targets() -> dict[str, str]:
        rounds.put_nowait(None)
        return {"gateway": process.address}

    running = asyncio.create_task(Scraper(targets, history, client, clock).run(0.0))
    for _ in range(3):
        await rounds.get()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert only(history).problem is None
