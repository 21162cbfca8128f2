"""A process to look at: really served, and what it says is the test's to change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exchange.console.exposition import Exposition, Series
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port, serve

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@dataclass
class MovedClock:
    """A clock that stands until it is moved."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def pass_seconds(self, seconds: float) -> datetime:
        self.moment += timedelta(seconds=seconds)
        return self.moment


@dataclass
class ServedProcess:
    """What a process answers at `/metrics` and `/readyz`; `address` is where."""

    metrics: str = ""
    status: int = 200
    missing: str | None = None
    address: str = ""
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    hangs: bool = False

    def app(self) -> Starlette:
        async def metrics(_: Request) -> Response:
            if self.hangs:
                await self.silent.wait()
            return PlainTextResponse(self.metrics, self.status)

        async def readyz(_: Request) -> Response:
            return PlainTextResponse(self.missing or "ready\n", 503 if self.missing else 200)

        return Starlette(routes=[Route("/metrics", metrics), Route("/readyz", readyz)])


@pytest.fixture
def clock() -> MovedClock:
    """A clock at noon."""
    return MovedClock()


@pytest.fixture
async def process() -> AsyncIterator[ServedProcess]:
    """One served process that exposes nothing yet."""
    served = ServedProcess()
    listen = f"127.0.0.1:{free_port()}"
    served.address = f"http://{listen}"
    async with serve(served.app(), listen):
        yield served
        served.silent.set()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    """The client the console asks with."""
    async with HttpClient(timeout=2.0) as opened:
        yield opened


@pytest.fixture
def exposed() -> Callable[..., Exposition]:
    """Builds what a process said: `exposed({("exchange_published_total", topic="t"): 3}, …)` in short form."""
    return exposition


def series(name: str, **labels: str) -> Series:
    """A series from keywords."""
    return Series(name, tuple(sorted(labels.items())))


def exposition(
    counters: dict[Series, float] | None = None, gauges: dict[Series, float] | None = None, **facts: object
) -> Exposition:
    """An exposition from plain values."""
    return Exposition(counters=counters or {}, gauges=gauges or {}, **facts)  # type: ignore[arg-type]
