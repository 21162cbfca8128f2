"""What the console's tests are made of: series, expositions, a clock that is moved, a process that is served."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exchange.console import History
from exchange.console.exposition import CONSUMED, LAG, LOOKUPS, PUBLISHED, Exposition, Series

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
FLIGHTS = "gov.transport.flights.flight-departed.v1"
RESIDENCES = "gov.interior.civil.residence-changed.v1"
DEPARTURES = "UZ/GOV/transport/flights/departures"
RESIDENTS = "UZ/GOV/interior/civil/residents"
COPY = "UZ/GOV/social/benefits/residences"
TAX_STANDING = "UZ/GOV/tax/registry/tax-standing"


@dataclass
class MovedClock:
    """A clock that stands until it is moved."""

    moment: datetime = NOON

    def now(self) -> datetime:
        """The time it was moved to."""
        return self.moment

    def pass_seconds(self, seconds: float) -> datetime:
        """Move it on, and say what it shows."""
        self.moment += timedelta(seconds=seconds)
        return self.moment


@dataclass
class ServedProcess:
    """What a process answers at `/metrics` and `/readyz`; `address` is where."""

    metrics: str = ""
    status: int = 200
    missing: str | None = None
    address: str = ""
    hangs: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Starlette:
        """The application to serve."""
        return Starlette(routes=[Route("/metrics", self._metrics), Route("/readyz", self._readyz)])

    async def _metrics(self, _: Request) -> Response:
        if self.hangs:
            await self.released.wait()
        return PlainTextResponse(self.metrics, self.status)

    async def _readyz(self, _: Request) -> Response:
        return PlainTextResponse(self.missing or "ready\n", 503 if self.missing else 200)


def series(name: str, **labels: str) -> Series:
    """A series from keywords."""
    return Series(name, tuple(sorted(labels.items())))


def published(topic: str = FLIGHTS, publisher: str = DEPARTURES) -> Series:
    """The counter of what was published."""
    return series(PUBLISHED, topic=topic, publisher=publisher)


def consumed(topic: str = RESIDENCES, group: str = COPY) -> Series:
    """The counter of what was consumed."""
    return series(CONSUMED, topic=topic, group=group)


def looked_up(outcome: str, service: str = TAX_STANDING) -> Series:
    """The counter of lookups."""
    return series(LOOKUPS, service=service, outcome=outcome)


def lag(partition: int | str, topic: str = RESIDENCES, group: str = COPY) -> Series:
    """The gauge of a partition's lag."""
    return series(LAG, topic=topic, partition=str(partition), group=group)


def counting(counters: dict[Series, float], **facts: object) -> Exposition:
    """A process that exposes these counters."""
    return Exposition(counters=counters, gauges={}, **facts)  # type: ignore[arg-type]


def gauging(gauges: dict[Series, float], **facts: object) -> Exposition:
    """A process that exposes these gauges."""
    return Exposition(counters={}, gauges=gauges, **facts)  # type: ignore[arg-type]


def history_of(**expositions: Exposition) -> History:
    """A history in which each process answered once, at noon."""
    history = History()
    history.register(expositions, NOON)
    for name, exposition in expositions.items():
        history.process(name, NOON).answer(exposition, NOON)
    history.scraped = NOON
    return history
