"""A small instance as ops run it: the registers publish listings, and benefits has a handler that may fail on them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from exchange.bus import (
    DeadLetters,
    GroupRedeliveries,
    Handling,
    Originals,
    Post,
    Publisher,
    RetryPolicy,
    SetAside,
    Subscriber,
)
from exchange.cli.app import exchange
from exchange.clock import SystemClock
from exchange.envelope import Event
from exchange.ids import AgencyId, PublisherId
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient
from exchange.transport.kafka import IdempotentProducer, Outgoing, Partition
from tests.fakes.home import Home

SCHEMA = """{"type": "record", "name": "Listed", "namespace": "uz.dlq", "doc": "A listing.", "fields": [
  {"name": "code", "type": "string", "doc": "Its code."}]}
"""

MEMBERS = """
instance: UZ
operators: [op-1, op-2]
threshold: 2
registry_url: ${REGISTRY_URL}
audit_log:
  origin: uz-exchange/audit
  url: ${AUDIT_URL}
gateways:
  - agency: UZ/GOV/egov/gateway
    url: ${GATEWAY_URL}
members:
  - id: UZ/GOV/egov
    name: E-government centre
    subsystems:
      - name: gateway
  - id: UZ/GOV/NAME
    name: Registers
    subsystems:
      - name: listings
        topics:
          - name: gov.NAME.listings.listed.v1
            publishers: [lists]
      - name: benefits
"""


@dataclass
class Benefits:
    """The instance, seen from the agency whose dead letters are looked at."""

    home: Home
    kafka: str
    name: str
    group: str = field(init=False)

    def __post_init__(self) -> None:
        self.owner = AgencyId("UZ", "GOV", self.name, "listings")
        self.agency = AgencyId("UZ", "GOV", self.name, "benefits")
        self.topic = f"{self.owner.topic_prefix}listed.v1"
        self.group = f"{self.agency}/copy"

    def publish(self, codes: Iterable[str]) -> None:
        """Publish listings, in one transaction."""
        asyncio.run(self._publish(list(codes)))

    def forge(self, noise: bytes) -> None:
        """Write noise, and the first record once more with another key, past the exchange."""
        asyncio.run(self._forge(noise))

    def handle(self, handler: Callable[[Event], Awaitable[None]], holds: Callable[[], bool]) -> None:
        """Run the handler until something holds, at most 40 s."""
        asyncio.run(self._handle(handler, holds))

    def run(self, *arguments: str) -> Result:
        """Run a command in this process: many in a row would else start many."""
        words = ["--home", str(self.home.path), *arguments]
        return CliRunner().invoke(exchange, words, env=self.home.environment, catch_exceptions=False)

    def rows(self, *arguments: str) -> Any:
        """What a command prints as JSON; it must have succeeded."""
        answer = self.run("-o", "json", *arguments)
        assert answer.exit_code == 0, answer.stderr
        return json.loads(answer.stdout)

    def refusal(self, *arguments: str) -> str:
        """What a command that is refused as wrong usage says."""
        answer = self.run(*arguments)
        assert answer.exit_code == 2, (answer.stdout, answer.stderr)
        return answer.stderr

    async def _publish(self, codes: list[str]) -> None:
        instance, clock = self.home.instance, SystemClock()
        signer = instance.credentials(self.owner).signer
        async with HttpClient() as http:
            schemas = SchemaCache(RegistryClient(http, self.home.url("registry"), clock))
            name = PublisherId(self.owner, "lists")
            async with Publisher(name, self.kafka, signer, instance.directory, schemas, clock) as publisher:
                await publisher.open(self.topic, SCHEMA)
                for code in codes:
                    publisher.add(self.topic, {"code": code}, key=code)
                await publisher.commit()

    async def _forge(self, noise: bytes) -> None:
        async with Originals(self.kafka, Partition(self.topic, 0)) as originals:
            first = await originals.fetch(0)
        assert first is not None
        async with IdempotentProducer(self.kafka) as producer:
            await producer.write([Outgoing(self.topic, 0, b"\xff", noise, [])])
            await producer.write([Outgoing(self.topic, 0, b"another", first.value, list(first.headers))])

    async def _handle(self, handler: Callable[[Event], Awaitable[None]], holds: Callable[[], bool]) -> None:
        instance, clock, group = self.home.instance, SystemClock(), self.group
        signer, directory = instance.credentials(self.agency).signer, instance.directory
        async with HttpClient() as http, asyncio.timeout(40):
            schemas = SchemaCache(RegistryClient(http, self.home.url("registry"), clock))
            async with Subscriber(
                self.agency,
                group,
                [self.topic],
                self.kafka,
                directory,
                schemas,
                clock,
                dead_letters=DeadLetters(self.agency, group, self.kafka, signer, directory, clock),
                redeliveries=GroupRedeliveries(self.agency, group),
            ) as subscriber:
                aside = SetAside(group, Post(self.agency, self.kafka, signer, directory, clock), handler="insert")
                handling = Handling(subscriber, group, aside, RetryPolicy(outage_after=100))
                working = asyncio.ensure_future(handling.process(handler))
                while not holds() and not working.done():
                    await asyncio.sleep(0.05)
                subscriber.stop()
                await working


def make_benefits(home: Home, kafka: str, folder: Path) -> Benefits:
    """Make the instance in an empty home, its topics, and a registry with the schema."""
    made = Benefits(home, kafka, f"dlq-{uuid.uuid4().hex[:8]}")
    members, schema = folder / "members.yaml", folder / "listed.avsc"
    members.write_text(MEMBERS.replace("NAME", made.name))
    schema.write_text(SCHEMA)
    for arguments in (("init", str(members), "--free-ports"), ("up", "topics")):
        answer = home.run(*arguments)
        assert answer.returncode == 0, answer.stderr
    home.ready(home.start("registry"), home.url("registry"))
    registered = home.run("schema", "register", str(schema), "--topic", made.topic)
    assert registered.returncode == 0, registered.stderr
    return made
