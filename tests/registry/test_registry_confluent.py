"""Confluent's own Python client and serializers, unmodified, against a served registry over a real Kafka."""

import asyncio
import json

import pytest
from confluent_kafka.schema_registry import Schema as TheirSchema
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from exchange.avro import Schema, frame, unframe
from exchange.clock import SystemClock
from exchange.registry import KafkaSchemaStore, OpenWrites, RegistryClient, RegistryService, SchemaCache, build_app
from exchange.transport.kafka import IdempotentProducer
from exchange.transport.web import free_port, serve
from tests.registry.conftest import BAD, V1, V2

TOPIC = "gov.customs.tariff.code-listed.v1"
SUBJECT = f"{TOPIC}-value"
CONTEXT = SerializationContext(TOPIC, MessageField.VALUE)


@pytest.fixture
def topic(unique):
    """Where this test's registry keeps its records."""
    return unique("schemas")


@pytest.fixture
async def over_kafka(kafka, topic):
    """Makes registries over that topic; each is ready."""
    services = []

    async def start():
        store = KafkaSchemaStore(kafka, SystemClock(), topic=topic, transactional_id=topic)
        services.append(RegistryService(store))
        await services[-1].start()
        return services[-1]

    yield start
    for service in services:
        await service.close()


@pytest.fixture
async def served(over_kafka):
    """The URL of a served registry."""
    listen = f"127.0.0.1:{free_port()}"
    async with serve(build_app(await over_kafka(), OpenWrites()), listen):
        yield f"http://{listen}"


async def theirs(work, *arguments):
    """Confluent's client blocks: it runs beside the loop that serves it."""
    return await asyncio.to_thread(work, *arguments)


async def test_their_client_registers_reads_checks_and_configures(served):
    """Every call that the registry serves answers as Confluent's registry does."""
    client = SchemaRegistryClient({"url": served})
    first, second = TheirSchema(V1, "AVRO"), TheirSchema(V2, "AVRO")
    assert await theirs(client.register_schema, SUBJECT, first) == 1
    assert await theirs(client.register_schema, SUBJECT, second) == 2
    assert await theirs(client.get_subjects) == [SUBJECT]
    assert await theirs(client.get_versions, SUBJECT) == [1, 2]
    assert (await theirs(client.get_schema, 1)).schema_str == V1
    latest = await theirs(client.get_latest_version, SUBJECT)
    assert (latest.schema_id, latest.version, latest.schema.schema_str) == (2, 2, V2)
    assert (await theirs(client.get_version, SUBJECT, 1)).schema_id == 1
    assert (await theirs(client.lookup_schema, SUBJECT, first)).version == 1
    assert await theirs(client.test_compatibility, SUBJECT, second) is True
    assert await theirs(client.test_compatibility, SUBJECT, TheirSchema(BAD, "AVRO")) is False
    assert await theirs(client.get_compatibility) == "BACKWARD"
    await theirs(client.set_compatibility, SUBJECT, "FULL")
    assert await theirs(client.get_compatibility, SUBJECT) == "FULL"


async def test_their_client_understands_a_refusal(served):
    """409 and 404 arrive as its own error, with code and words."""
    client = SchemaRegistryClient({"url": served})
    await theirs(client.register_schema, SUBJECT, TheirSchema(V1, "AVRO"))
    with pytest.raises(SchemaRegistryError) as refused:
        await theirs(client.register_schema, SUBJECT, TheirSchema(BAD, "AVRO"))
    assert (refused.value.http_status_code, refused.value.error_code) == (409, 409)
    assert "field 'region_code' was added without a default" in refused.value.error_message
    with pytest.raises(SchemaRegistryError) as missing:
        await theirs(client.get_latest_version, "none")
    assert (missing.value.http_status_code, missing.value.error_code) == (404, 40401)


async def test_their_serializer_and_ours_write_the_same_bytes(served, http):
    """A value serialized by either is read by both."""
    client, text = SchemaRegistryClient({"url": served}), V2
    value = {"code": "0101", "unit": "kg"}
    serialize = AvroSerializer(client, text)
    written = await theirs(serialize, value, CONTEXT)
    registered = await SchemaCache(RegistryClient(http, served, SystemClock())).resolve(SUBJECT, text)
    ours = frame(registered.id, registered.schema.encode(value))
    assert written == ours
    assert await theirs(AvroDeserializer(client), ours, CONTEXT) == value
    schema_id, payload = unframe(written)
    assert (schema_id, Schema.parse(text).decode(payload)) == (registered.id, value)


async def test_their_serializer_uses_what_is_registered(served):
    """Without registering itself, and by the latest version, as producers in production do."""
    client = SchemaRegistryClient({"url": served})
    await theirs(client.register_schema, SUBJECT, TheirSchema(V1, "AVRO"))
    latest = AvroSerializer(client, conf={"auto.register.schemas": False, "use.latest.version": True})
    known = AvroSerializer(client, V1, conf={"auto.register.schemas": False})
    value = {"code": "0101"}
    assert (
        await theirs(latest, value, CONTEXT) == await theirs(known, value, CONTEXT) == b"\x00\x00\x00\x00\x01\x080101"
    )
    unknown = AvroSerializer(client, V2, conf={"auto.register.schemas": False})
    with pytest.raises(SchemaRegistryError):
        await theirs(unknown, value, CONTEXT)


async def test_a_record_of_an_earlier_version_is_read_with_the_newest(served):
    """Evolution as Confluent's deserializer does it."""
    client = SchemaRegistryClient({"url": served})
    written = await theirs(AvroSerializer(client, V1), {"code": "0101"}, CONTEXT)
    await theirs(client.register_schema, SUBJECT, TheirSchema(V2, "AVRO"))
    read = await theirs(AvroDeserializer(client, V2), written, CONTEXT)
    assert read == {"code": "0101", "unit": None}


async def test_a_registry_that_starts_anew_keeps_every_id(over_kafka, kafka, topic):
    """Everything is in the topic: ids, versions, texts, levels; garbage among it is passed over."""
    first = await over_kafka()
    assert [await first.register(SUBJECT, V1), await first.register(SUBJECT, V2)] == [1, 2]
    await first.set_level(SUBJECT, "FULL")
    await first.close()
    async with IdempotentProducer(kafka) as other:
        for key, value in ((None, b"x"), (b"\x00", None), (b'{"keytype":"SCHEMA"}', b"{}")):
            await other.append(topic, value, key=key or b"garbage", partition=0)
    later = await over_kafka()
    assert later.versions(SUBJECT) == first.versions(SUBJECT)
    assert later.level(SUBJECT) == "FULL"
    assert await later.register("other-value", json.dumps("string")) == 3


async def test_two_registries_never_give_one_id_to_two_schemas(over_kafka):
    """The second takes over; what the first still tries is refused and nowhere to be found."""
    first, second = await over_kafka(), await over_kafka()
    outcomes = await asyncio.gather(
        first.register("a-value", V1), second.register("b-value", V2), return_exceptions=True
    )
    assert isinstance(outcomes[0], Exception)
    assert outcomes[1] == 1
    assert second.subjects() == ["b-value"]
