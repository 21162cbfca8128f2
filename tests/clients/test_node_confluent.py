"""`@confluentinc/schemaregistry` of Node.js, unmodified: each method that it has, and its Avro serializers."""

import base64

import pytest

from tests.clients.node import NodeError
from tests.clients.rest import ONE, OTHER, TWO, TWO_WITHOUT_DEFAULT, record


@pytest.fixture
def client(node, shared_url):
    """Calls of a client of the shared registry, each by one that remembers nothing."""
    return lambda method, *arguments: node.call("confluent", shared_url, method, *arguments)


@pytest.fixture
def alone(node, own_url):
    """Calls of a client of a registry of its own."""
    return lambda method, *arguments: node.call("confluent", own_url, method, *arguments)


def avro(text, **more):
    """A schema as the client takes it."""
    return {"schema": text, "schemaType": "AVRO", **more}


def error_of(client, *call):
    """Status and code of what a call is refused with."""
    with pytest.raises(NodeError) as raised:
        client(*call)
    assert str(raised.value)
    return raised.value.status, raised.value.code


def test_register_and_read(client, subject):
    """What is registered is read by id, by guid, by version and as the latest."""
    first = client("register", subject, avro(ONE))
    second = client("registerFullResponse", subject, avro(TWO))
    assert (second["version"], len(second["guid"])) == (2, 36)
    assert client("getBySubjectAndId", subject, first)["schema"] == ONE
    assert client("getByGuid", second["guid"])["schema"] == TWO
    latest = client("getLatestSchemaMetadata", subject)
    assert (latest["subject"], latest["version"], latest["id"], latest["schema"]) == (subject, 2, second["id"], TWO)
    assert client("getSchemaMetadata", subject, 1)["id"] == first
    assert client("getAllVersions", subject) == [1, 2]
    assert subject in client("getAllSubjects")


def test_lookup(client, subject):
    """A registered schema is found by itself, normalized where asked; others are 40403 and 40401."""
    schema_id = client("register", subject, avro(ONE))
    assert client("getId", subject, avro(ONE)) == schema_id
    assert client("getIdFullResponse", subject, avro(ONE), True)["version"] == 1
    assert client("getVersion", subject, avro(ONE)) == 1
    assert error_of(client, "getId", subject, avro(TWO)) == (404, 40403)
    assert error_of(client, "getId", "none", avro(TWO)) == (404, 40401)


def test_register_normalized(client, subject):
    """With `normalize` another order of properties is the same schema."""
    plain, turned = (avro(record(("f", "int"), extra=each)) for each in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert client("register", subject, plain, True) == client("register", subject, turned, True)


def test_references(client, subject):
    """A schema that uses a type of another subject."""
    name = subject.replace(".", "_").replace("-", "_")
    client("register", subject, avro(record("f", name=name)))
    references = [{"name": name, "subject": subject, "version": 1}]
    schema_id = client("register", f"{subject}-using", avro(record(("used", name)), references=references))
    assert client("getBySubjectAndId", f"{subject}-using", schema_id)["references"] == references
    assert error_of(client, "deleteSubjectVersion", subject, 1) == (422, 42206)


def test_metadata_and_rules_come_back(client, subject):
    """Tags, properties, sensitive names and every member of a rule are stored and answered."""
    rule = {"name": "check", "doc": "says why", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "tags": ["PII"]}
    rule |= {"params": {"a": "b"}, "expr": "true", "onSuccess": "NONE", "onFailure": "ERROR", "disabled": False}
    metadata = {"tags": {"**.f1": ["PII"]}, "properties": {"owner": "customs"}, "sensitive": ["owner"]}
    client("register", subject, avro(ONE, metadata=metadata, ruleSet={"domainRules": [rule]}))
    found = client("getLatestWithMetadata", subject, {"owner": "customs"})
    assert (found["version"], found["metadata"]) == (1, metadata)
    assert found["ruleSet"]["domainRules"] == [rule]
    assert error_of(client, "getLatestWithMetadata", subject, {"owner": "tax"}) == (404, 40403)


def test_deletes(client, subject):
    """Soft and permanent deletes of a version and of a subject, each with its refusals."""
    for schema in (ONE, TWO):
        client("register", subject, avro(schema))
    assert error_of(client, "deleteSubjectVersion", subject, 2, True) == (404, 40407)
    assert client("deleteSubjectVersion", subject, 2) == 2
    assert error_of(client, "deleteSubjectVersion", subject, 2) == (404, 40406)
    assert client("getSchemaMetadata", subject, 2, True)["version"] == 2
    assert client("getVersion", subject, avro(TWO), False, True) == 2
    assert client("deleteSubjectVersion", subject, 2, True) == 2
    assert error_of(client, "deleteSubject", subject, True) == (404, 40405)
    assert client("deleteSubject", subject) == [1]
    assert error_of(client, "deleteSubject", subject) == (404, 40404)
    assert client("deleteSubject", subject, True) == [1]
    assert error_of(client, "getAllVersions", subject) == (404, 40401)


def test_compatibility(client, subject):
    """Levels are set and read; checks of the latest and of a version obey."""
    client("register", subject, avro(ONE))
    assert error_of(client, "getCompatibility", subject) == (404, 40408)
    assert client("updateCompatibility", subject, "FULL") == "FULL"
    assert client("getCompatibility", subject) == "FULL"
    assert client("testSubjectCompatibility", subject, avro(TWO)) is True
    assert client("testSubjectCompatibility", subject, avro(TWO_WITHOUT_DEFAULT)) is False
    assert client("testCompatibility", subject, 1, avro(OTHER)) is False
    assert error_of(client, "testCompatibility", subject, 9, avro(ONE)) == (404, 40402)
    assert error_of(client, "updateCompatibility", subject, "SIDEWAYS") == (422, 42203)


def test_config(client, subject):
    """Every member of a configuration that the client knows is stored and answered."""
    rules = {
        "migrationRules": [{"name": "up", "kind": "TRANSFORM", "mode": "UPGRADE", "type": "IGNORE", "disabled": False}]
    }
    config = {
        "alias": "other",
        "normalize": True,
        "compatibilityGroup": "application.version",
        "defaultMetadata": {"properties": {"owner": "customs"}},
        "overrideMetadata": {"properties": {"reviewed": "yes"}},
        "defaultRuleSet": rules,
        "overrideRuleSet": rules,
    }
    client("updateConfig", subject, {"compatibility": "FULL", **config})
    assert client("getConfig", subject) == {"compatibilityLevel": "FULL", **config}


def test_the_config_of_all(alone):
    """The level of all is BACKWARD until it is set."""
    assert alone("getDefaultCompatibility") == "BACKWARD"
    assert alone("updateDefaultCompatibility", "NONE") == "NONE"
    assert alone("updateDefaultConfig", {"compatibility": "FULL", "normalize": True})["normalize"] is True
    assert alone("getDefaultConfig") == {"compatibilityLevel": "FULL", "normalize": True}


def test_refusals(client, subject):
    """Errors arrive with status, code and words."""
    client("register", subject, avro(ONE))
    assert error_of(client, "getLatestSchemaMetadata", "none") == (404, 40401)
    assert error_of(client, "getSchemaMetadata", subject, 7) == (404, 40402)
    assert error_of(client, "getSchemaMetadata", subject, 0) == (422, 42202)
    assert error_of(client, "getBySubjectAndId", subject, 2**30) == (404, 40403)
    assert error_of(client, "register", subject, avro(OTHER)) == (409, 409)
    assert error_of(client, "register", subject, avro("no schema")) == (422, 42201)


def test_a_record_is_written_and_read(node, shared_url, unique):
    """What the serializer writes with the latest schema, the deserializer reads."""
    topic, value = unique("topic"), {"f1": "0101", "f2": "kg"}
    written = node.call("write", "confluent", shared_url, topic, TWO, value)
    assert base64.b64decode(written)[:1] == b"\0"
    assert node.call("read", "confluent", shared_url, topic, written) == value
