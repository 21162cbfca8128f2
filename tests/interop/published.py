"""Records of a real Kafka, published by the exchange, for others' software to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from exchange.bus import Publisher
from exchange.envelope import Event, make_evidence
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient
from exchange.trust import Operators, SigningKey, sign_directory
from tests.fakes.bus_world import SCHEMA, World, collect, raw_records

OPERATOR_KEYS = {f"operator-{number}": SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2)}
OPERATORS = Operators(2, {keyid: key.public for keyid, key in OPERATOR_KEYS.items()})

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PSEUDONYM = "mfrggzdfmztwq2lknnwg23tpoa"

RICH = json.dumps(
    {
        "type": "record",
        "name": "ResidenceChanged",
        "namespace": "uz.interior",
        "fields": [
            {"name": "person", "type": "string"},
            {"name": "number", "type": "long"},
            {"name": "share", "type": "double"},
            {"name": "note", "type": ["null", "string"], "default": None},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["MOVED", "LEFT"]}},
            {"name": "tags", "type": {"type": "array", "items": "string"}},
            {"name": "counts", "type": {"type": "map", "values": "int"}},
            {
                "name": "address",
                "type": {"type": "record", "name": "Address", "fields": [{"name": "street", "type": "string"}]},
            },
            {"name": "since", "type": {"type": "int", "logicalType": "date"}},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "fee", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
            {"name": "raw", "type": "bytes"},
        ],
    }
)
"""A schema with a type of every kind that other readers may take in their own way."""


def rich(number: int) -> dict[str, Any]:
    """An event of that schema."""
    return {
        "person": f"Шаҳноза № {number}",
        "number": 2**40 + number,
        "share": 0.5,
        "note": None if number % 2 else "ʻ",
        "kind": "MOVED",
        "tags": ["a", "б"],
        "counts": {"x": number},
        "address": {"street": "Навоий 1"},
        "since": date(2026, 11, 22),
        "at": datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC),
        "fee": Decimal("12.50"),
        "raw": b"\x00\xff",
    }


@dataclass(frozen=True)
class Published:
    """What is on the topic: as our own subscriber read it, verified; and where others find it."""

    kafka: str
    registry: str
    topic: str
    source: str
    dataschema: str
    schema_id: int
    events: tuple[Event, ...]


async def publish_all(kafka: str, registry: str) -> Published:
    """Publish plain events, one with subject and trace, one without a key, and a tombstone; and read them back."""
    world = await World.created(kafka)
    async with HttpClient() as http:
        client = RegistryClient(http, registry, world.clock)
        await client.register(f"{world.topic}-value", RICH)
        schemas = SchemaCache(client)
        name, signer = world.publisher_id, world.keys[world.civil]
        async with Publisher(name, kafka, signer, world.directory, schemas, world.clock) as publisher:
            await publisher.open(world.topic, RICH)
            for number in range(3):
                publisher.add(world.topic, rich(number), key=f"калит-{number}")
            publisher.add(world.topic, rich(3), key="traced", subject=PSEUDONYM, traceparent=TRACE)
            publisher.add(world.topic, rich(4))
            publisher.add(world.topic, None, key="калит-0")
            await publisher.commit()
        registered = await schemas.resolve(f"{world.topic}-value", RICH)
        world.cache = lambda: schemas  # type: ignore[method-assign, assignment, return-value]
        async with world.subscriber("interop") as subscriber:
            events = await collect(subscriber, 6)
    return Published(
        kafka, registry, world.topic, f"/{world.civil}", registered.schema.uri, registered.id, tuple(events)
    )  # type: ignore[arg-type]


async def published_evidence(kafka: str, count: int) -> tuple[World, list[bytes]]:
    """Evidence of each of `count` events that one flush published to Kafka."""
    world = await World.created(kafka)
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for number in range(count):
            publisher.add(world.topic, {"n": number, "text": f"№ {number}"}, key=f"key-{number}")
        await publisher.commit()
    envelope = sign_directory(world.content, OPERATOR_KEYS)
    records = await raw_records(world, world.topic)
    return world, [make_evidence(record, SCHEMA, envelope, OPERATORS).encode() for record in records]
