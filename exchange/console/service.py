"""The console as a process: scrapes in the background, serves the page, keeps nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from exchange.clock import Clock
from exchange.console.app import build_app
from exchange.console.history import History
from exchange.console.model import Page
from exchange.console.scrape import Scraper, Targets
from exchange.console.view import build_page
from exchange.transport.http import HttpClient
from exchange.transport.web import serve


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """What a console needs: where it listens (HOST:PORT), whose figures it shows, and how often it asks."""

    listen: str
    instance: str
    targets: Targets
    clock: Clock
    refresh_seconds: int = 5
    scrape_seconds: float = 2.0
    version: str | None = None


class ConsoleService:
    """Scrapes and serves while its block runs."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._history = History()
        self._stack = AsyncExitStack()
        self._scraping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        context = self._context
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(HttpClient(timeout=context.scrape_seconds))
            scraper = Scraper(context.targets, self._history, client, context.clock)
            app = build_app(self.page, context.refresh_seconds, self._not_ready, context.version)
            await stack.enter_async_context(serve(app, context.listen))
            self._scraping = asyncio.create_task(scraper.run(context.scrape_seconds), name="console-scrape")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._stack:
            if self._scraping is not None:
                self._scraping.cancel()
                with suppress(asyncio.CancelledError):
                    await self._scraping

    def page(self) -> Page:
        """The figures as of now."""
        return build_page(self._history, self._context.instance, self._context.clock.now())

    def _not_ready(self) -> str | None:
        if self._scraping is None or self._scraping.done():
            return "scraping has stopped"
        return None if self._history.scraped is not None else "the first scrape is under way"
