"""`@kafkajs/confluent-schema-registry` of Node.js, unmodified: each method that it has."""

import json

import pytest

from tests.clients.node import NodeError
from tests.clients.rest import ONE, OTHER, TWO, record


@pytest.fixture
def client(node, shared_url):
    """Calls of a client of the shared registry, each by one that remembers nothing."""
    return lambda method, *arguments: node.call("kafkajs", shared_url, method, *arguments)


def avro(text, **more):
    """A schema as the client takes it."""
    return {"type": "AVRO", "schema": text, **more}


def test_register_and_read(client, subject):
    """What is registered is found by version, as the latest, and by itself."""
    first = client("register", avro(ONE), {"subject": subject})["id"]
    second = client("register", avro(TWO), {"subject": subject})["id"]
    assert client("register", avro(ONE), {"subject": subject})["id"] == first
    assert client("getLatestSchemaId", subject) == second
    assert client("getRegistryId", subject, 1) == first
    assert client("getRegistryId", subject, "latest") == second
    assert client("getRegistryIdBySchema", subject, avro(ONE)) == first


def test_a_schema_by_id(node, client, shared_url, subject):
    """A schema that another client registered is the same schema."""
    schema_id = client("register", avro(ONE), {"subject": subject})["id"]
    assert json.loads(node.call("compare", shared_url, "getSchema", schema_id))["fields"][0]["name"] == "f1"


def test_a_raw_schema_names_its_subject(client, unique):
    """Without a subject it is the schema's namespace and name."""
    name = unique("kafkajs").replace("-", "_")
    schema = json.loads(record("f1", name=name, namespace="uz.customs"))
    schema_id = client("register", schema)["id"]
    assert client("getLatestSchemaId", f"uz.customs.{name}") == schema_id


def test_the_level_that_the_client_wants_is_set(node, client, shared_url, subject):
    """At the first registration the client sets its level; later it asks for the same one."""
    client("register", avro(ONE), {"subject": subject, "compatibility": "FULL"})
    assert node.call("confluent", shared_url, "getCompatibility", subject) == "FULL"
    client("register", avro(TWO), {"subject": subject, "compatibility": "FULL"})
    with pytest.raises(NodeError, match="Compatibility does not match the configuration"):
        client("register", avro(TWO), {"subject": subject, "compatibility": "NONE"})


def test_references(node, client, shared_url, subject):
    """A schema that uses a type of another subject is registered, and read with that type."""
    name = subject.replace(".", "_").replace("-", "_")
    client("register", avro(record("f", name=name)), {"subject": subject})
    using = avro(record(("used", name)), references=[{"name": name, "subject": subject, "version": 1}])
    schema_id = client("register", using, {"subject": f"{subject}-using"})["id"]
    read = json.loads(node.call("compare", shared_url, "getSchema", schema_id))
    assert read["fields"][0]["type"]["name"] == name


def test_refusals(client, subject):
    """Errors arrive with status and words."""
    client("register", avro(ONE), {"subject": subject})
    for status, call in (
        (404, ("getLatestSchemaId", "none")),
        (404, ("getRegistryId", subject, 9)),
        (422, ("getRegistryId", subject, "first")),
        (404, ("getSchema", 2**30)),
        (409, ("register", avro(OTHER), {"subject": subject})),
    ):
        with pytest.raises(NodeError) as raised:
            client(*call)
        assert (raised.value.status, bool(str(raised.value))) == (status, True)


def test_a_record_is_encoded_and_decoded(node, shared_url, unique):
    """What is encoded with the latest id is decoded by a client that knows nothing yet."""
    topic, value = unique("topic"), {"f1": "0101", "f2": "kg"}
    written = node.call("write", "kafkajs", shared_url, topic, TWO, value)
    assert node.call("read", "kafkajs", shared_url, topic, written) == value
