"""The page in a real browser: headless Chromium."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright

from exchange.console import ConsoleContext, ConsoleService
from exchange.transport.web import free_port

from .figures import COPY, DEPARTURES, FLIGHTS, RESIDENCES, TAX_STANDING, MovedClock, ServedProcess

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
METRICS = f"""
exchange_published_total{{topic="{FLIGHTS}",publisher="{DEPARTURES}"}} 336776
exchange_published_total{{topic="{RESIDENCES}",publisher="UZ/GOV/interior/civil/residents"}} 20000
exchange_consumed_total{{topic="{RESIDENCES}",group="{COPY}"}} 19997
exchange_refused_total{{topic="{RESIDENCES}",code="inclusion_invalid"}} 1
exchange_dead_letters_total{{topic="{RESIDENCES}",code="inclusion_invalid"}} 1
exchange_lookups_total{{service="{TAX_STANDING}",outcome="permitted"}} 2
exchange_lookups_total{{service="{TAX_STANDING}",outcome="consent_missing"}} 1
exchange_lookups_total{{service="{TAX_STANDING}",outcome="<script>document.title='owned'</script>"}} 1
exchange_consumer_lag{{topic="{RESIDENCES}",partition="0",group="{COPY}"}} 3
exchange_audit_tree_size 63
process_start_time_seconds 1795348000
process_resident_memory_bytes 88604672
"""


@asynccontextmanager
async def console_of(process: ServedProcess, clock: MovedClock, refresh_seconds: int) -> AsyncIterator[str]:
    """The address of a console that watches one process and misses another, once it has looked."""
    process.metrics = METRICS
    targets = {"adapter-transport": process.address, "gateway": f"http://127.0.0.1:{free_port()}"}
    listen = f"127.0.0.1:{free_port()}"
    context = ConsoleContext(listen, "UZ", lambda: targets, clock, refresh_seconds, scrape_seconds=0.2)
    async with ConsoleService(context) as console:
        while console.page().scraped is None:
            await asyncio.sleep(0)
        yield f"http://{listen}/"


@pytest.fixture
async def address(process: ServedProcess, clock: MovedClock) -> AsyncIterator[str]:
    """The address of a console whose page stays while it is looked at."""
    async with console_of(process, clock, refresh_seconds=3600) as opened:
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium: the system's, or the one that playwright brings."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture
async def complaints() -> list[str]:
    """What the browser complained of."""
    return []


async def open_page(browser: Browser, address: str, complaints: list[str], **options: object) -> Page:
    """The console in a new context; every console message and failed request is a complaint."""
    context = await browser.new_context(**options)
    page = await context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on("response", lambda answer: complaints.append(f"{answer.status} {answer.url}") if not answer.ok else None)
    await page.goto(address)
    return page


async def test_the_page_shows_the_counters_without_a_complaint(browser, address, complaints):
    """The page renders with no error and no violation of its policy, and shows what the process counted."""
    page = await open_page(browser, address, complaints)
    topics = page.locator("section", has=page.locator("#topics"))
    row = topics.get_by_role("row").filter(has_text="flight-departed.v1")
    assert "336,776" in await row.inner_text()
    agencies = page.locator("section", has=page.locator("#agencies"))
    assert "UZ/GOV/social/benefits" in await agencies.inner_text()
    decisions = page.locator("section", has=page.locator("#decisions"))
    assert "consent_missing" in await decisions.inner_text()
    assert "partition 0, by 3" in await page.locator("section", has=page.locator("#lag")).inner_text()
    assert await page.get_by_text("gateway does not answer since 12:00:00 UTC").count() == 1
    assert complaints == []


async def test_a_script_in_a_label_is_text(browser, address, complaints):
    """A script that a label carries is read, not run."""
    page = await open_page(browser, address, complaints)
    assert await page.title() == "1 down · Throughput · UZ exchange"
    assert await page.get_by_text("<script>document.title").count() == 1
    assert await page.locator("script").count() == 0


async def test_a_script_that_slips_in_does_not_run(browser, address, complaints):
    """Were a script in the document all the same, the policy would stop it: the browser says so."""
    page = await open_page(browser, address, complaints)
    await page.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = \"document.title = 'owned'\";"
        " document.body.append(script); }"
    )
    assert await page.title() != "owned"
    assert any("Content Security Policy" in each for each in complaints)


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_scrolls_sideways(browser, address, complaints, width, scheme):
    """From a small phone to a desk, in both colour schemes, the page is as wide as its window."""
    page = await open_page(browser, address, complaints, viewport={"width": width, "height": 780}, color_scheme=scheme)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


async def test_the_dark_scheme_is_dark(browser, address, complaints):
    """A reader who asked for dark gets light text on a dark ground; one who did not, the reverse."""
    grounds = {}
    for scheme in ("light", "dark"):
        page = await open_page(browser, address, complaints, color_scheme=scheme)
        grounds[scheme] = await page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
    assert grounds == {
        "light": ["rgb(251, 250, 247)", "rgb(27, 35, 38)"],
        "dark": ["rgb(17, 23, 26)", "rgb(232, 236, 236)"],
    }


@pytest.mark.parametrize("width", [360, 1280])
async def test_tables_are_tables_at_any_width(browser, address, complaints, width):
    """Also where rows are shown as cards, assistive technology finds rows with a header and named columns."""
    page = await open_page(browser, address, complaints, viewport={"width": width, "height": 780})
    assert await page.get_by_role("rowheader", name="gov.transport.flights.flight-departed.v1").count() == 1
    columns = page.get_by_role("table").first.get_by_role("columnheader")
    assert await columns.count() == 9


async def test_the_page_is_used_by_keyboard(browser, address, complaints):
    """The first key leads past the header to the figures; pausing is a link that can be reached."""
    page = await open_page(browser, address, complaints)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Pause"
    await page.keyboard.press("Enter")
    await page.get_by_text("paused").wait_for()
    assert complaints == []


async def test_the_page_follows_by_itself(browser, process: ServedProcess, clock, complaints):
    """What a process counts meanwhile appears on the open page, without a script and without the reader."""
    async with console_of(process, clock, refresh_seconds=1) as address:
        page = await open_page(browser, address, complaints)
        process.metrics = METRICS.replace(" 336776", " 336999")
        await page.get_by_role("cell", name="336,999").first.wait_for()
        assert complaints == []
        await page.close()
