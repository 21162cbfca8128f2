"""Three ways to carry the same events: ours, plain aiokafka with fastavro, confluent-kafka with its serializers.

All with zstd, acks=all, the same 8 headers' names, linger and batches as one would set them for throughput; aiokafka's
producer is idempotent. The rivals sign nothing and send constant headers; a consumer's clock starts with its first
batch, so that joining a group counts for nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from io import BytesIO
from typing import Any, Protocol

import fastavro
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro.read import schemaless_reader
from fastavro.write import schemaless_writer

from bench.events import SCHEMA_TEXT
from bench.instance import AGENCY, Instance
from exchange.bus import NewEvent, Subscriber
from exchange.clock import SystemClock
from exchange.envelope import EventHeaders

COMPRESSION = "zstd"
BATCH_BYTES = 1_000_000
LINGER_MS = 5
READ = 2_000
PREFIX = b"\x00\x00\x00\x00\x01"
Events = list[tuple[str, dict[str, Any]]]


class Contender(Protocol):
    """Publishes events and reads them back; both return events per second."""

    name: str

    async def publish(self, topic: str, events: Events) -> float:
        """Until the last event is durable."""
        ...

    async def consume(self, topic: str, count: int) -> float:
        """Until the last event is decoded (and, for ours, verified) and its place committed."""
        ...


class Sealed:
    """Ours: sealed, numbered, in transactions; verified against the directory."""

    name = "exchange"

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def publish(self, topic: str, events: Events) -> float:
        """Sealed publish."""
        instance = self._instance
        async with instance.publisher() as publisher:
            await publisher.open(topic, SCHEMA_TEXT)
            started = time.perf_counter()
            await publisher.publish_many(NewEvent(topic, event, key=key) for key, event in events)
            return len(events) / (time.perf_counter() - started)

    async def consume(self, topic: str, count: int) -> float:
        """Verified consume."""
        instance = self._instance
        subscriber = Subscriber(
            AGENCY,
            f"bench-{topic}",
            [topic],
            instance.kafka,
            lambda: instance.directory,
            instance.schemas(),
            SystemClock(),
            batch_records=READ,
        )
        meter, seen, left = Meter(count), 0, count
        async with subscriber:
            async for _ in subscriber:  # what was processed is committed while the next batch is read
                seen, left = seen + 1, left - 1
                if seen == READ or not left:
                    if meter.add(seen):
                        break
                    seen = 0
        return meter.rate


class Plain:
    """aiokafka's `send()` and fastavro, unsigned."""

    name = "aiokafka"

    def __init__(self, instance: Instance) -> None:
        self._kafka = instance.kafka
        self._schema = fastavro.parse_schema(__import__("json").loads(SCHEMA_TEXT))

    async def publish(self, topic: str, events: Events) -> float:
        """Unsigned publish."""
        headers = constant_headers(topic)
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            acks="all",
            enable_idempotence=True,
            compression_type=COMPRESSION,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
        )
        async with producer:
            started = time.perf_counter()
            for key, event in events:
                buffer = BytesIO(PREFIX)
                buffer.seek(len(PREFIX))
                schemaless_writer(buffer, self._schema, event)
                last = await producer.send(topic, buffer.getvalue(), key=key.encode(), headers=headers)
            await producer.flush()
            await last
            return len(events) / (time.perf_counter() - started)

    async def consume(self, topic: str, count: int) -> float:
        """Unverified consume."""
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self._kafka,
            group_id=f"bench-{topic}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        meter = Meter(count)
        async with consumer:
            while True:
                for records in (await consumer.getmany(timeout_ms=500, max_records=READ)).values():
                    events = [schemaless_reader(BytesIO(record.value[5:]), self._schema, None) for record in records]
                    await consumer.commit()
                    if meter.add(len(events)):
                        return meter.rate


class Confluent:
    """confluent-kafka with its Avro serializer and deserializer, against our registry, unsigned."""

    name = "confluent-kafka"

    def __init__(self, instance: Instance) -> None:
        self._kafka = instance.kafka
        self._url = instance.registry_url

    async def publish(self, topic: str, events: Events) -> float:
        """Unsigned publish; in a thread, as it is a blocking library."""
        return await asyncio.to_thread(self._publish, topic, events)

    async def consume(self, topic: str, count: int) -> float:
        """Unverified consume."""
        return await asyncio.to_thread(self._consume, topic, count)

    def _publish(self, topic: str, events: Events) -> float:
        client = SchemaRegistryClient({"url": self._url})
        serialize = AvroSerializer(client, SCHEMA_TEXT, conf={"auto.register.schemas": False})
        context = SerializationContext(topic, MessageField.VALUE)
        producer = Producer(
            {
                "bootstrap.servers": self._kafka,
                "acks": "all",
                "compression.type": COMPRESSION,
                "linger.ms": LINGER_MS,
                "batch.size": BATCH_BYTES,
                "queue.buffering.max.messages": len(events) + 1,
            }
        )
        headers = constant_headers(topic)
        serialize(events[0][1], context)  # the schema is fetched once
        started = time.perf_counter()
        for number, (key, event) in enumerate(events):
            producer.produce(topic, serialize(event, context), key.encode(), headers=headers)
            if number % 1_000 == 0:
                producer.poll(0)
        producer.flush()
        return len(events) / (time.perf_counter() - started)

    def _consume(self, topic: str, count: int) -> float:
        deserialize = AvroDeserializer(SchemaRegistryClient({"url": self._url}))
        context = SerializationContext(topic, MessageField.VALUE)
        consumer = Consumer(
            {
                "bootstrap.servers": self._kafka,
                "group.id": f"bench-{topic}",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        consumer.subscribe([topic])
        meter = Meter(count)
        while True:
            messages = consumer.consume(READ, timeout=0.5)
            events = [deserialize(message.value(), context) for message in messages]
            if messages:
                consumer.commit(asynchronous=False)
            if meter.add(len(events)):
                consumer.close()
                return meter.rate


class Meter:
    """Events per second after the first batch, which only starts the clock."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._started: float | None = None
        self._timed = 0
        self.rate = 0.0

    def add(self, events: int) -> bool:
        """Count a batch; whether it was the last."""
        self._left -= events
        if self._started is None and events:
            self._started = time.perf_counter()
        else:
            self._timed += events
        if self._left <= 0 and self._started is not None:
            self.rate = self._timed / (time.perf_counter() - self._started)
        return self._left <= 0


def constant_headers(topic: str) -> list[tuple[str, bytes]]:
    """The 8 headers of an event, the same for all."""
    headers = EventHeaders(AGENCY, topic, "ni:///sha-256;" + "A" * 43)
    return headers.build("01934f2e-0000-7000-8000-000000000000", SystemClock().now(), 0)


def contenders(instance: Instance) -> Iterable[Contender]:
    """All three."""
    return [Sealed(instance), Plain(instance), Confluent(instance)]
