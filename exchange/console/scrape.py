"""Asking every process for its metrics, again and again: bounded in time, in size and in number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

import msgspec

from exchange.clock import Clock
from exchange.console.exposition import Exposition, parse_exposition
from exchange.console.history import MAX_PROCESSES, History
from exchange.console.metrics import SCRAPES
from exchange.errors import ExchangeError, PeerUnreachable, TransportError
from exchange.transport.http import HttpClient

Targets = Callable[[], Mapping[str, str]]
"""Process name -> its address, or the address of its metrics. May raise when what it reads is not there."""

_TIMEOUT_SECONDS = 2.0
_CONCURRENT = 16
_REASON_LENGTH = 200


class Scraper:
    """Fills a `History` from the processes that `targets()` names."""

    def __init__(self, targets: Targets, history: History, client: HttpClient, clock: Clock) -> None:
        self._targets = targets
        self._history = history
        self._client = client
        self._clock = clock
        self._slots = asyncio.Semaphore(_CONCURRENT)

    async def run(self, seconds: float) -> None:
        """Scrape every `seconds`, until cancelled; a round that takes longer is followed at once."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await self.scrape()
            await asyncio.sleep(max(0.0, begun + seconds - loop.time()))

    async def scrape(self) -> None:
        """One round: each process answers or is noted as not answering; raises nothing for either."""
        try:
            targets = dict(sorted(self._targets().items())[:MAX_PROCESSES])
        except (ExchangeError, OSError, ValueError, msgspec.MsgspecError) as error:
            self._history.notice = f"The list of processes could not be read: {error}"
        else:
            self._history.notice = None
            self._history.register(targets, self._clock.now())
            await asyncio.gather(*(self._scrape_one(name, url) for name, url in targets.items()))
        self._history.scraped = self._clock.now()

    async def _scrape_one(self, name: str, url: str) -> None:
        async with self._slots:
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    exposition, not_ready = await self._ask(url)
            except TimeoutError:
                self._failed(name, f"no whole answer within {_TIMEOUT_SECONDS:.0f} s")
            except ExchangeError as error:
                self._failed(name, error.message)
            else:
                SCRAPES.labels("answered").inc()
                now = self._clock.now()
                self._history.process(name, now).answer(exposition, now, not_ready)

    async def _ask(self, url: str) -> tuple[Exposition, str | None]:
        metrics, ready = _addresses(url)
        answer = await self._client.send("GET", metrics, headers={"accept": "text/plain"})
        if answer.status != 200:
            raise PeerUnreachable(f"it answers {answer.status} at {urlsplit(metrics).path}")
        exposition = await asyncio.to_thread(parse_exposition, answer.body)
        readiness = await self._client.send("GET", ready)
        return exposition, _one_line(readiness.body) if readiness.status == 503 else None

    def _failed(self, name: str, problem: str) -> None:
        SCRAPES.labels("failed").inc()
        now = self._clock.now()
        self._history.process(name, now).fail(problem[:_REASON_LENGTH], now)


def _addresses(url: str) -> tuple[str, str]:
    """Where a process tells its metrics, and whether it is ready."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise TransportError(f"{url[:80]!r} is not the address of a process")
    path = parts.path if parts.path not in ("", "/") else "/metrics"
    metrics = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
    return metrics, urlunsplit((parts.scheme, parts.netloc, "/readyz", "", ""))


def _one_line(body: bytes) -> str:
    text = " ".join(body[: 4 * _REASON_LENGTH].decode("utf-8", "replace").split())
    return text[:_REASON_LENGTH] or "not ready"
