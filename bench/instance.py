"""What the contenders run against: one Kafka, our registry, and a directory of one agency."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.events import SCHEMA_TEXT
from exchange.bus import Publisher, topic_specs
from exchange.clock import SystemClock, format_millis
from exchange.ids import AgencyId, PublisherId
from exchange.registry import KafkaSchemaStore, OpenWrites, RegistryClient, RegistryService, SchemaCache, build_app
from exchange.transport.http import HttpClient
from exchange.transport.kafka import KafkaNode, ensure_topics, free_port
from exchange.transport.web import serve
from exchange.trust import Directory, SigningKey

LIBS = Path(__file__).parents[1] / ".cache" / "kafka-4.2.0"
AGENCY = AgencyId.parse("UZ/GOV/interior/civil")
PUBLISHER = PublisherId(AGENCY, "residents")


@dataclass(frozen=True)
class Instance:
    """Everything a contender needs to know; `logs` is where the broker keeps its segments."""

    kafka: str
    registry_url: str
    registry: RegistryClient
    directory: Directory
    key: SigningKey
    logs: Path

    def schemas(self) -> SchemaCache:
        """A schema cache of its own, as each process has."""
        return SchemaCache(self.registry)

    def publisher(self) -> Publisher:
        """A publisher with default settings, not started."""
        return Publisher(PUBLISHER, self.kafka, self.key, lambda: self.directory, self.schemas(), SystemClock())


@asynccontextmanager
async def running(topics: Mapping[str, int], seed: bytes | None = None) -> AsyncIterator[Instance]:
    """Start Kafka and the registry, make `topics` (name: partitions), register the resident's schema for each."""
    key, clock = SigningKey.from_seed(seed or os.urandom(32)), SystemClock()
    directory = directory_of(topics, key)
    async with AsyncExitStack() as stack:
        data = stack.enter_context(TemporaryDirectory(prefix="exchange-bench-"))
        node = await stack.enter_async_context(KafkaNode(libs=LIBS, data=Path(data), heap="768m"))
        await ensure_topics(node.bootstrap, topic_specs(directory))
        service = RegistryService(KafkaSchemaStore(node.bootstrap, clock))
        await service.start()
        stack.push_async_callback(service.close)
        listen = f"127.0.0.1:{free_port()}"
        await stack.enter_async_context(serve(build_app(service, OpenWrites()), listen))
        http = await stack.enter_async_context(HttpClient())
        client = RegistryClient(http, f"http://{listen}", clock)
        for topic in topics:
            await client.register(f"{topic}-value", SCHEMA_TEXT)
        yield Instance(node.bootstrap, f"http://{listen}", client, directory, key, Path(data) / "log")


@asynccontextmanager
async def joined(kafka: str, registry_url: str, topics: Mapping[str, int], seed: bytes) -> AsyncIterator[Instance]:
    """The same instance from another process: `seed` is the key's."""
    key = SigningKey.from_seed(seed)
    async with HttpClient() as http:
        client = RegistryClient(http, registry_url, SystemClock())
        yield Instance(kafka, registry_url, client, directory_of(topics, key), key, Path())


def directory_of(topics: Mapping[str, int], key: SigningKey) -> Directory:
    """A directory of one agency that owns `topics`."""
    return Directory.parse(_directory(topics, key), "bench")


def _directory(topics: Mapping[str, int], key: SigningKey) -> bytes:
    now = datetime.now(UTC)
    entry = {
        "public": key.public.text,
        "not_before": format_millis(now - timedelta(days=1)),
        "not_after": format_millis(now + timedelta(days=365)),
    }
    subsystem = {
        "name": AGENCY.subsystem,
        "keys": [entry],
        "topics": [
            {"name": topic, "publishers": [PUBLISHER.name], "partitions": count} for topic, count in topics.items()
        ],
    }
    member = {"id": str(AGENCY.member_id), "name": "Interior", "status": "active", "subsystems": [subsystem]}
    content = {
        "instance": AGENCY.instance,
        "version": 1,
        "issued": format_millis(now),
        "expires": format_millis(now + timedelta(days=1)),
        "registry_url": "http://127.0.0.1:1",
        "audit_log": {"origin": "bench", "url": "http://127.0.0.1:1", "key": entry},
        "gateways": [],
        "members": [member],
    }
    return json.dumps(content).encode()
