"""A gateway really served on loopback, with a real Kafka behind it and a real little provider beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest

from exchange.clock import SystemClock
from exchange.gateway import AuditTrail, ConsentSubject, GatewayClient, GatewayContext, GatewayService
from exchange.ids import AgencyId, Identifier
from exchange.settings import GatewaySettings
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port, serve
from tests.fakes.instance import CONSENT_PURPOSE, INTERIOR, PROCUREMENT, SOCIAL, TAX, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import MovingClock
from tests.fakes.provider_app import FakeProvider

BIDDER = Identifier("uz-tin", "301234567")
RESIDENT = Identifier("uz-pinfl", "31507850010019")
PEPPER = b"pepper of the tests"


class World:
    """An instance with its processes: providers at tax and interior, and a gateway that can be started anew."""

    def __init__(self, bootstrap: str, unique: Callable[[str], str], http: HttpClient) -> None:
        self.bootstrap = bootstrap
        self.http = http
        self.clock = MovingClock(follows=True)
        gateway = AgencyId.parse(f"UZ/GOV/{unique('egov')}/gateway")
        self.instance = FakeInstance(SystemClock().now(), gateway=gateway)
        self.gateway = gateway
        self.settings = GatewaySettings(provider_timeout_seconds=2.0)
        self.consent_topic = unique("_exchange.consent")
        self.url = f"http://127.0.0.1:{free_port()}"
        self.providers = {
            agency: FakeProvider(self.instance.credentials(agency), self.instance.directory, self.clock)
            for agency in (TAX, INTERIOR)
        }

    @property
    def provider(self) -> FakeProvider:
        """The tax registry."""
        return self.providers[TAX]

    def context(self) -> GatewayContext:
        """What the gateway is given."""
        return GatewayContext(
            bootstrap=self.bootstrap,
            directory=self.instance.directory,
            credentials=self.instance.credentials(self.gateway),
            pepper=PEPPER,
            clock=self.clock,
            http=self.http,
            settings=self.settings,
            consent_topic=self.consent_topic,
        )

    def client(self, agency: AgencyId = PROCUREMENT, clock: MovingClock | None = None) -> GatewayClient:
        """A consumer's client."""
        return GatewayClient(
            self.http, self.instance.credentials(agency), self.instance.directory, clock or self.clock, self.url
        )

    @asynccontextmanager
    async def running(self, audit: AuditTrail | None = None) -> AsyncIterator[GatewayService]:
        """The gateway, served."""
        async with (
            GatewayService(self.context(), audit) as service,
            serve(service.app, self.url.removeprefix("http://")),
        ):
            yield service

    async def start_providers(self, stack: AsyncExitStack) -> None:
        """Serve both providers, and put their addresses into the directory."""

        def change(content):
            for agency, url in urls.items():
                self.instance.subsystem(content, agency)["services"][0]["url"] = url
            content["gateways"][0]["url"] = self.url

        urls = {agency: f"http://127.0.0.1:{free_port()}" for agency in self.providers}
        for agency, provider in self.providers.items():
            await stack.enter_async_context(serve(provider.app, urls[agency].removeprefix("http://")))
        self.instance.edit(change)

    def about(self, consumer: AgencyId = PROCUREMENT) -> ConsentSubject:
        """The bidder's consent to procurement."""
        return ConsentSubject(BIDDER, consumer, TAX_STANDING, CONSENT_PURPOSE)

    async def give(self, *fields: str, hours: float = 24):
        """The bidder consents, through procurement."""
        return await self.client().give_consent(
            self.about(),
            fields or ("standing",),
            language="uz-Latn",
            notice_digest="0" * 64,
            valid_until=self.clock.now() + timedelta(hours=hours),
        )

    async def look_up(self, *fields: str, purpose: str = CONSENT_PURPOSE, service: str = TAX_STANDING):
        """Procurement looks the bidder up."""
        return await self.client().lookup(service, BIDDER, purpose, fields or ("standing",), "tender 17")

    async def look_up_resident(self, *fields: str):
        """Social protection looks the resident up, under a statute."""
        client = self.client(SOCIAL)
        return await client.lookup(
            "UZ/GOV/interior/civil/residence", RESIDENT, "benefit-assignment", fields or ("region_code",), "case 5"
        )


@pytest.fixture
async def world(kafka: str, unique: Callable[[str], str]) -> AsyncIterator[World]:
    """The world without its gateway."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(HttpClient(timeout=10.0))
        world = World(kafka, unique, http)
        await world.start_providers(stack)
        yield world
