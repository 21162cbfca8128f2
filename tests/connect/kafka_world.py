"""An instance on a real Kafka: one agency that captures a table, one whose table follows the topic."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exchange.bus import Subscriber, topic_specs
from exchange.clock import SystemClock, format_millis
from exchange.connect import AdapterContext, Patience
from exchange.ids import AgencyId
from exchange.transport.kafka import KafkaAdmin
from exchange.trust import Directory, SigningKey
from tests.connect.world import PEPPER, SCHEMA
from tests.fakes.registry_fake import FakeRegistry, FakeSchemaCache

FOLLOW = """\
subscriptions:
  - name: copies
    topic: TOPIC
    table: WEATHER
    columns: {STATION: station, TEMP: temperature}
    match: [STATION]
"""
"""The second half of an adapter file: the events of TOPIC into the table WEATHER."""


class KafkaWorld:
    """Names are unique, so that tests share a Kafka and nothing else. `folder` is what a child process is given."""

    def __init__(self, kafka: str, folder: Path) -> None:
        self.kafka = kafka
        self.folder = folder
        name = uuid.uuid4().hex[:8]
        self.agency = AgencyId("UZ", "GOV", f"hydromet-{name}", "observations")
        self.topic = f"{self.agency.topic_prefix}weather-observed.v1"
        self.key = SigningKey.generate()
        self.key.save(folder / "key.pem")
        (folder / "world.json").write_text(json.dumps({"kafka": kafka, "topic": self.topic}))
        (folder / "directory.json").write_text(json.dumps(self._directory()))
        (folder / "weather.avsc").write_text(json.dumps(SCHEMA))

    async def create_topics(self) -> None:
        """Make the instance's topics."""
        async with KafkaAdmin(self.kafka) as admin:
            await admin.ensure_topics(topic_specs(load_directory(self.folder)))

    def context(self) -> AdapterContext:
        """What an adapter of the agency is given."""
        return load_context(self.folder)

    def adapter(self, name: str, parts: str) -> Path:
        """An adapter file of the agency; `TOPIC` stands for the topic."""
        head = f"version: 1\nagency: {self.agency}\ndatabase: {{url: 'sqlite:///{self.folder}/legacy.db', poll: 1ms}}\n"
        path = self.folder / f"{name}.yaml"
        path.write_text(head + parts.replace("TOPIC", self.topic))
        return path

    async def read(self, count: int, group: str = "reader", topic: str | None = None) -> list[Any]:
        """The first `count` events of the topic."""
        context, found = self.context(), []
        arguments = (context.bootstrap, context.directory, context.schemas, context.clock)
        async with Subscriber(self.agency, f"{self.agency}/{group}", [topic or self.topic], *arguments) as subscriber:
            async for batch in subscriber.batches():
                found += batch.events
                await subscriber.commit(batch)
                if len(found) >= count:
                    return found
        return found

    def _directory(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        key = {
            "public": self.key.public.text,
            "not_before": format_millis(now - timedelta(days=1)),
            "not_after": format_millis(now + timedelta(days=1)),
        }
        topic = {"name": self.topic, "publishers": ["hourly"], "partitions": 1}
        subsystem = {"name": self.agency.subsystem, "keys": [key], "topics": [topic]}
        return {
            "instance": "UZ",
            "version": 1,
            "issued": format_millis(now),
            "expires": format_millis(now + timedelta(days=1)),
            "registry_url": "http://127.0.0.1:1",
            "audit_log": {"origin": "uz/audit", "url": "http://127.0.0.1:1", "key": key},
            "gateways": [],
            "members": [{"id": str(self.agency.member_id), "name": "H", "status": "active", "subsystems": [subsystem]}],
        }


def load_directory(folder: Path) -> Directory:
    """The instance's directory, in whatever process."""
    return Directory.parse((folder / "directory.json").read_bytes(), "digest")


def load_context(folder: Path) -> AdapterContext:
    """What an adapter is given, in whatever process."""
    world = json.loads((folder / "world.json").read_text())
    directory = load_directory(folder)
    return AdapterContext(
        bootstrap=world["kafka"],
        directory=lambda: directory,
        signer=SigningKey.load(folder / "key.pem"),
        schemas=load_schemas(world["topic"]),
        pepper=PEPPER,
        clock=SystemClock(),
        patience=Patience(first=0.05, longest=0.5),
    )


def load_schemas(topic: str) -> FakeSchemaCache:
    """The registry: the same schema has the same id in every process."""
    registry = FakeRegistry()
    registry.register(f"{topic}-value", json.dumps(SCHEMA))
    return registry.cache()
