"""The console as a process: served, scraping, closed."""

from __future__ import annotations

import asyncio
import re

import msgspec
import pytest

from exchange.console import ConsoleContext, ConsoleService, Page
from exchange.console.app import SECURITY_HEADERS
from exchange.errors import SettingsError
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port

from .figures import DEPARTURES, FLIGHTS, MovedClock, ServedProcess

METRICS = f'exchange_published_total{{topic="{FLIGHTS}",publisher="{DEPARTURES}"}} 336776\n'


@pytest.fixture
def listen() -> str:
    """A free address."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
async def console(process: ServedProcess, listen: str, clock: MovedClock):
    """A console that watches one served process, once it has looked."""
    process.metrics = METRICS
    context = ConsoleContext(
        listen=listen, instance="UZ", targets=lambda: {"adapter": process.address}, clock=clock, version="0.1.0"
    )
    async with ConsoleService(context) as service:
        while not service.page().topics:
            await asyncio.sleep(0)
        yield service


async def test_the_page_is_served(console, listen, client: HttpClient):
    """The page shows the figures of the process it watches, and asks to be loaded again."""
    answer = await client.send("GET", f"http://{listen}/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["refresh"] == "5"
    assert answer.headers["cache-control"] == "no-store"
    assert b"336,776" in answer.body
    assert b"Console 0.1.0" in answer.body


async def test_a_paused_page_does_not_load_itself(console, listen, client: HttpClient):
    """With `live=off` the page stays until the reader loads it."""
    answer = await client.send("GET", f"http://{listen}/?live=off")
    assert "refresh" not in answer.headers
    assert b"paused" in answer.body


async def test_the_same_figures_are_served_as_json(console, listen, client: HttpClient):
    """Scripts read what people see: the JSON is the page's model, whole."""
    answer = await client.send("GET", f"http://{listen}/api/throughput.json")
    page = msgspec.json.decode(answer.body, type=Page)
    assert page == console.page()
    assert page.topics[0].topic == FLIGHTS
    assert page.topics[0].published.total == 336776
    assert page.agencies[0].agency == "UZ/GOV/transport/flights"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/", "/?live=off", "/api/throughput.json", "/page.css", "/icon.svg", "/nothing"])
async def test_every_answer_has_the_security_headers(console, listen, client: HttpClient, path):
    """No answer, not even an error, comes without the policy."""
    answer = await client.send("GET", f"http://{listen}{path}")
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


async def test_the_policy_allows_no_script():
    """Nothing is allowed but the console's own styles and images; nobody may frame it or have it send a form."""
    policy = dict(part.split(" ", 1) for part in SECURITY_HEADERS["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_the_console_changes_nothing(console, listen, client: HttpClient, method):
    """There is nothing to write to."""
    assert (await client.send(method, f"http://{listen}/")).status == 405


async def test_style_and_icon_are_served(console, listen, client: HttpClient):
    """The two things the page loads are there, with their types."""
    style = await client.send("GET", f"http://{listen}/page.css")
    icon = await client.send("GET", f"http://{listen}/icon.svg")
    assert (style.status, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert (icon.status, icon.headers["content-type"]) == (200, "image/svg+xml")


async def test_the_console_is_a_process_like_the_others(console, listen, client: HttpClient):
    """It lives, is ready once it has looked, and counts its own scrapes."""
    assert (await client.send("GET", f"http://{listen}/healthz")).status == 200
    assert (await client.send("GET", f"http://{listen}/readyz")).status == 200
    metrics = (await client.send("GET", f"http://{listen}/metrics")).body.decode()
    assert re.search(r'exchange_console_scrapes_total\{outcome="answered"\} [1-9]', metrics)


async def test_it_is_not_ready_before_it_has_looked(process: ServedProcess, listen, clock, client: HttpClient):
    """Until the first round is over, readiness says what is missing."""
    process.hangs = True
    context = ConsoleContext(listen, "UZ", lambda: {"adapter": process.address}, clock)
    async with ConsoleService(context):
        answer = await client.send("GET", f"http://{listen}/readyz")
    assert (answer.status, answer.body) == (503, b"the first scrape is under way\n")


async def test_a_scrape_that_broke_is_not_hidden(listen, clock, client: HttpClient):
    """A failure nobody foresaw ends readiness, and comes out when the console is closed."""

    def targets() -> dict[str, str]:
        raise RuntimeError("nobody foresaw this")

    service = await ConsoleService(ConsoleContext(listen, "UZ", targets, clock)).__aenter__()
    answer = await client.send("GET", f"http://{listen}/readyz")
    assert (answer.status, answer.body) == (503, b"scraping has stopped\n")
    with pytest.raises(RuntimeError, match="nobody foresaw this"):
        await service.__aexit__(None, None, None)


async def test_a_taken_address_is_refused_at_start(console, listen, clock):
    """A console that cannot listen says where, and leaves nothing behind."""
    with pytest.raises(SettingsError, match=f"cannot listen at {listen}"):
        async with ConsoleService(ConsoleContext(listen, "UZ", dict, clock)):
            pass


async def test_closing_ends_everything(process: ServedProcess, listen, clock):
    """After its block a console neither answers nor asks."""
    tasks = asyncio.all_tasks()
    async with ConsoleService(ConsoleContext(listen, "UZ", lambda: {"adapter": process.address}, clock)):
        pass
    assert asyncio.all_tasks() == tasks
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(*listen.split(":"))
