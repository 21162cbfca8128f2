"""python-schema-registry-client, both kinds, unmodified: each method that it has, and its serializers."""

import json

import pytest
from schema_registry.client import AsyncSchemaRegistryClient, SchemaRegistryClient
from schema_registry.client.errors import ClientError
from schema_registry.client.schema import AvroSchema
from schema_registry.serializers import AsyncAvroMessageSerializer, AvroMessageSerializer

from tests.clients.calls import done, refusal
from tests.clients.rest import ONE, OTHER, TWO, TWO_WITHOUT_DEFAULT, record

KINDS = {
    "sync": (SchemaRegistryClient, AvroMessageSerializer),
    "async": (AsyncSchemaRegistryClient, AsyncAvroMessageSerializer),
}


@pytest.fixture(params=list(KINDS))
def kinds(request):
    """Each of the two kinds of client, with its serializer."""
    return KINDS[request.param]


@pytest.fixture
def client(kinds, shared_url):
    """A client of the shared registry."""
    return kinds[0](shared_url)


async def test_register_and_read(client, kinds, shared_url, subject):
    """What is registered is read by id, by version and as the latest, also by a client that knows nothing yet."""
    first = await done(client.register(subject, AvroSchema(ONE)))
    second = await done(client.register(subject, TWO))
    other = kinds[0](shared_url)
    assert (await done(other.get_by_id(first))).raw_schema == json.loads(ONE)
    latest = await done(other.get_schema(subject))
    assert (latest.subject, latest.version, latest.schema_id) == (subject, 2, second)
    assert (await done(other.get_schema(subject, version=1))).schema_id == first
    assert await done(other.get_versions(subject)) == [1, 2]


async def test_what_is_not_there_is_none(client, subject):
    """A 404 is None in this client."""
    assert await done(client.get_by_id(2**30)) is None
    assert await done(client.get_schema(subject)) is None
    assert await done(client.get_schema_subject_versions(2**30)) is None
    assert await done(client.check_version(subject, ONE)) is None
    assert await done(client.get_versions(subject)) == []


async def test_places_of_an_id(client, subject):
    """An id names the versions that have it."""
    text = record(subject.replace(".", "_").replace("-", "_"))
    schema_id = await done(client.register(subject, text))
    [place] = await done(client.get_schema_subject_versions(schema_id))
    assert (place.subject, place.version) == (subject, 1)


async def test_check_version(client, kinds, shared_url, subject):
    """A lookup answers the place of a schema."""
    schema_id = await done(client.register(subject, ONE))
    found = await done(kinds[0](shared_url).check_version(subject, ONE))
    assert (found.subject, found.version, found.schema_id) == (subject, 1, schema_id)


async def test_deletes(client, subject):
    """Versions and subjects are deleted; the list of subjects follows."""
    await done(client.register(subject, ONE))
    await done(client.register(subject, TWO))
    assert await done(client.delete_version(subject, version=2)) == 2
    assert await done(client.delete_subject(subject)) == [1]
    assert subject not in await done(client.get_subjects())
    assert await done(client.delete_subject("none")) == []


async def test_compatibility(client, subject):
    """Levels are set and read; checks obey, with messages where asked."""
    await done(client.register(subject, ONE))
    assert await done(client.update_compatibility("FULL", subject=subject)) is True
    assert await done(client.get_compatibility(subject=subject)) == "FULL"
    assert await done(client.test_compatibility(subject, TWO)) is True
    assert await done(client.test_compatibility(subject, OTHER)) is False
    verdict = await done(client.test_compatibility(subject, TWO_WITHOUT_DEFAULT, verbose=True))
    assert verdict["is_compatible"] is False
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in verdict["messages"][0]


async def test_the_level_of_all(kinds, own_url):
    """The level of all is set and read."""
    client = kinds[0](own_url)
    assert await done(client.get_compatibility()) == "BACKWARD"
    assert await done(client.update_compatibility("NONE")) is True
    assert await done(client.get_compatibility()) == "NONE"


async def test_refusals(client, subject):
    """Errors arrive with status, code and words."""
    await done(client.register(subject, ONE))
    error = await refusal(ClientError, client.register, subject, OTHER)
    assert (error.http_code, error.server_traceback["error_code"]) == (409, 409)
    assert "TYPE_MISMATCH" in error.server_traceback["message"]
    error = await refusal(ClientError, client.get_compatibility, subject="none")
    assert (error.http_code, error.server_traceback["error_code"]) == (404, 40408)


async def test_a_record_is_written_and_read(client, kinds, shared_url, subject):
    """What one serializer writes, another that knows nothing yet reads."""
    value = {"f1": "0101", "f2": "kg"}
    written = await done(kinds[1](client).encode_record_with_schema(subject, AvroSchema(TWO), value))
    assert written[:1] == b"\0"
    assert await done(kinds[1](kinds[0](shared_url)).decode_message(written)) == value


async def test_a_record_is_read_with_a_newer_schema(client, kinds, shared_url, subject):
    """The reader's schema fills in what the writer's lacks."""
    written = await done(kinds[1](client).encode_record_with_schema(subject, AvroSchema(ONE), {"f1": "0101"}))
    reader = kinds[1](kinds[0](shared_url), reader_schema=json.loads(TWO))
    assert await done(reader.decode_message(written)) == {"f1": "0101", "f2": "foo"}
