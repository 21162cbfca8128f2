"""confluent-kafka's Avro serializers, both kinds, unmodified, beside ours."""

import asyncio
import json

import pytest
from confluent_kafka.schema_registry import (
    AsyncSchemaRegistryClient,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    dual_schema_id_deserializer,
    header_schema_id_serializer,
    record_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from exchange.avro import Schema as OurSchema
from exchange.avro import frame, unframe
from exchange.clock import SystemClock
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient
from tests.clients.calls import done, refusal
from tests.clients.rest import ONE, OTHER, TWO, record

KINDS = {
    "sync": (SchemaRegistryClient, AvroSerializer, AvroDeserializer),
    "async": (AsyncSchemaRegistryClient, AsyncAvroSerializer, AsyncAvroDeserializer),
}
LATEST = {"auto.register.schemas": False, "use.latest.version": True}
KNOWN = {"auto.register.schemas": False}


@pytest.fixture(params=list(KINDS))
def kinds(request):
    """Each of the two kinds: client, serializer, deserializer."""
    return KINDS[request.param]


@pytest.fixture
def connect(kinds, shared_url):
    """Makes clients that know nothing yet."""
    return lambda: kinds[0]({"url": shared_url})


@pytest.fixture
async def write(kinds, connect):
    """Serializes a value with a schema and settings, by a new client."""

    async def write(context, value, schema=None, **settings):
        serialize = await done(kinds[1](connect(), schema, conf=settings))
        return await done(serialize(value, context))

    return write


@pytest.fixture
async def read(kinds, connect):
    """Deserializes, with a reader's schema where one is given, by a new client."""

    async def read(context, written, schema=None, **settings):
        deserialize = await done(kinds[2](connect(), schema, conf=settings))
        return await done(deserialize(written, context))

    return read


@pytest.fixture
def topic(unique):
    """A topic that no other test uses."""
    return unique("gov.customs.tariff")


@pytest.fixture
def context(topic):
    """Where a value is written to."""
    return SerializationContext(topic, MessageField.VALUE)


async def test_a_record_is_written_and_read(write, read, context):
    """The serializer registers its schema; a deserializer that knows nothing yet reads."""
    value = {"f1": "0101", "f2": "kg"}
    assert await read(context, await write(context, value, TWO)) == value


async def test_keys_have_a_subject_of_their_own(connect, write, read, topic):
    """A key is registered under TOPIC-key."""
    context = SerializationContext(topic, MessageField.KEY)
    assert await read(context, await write(context, "0101", '"string"')) == "0101"
    assert await done(connect().get_versions(f"{topic}-key")) == [1]


async def test_the_latest_version_is_used_where_asked(connect, write, context, topic):
    """A producer that may not register writes with what is registered."""
    schema_id = await done(connect().register_schema(f"{topic}-value", Schema(ONE, "AVRO")))
    latest = await write(context, {"f1": "0101"}, **LATEST)
    known = await write(context, {"f1": "0101"}, ONE, **KNOWN)
    assert latest == known == b"\0" + schema_id.to_bytes(4, "big") + b"\x080101"


async def test_an_unknown_schema_is_not_written(connect, kinds, context, topic):
    """A producer that may not register ends where its schema is not there."""
    await done(connect().register_schema(f"{topic}-value", Schema(ONE, "AVRO")))
    serialize = await done(kinds[1](connect(), TWO, conf=KNOWN))
    error = await refusal(SchemaRegistryError, serialize, {"f1": "", "f2": ""}, context)
    assert (error.http_status_code, error.error_code) == (404, 40403)


async def test_an_incompatible_schema_is_not_written(write, context):
    """A producer whose schema may not follow ends with the 409."""
    await write(context, {"f1": "0101"}, ONE)
    error = await refusal(SchemaRegistryError, write, context, {"f1": 1}, OTHER)
    assert (error.http_status_code, error.error_code) == (409, 409)


async def test_a_record_is_read_with_a_newer_schema(write, read, context):
    """The reader's schema fills in what the writer's lacks; an older one leaves out what it does not know."""
    old = await write(context, {"f1": "0101"}, ONE)
    new = await write(context, {"f1": "0101", "f2": "kg"}, TWO)
    assert await read(context, old, TWO) == {"f1": "0101", "f2": "foo"}
    assert await read(context, new, ONE) == {"f1": "0101"}


async def test_a_normalized_schema(connect, write, context, topic):
    """`normalize.schemas` makes one version of two orders of properties."""
    for extra in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        await write(context, {"f": 1}, record(("f", "int"), extra=extra), **{"normalize.schemas": True})
    assert await done(connect().get_versions(f"{topic}-value")) == [1]


async def test_a_subject_may_be_named_after_the_record(connect, write, read, context, unique):
    """The client's own strategy for subjects works as well."""
    name = unique("Record").replace("-", "_")
    settings = {"subject.name.strategy": record_subject_name_strategy}
    written = await write(context, {"f1": "0101"}, record("f1", name=name), **settings)
    assert await done(connect().get_versions(name)) == [1]
    assert await read(context, written) == {"f1": "0101"}


async def test_types_of_other_subjects_are_resolved(connect, write, read, context, topic):
    """A serializer with references fetches what they name, and so does a deserializer."""
    name = topic.replace(".", "_").replace("-", "_")
    used, using = record("f", name=name), record(("used", name))
    await done(connect().register_schema(f"{topic}-used", Schema(used, "AVRO")))
    schema = Schema(using, "AVRO", [SchemaReference(name, f"{topic}-used", 1)])
    value = {"used": {"f": "0101"}}
    assert await read(context, await write(context, value, schema)) == value


async def test_the_id_may_be_in_a_header(write, read, topic):
    """A guid in a header takes the place of the id in front of the value."""
    headers = []
    context = SerializationContext(topic, MessageField.VALUE, headers)
    written = await write(context, {"f1": "0101 21"}, ONE, **{"schema.id.serializer": header_schema_id_serializer})
    assert written == b"\x0e0101 21"
    assert len(headers) == 1
    settings = {"schema.id.deserializer": dual_schema_id_deserializer}
    assert await read(context, written, **settings) == {"f1": "0101 21"}


async def test_ours_and_theirs_write_the_same_bytes(write, read, context, shared_url, topic):
    """A value serialized by either is read by both."""
    value = {"f1": "0101", "f2": "kg"}
    written = await write(context, value, TWO)
    async with HttpClient(timeout=20.0) as http:
        cache = SchemaCache(RegistryClient(http, shared_url, SystemClock()))
        registered = await cache.resolve(f"{topic}-value", TWO)
    ours = frame(registered.id, registered.schema.encode(value))
    assert written == ours
    assert await read(context, ours) == value
    schema_id, payload = unframe(written)
    assert (schema_id, OurSchema.parse(TWO).decode(payload)) == (registered.id, value)


async def test_many_producers_at_once_get_one_id(kinds, shared_url, topic, context):
    """Twenty serializers that register one new schema at the same moment agree about its id."""
    schema = json.dumps(json.loads(record(f"f_{topic[-8:]}")))

    def blocking():
        return AvroSerializer(SchemaRegistryClient({"url": shared_url}), schema)({f"f_{topic[-8:]}": ""}, context)

    async def awaiting():
        serialize = await AsyncAvroSerializer(AsyncSchemaRegistryClient({"url": shared_url}), schema)
        return await serialize({f"f_{topic[-8:]}": ""}, context)

    makers = [asyncio.to_thread(blocking) if kinds[1] is AvroSerializer else awaiting() for _ in range(20)]
    assert len(set(await asyncio.gather(*makers))) == 1
