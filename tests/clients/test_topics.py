"""Records in a topic: what any client's serializer writes, every client's reads, and so do we."""

import asyncio

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.serialization import MessageField, SerializationContext
from schema_registry.client import SchemaRegistryClient as CommunityClient
from schema_registry.client.schema import AvroSchema
from schema_registry.serializers import AvroMessageSerializer

from exchange.avro import frame, unframe
from exchange.clock import SystemClock
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient
from exchange.transport.kafka import IdempotentProducer, TopicSpec, ensure_topics
from tests.clients.calls import done
from tests.clients.rest import TWO

PYTHON = ["confluent-kafka", "confluent-kafka asyncio", "python-schema-registry-client", "exchange"]
NODE = {"@confluentinc/schemaregistry": "confluent", "@kafkajs/confluent-schema-registry": "kafkajs"}
EVERYONE = [*PYTHON, *NODE]


@pytest.fixture(scope="module")
def topic(kafka, shared_url, node):
    """A topic of ours to which each client has written one record that names it."""
    topic = "gov.customs.tariff.written-by-every-client.v1"
    asyncio.run(ensure_topics(kafka, [TopicSpec(topic)]))
    for name, kind in NODE.items():
        node.call("produce", kind, shared_url, kafka, topic, TWO, value_of(name))
    asyncio.run(write_python(kafka, shared_url, topic))
    return topic


def value_of(name):
    """The record that a client writes."""
    return {"f1": name, "f2": "written"}


async def write_python(kafka, url, topic):
    """Each of Python's clients writes its record; ours by our own producer."""
    producer = Producer({"bootstrap.servers": kafka})
    context = SerializationContext(topic, MessageField.VALUE)
    theirs = {
        "confluent-kafka": AvroSerializer(SchemaRegistryClient({"url": url}), TWO),
        "confluent-kafka asyncio": await AsyncAvroSerializer(AsyncSchemaRegistryClient({"url": url}), TWO),
    }
    for name, serialize in theirs.items():
        producer.produce(topic, await done(serialize(value_of(name), context)))
    name = "python-schema-registry-client"
    serializer = AvroMessageSerializer(CommunityClient(url))
    producer.produce(topic, serializer.encode_record_with_schema(f"{topic}-value", AvroSchema(TWO), value_of(name)))
    producer.flush()
    async with HttpClient(timeout=20.0) as http, IdempotentProducer(kafka) as ours:
        registered = await SchemaCache(RegistryClient(http, url, SystemClock())).resolve(f"{topic}-value", TWO)
        await ours.append(topic, frame(registered.id, registered.schema.encode(value_of("exchange"))))


async def read_python(name, url, topic, written):
    """A client of Python's reads a record."""
    context = SerializationContext(topic, MessageField.VALUE)
    if name == "confluent-kafka":
        return AvroDeserializer(SchemaRegistryClient({"url": url}))(written, context)
    if name == "confluent-kafka asyncio":
        return await (await AsyncAvroDeserializer(AsyncSchemaRegistryClient({"url": url})))(written, context)
    if name == "python-schema-registry-client":
        return AvroMessageSerializer(CommunityClient(url)).decode_message(written)
    schema_id, payload = unframe(written)
    async with HttpClient(timeout=20.0) as http:
        cache = SchemaCache(RegistryClient(http, url, SystemClock()))
        await cache.load([schema_id])
        return cache.get(schema_id).schema.decode(payload)


def records(kafka, topic, count):
    """The values in the topic, by confluent-kafka's consumer."""
    settings = {"bootstrap.servers": kafka, "group.id": f"{topic}-test", "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)
    consumer.subscribe([topic])
    try:
        return [each.value() for each in consumer.consume(count, timeout=60.0)]
    finally:
        consumer.close()


@pytest.fixture(scope="module")
def written(kafka, topic):
    """What is in the topic."""
    return records(kafka, topic, len(EVERYONE))


@pytest.mark.parametrize("reader", PYTHON)
async def test_python_reads_what_everyone_writes(reader, shared_url, topic, written):
    """Each client of Python, and our own code, reads the record of every client."""
    values = [await read_python(reader, shared_url, topic, each) for each in written]
    assert sorted(each["f1"] for each in values) == sorted(EVERYONE)
    assert {each["f2"] for each in values} == {"written"}


@pytest.mark.parametrize("reader", list(NODE))
def test_node_reads_what_everyone_writes(reader, node, kafka, shared_url, topic):
    """Each client of Node.js consumes the topic and reads the record of every client."""
    values = node.call("consume", NODE[reader], shared_url, kafka, topic, len(EVERYONE))
    assert sorted(each["f1"] for each in values) == sorted(EVERYONE)
    assert {each["f2"] for each in values} == {"written"}


def test_everyone_wrote_with_one_id(written):
    """Six clients that serialize one schema use one id."""
    assert len({each[:5] for each in written}) == 1


async def test_everyone_is_of_one_version(shared_url, topic):
    """Six clients that register one schema make one version of the subject."""
    client = SchemaRegistryClient({"url": shared_url})
    assert client.get_versions(f"{topic}-value") == [1]
