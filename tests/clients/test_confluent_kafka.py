"""confluent-kafka's client of the registry, both kinds, unmodified: each method that it has."""

import pytest
from confluent_kafka.schema_registry import (
    AsyncSchemaRegistryClient,
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    ServerConfig,
)
from confluent_kafka.schema_registry.error import SchemaRegistryError

from tests.clients.calls import done, refusal
from tests.clients.rest import ONE, OTHER, TWO, TWO_WITHOUT_DEFAULT, record

KINDS = {"sync": SchemaRegistryClient, "async": AsyncSchemaRegistryClient}


@pytest.fixture(params=list(KINDS))
def kind(request):
    """Each of the two kinds of client."""
    return KINDS[request.param]


@pytest.fixture
def client(kind, shared_url):
    """A client of the shared registry."""
    return kind({"url": shared_url})


@pytest.fixture
def alone(kind, own_url):
    """The only client of a registry of its own."""
    return kind({"url": own_url})


def avro(text, references=(), **more):
    """A schema as the client takes it."""
    return Schema(text, "AVRO", list(references), **more)


def properties(**values):
    """Metadata with these properties."""
    return Metadata(tags=None, properties=MetadataProperties(values), sensitive=None)


async def error_of(call, *arguments, **more):
    """Status and code of what a call is refused with."""
    error = await refusal(SchemaRegistryError, call, *arguments, **more)
    assert error.error_message
    return error.http_status_code, error.error_code


async def test_register_and_read(client, subject):
    """What is registered is read by id, by guid, by version and as the latest."""
    schema_id = await done(client.register_schema(subject, avro(ONE)))
    second = await done(client.register_schema_full_response(subject, avro(TWO)))
    assert second.schema_id > schema_id
    await done(client.clear_caches())
    assert (await done(client.get_schema(schema_id))).schema_str == ONE
    assert (await done(client.get_schema(schema_id, subject_name=subject))).schema_str == ONE
    latest = await done(client.get_latest_version(subject))
    assert (latest.subject, latest.version, latest.schema_id) == (subject, 2, second.schema_id)
    assert latest.schema.schema_str == TWO
    await done(client.clear_caches())
    first = await done(client.get_version(subject, 1))
    assert (first.version, first.schema_id, first.schema.schema_str) == (1, schema_id, ONE)
    await done(client.clear_caches())
    assert (await done(client.get_schema_by_guid(latest.guid))).schema_str == TWO


async def test_register_in_full(client, subject):
    """The full response has id, version and guid."""
    registered = await done(client.register_schema_full_response(subject, avro(ONE)))
    assert registered.schema_id > 0
    assert registered.version == 1
    assert len(registered.guid) == 36


async def test_register_normalized(client, subject):
    """With `normalize_schemas` another order of properties is the same schema."""
    plain, turned = (avro(record(("f", "int"), extra=each)) for each in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    first = await done(client.register_schema(subject, plain, normalize_schemas=True))
    assert await done(client.register_schema(subject, turned, normalize_schemas=True)) == first
    await done(client.clear_caches())
    assert (await done(client.lookup_schema(subject, turned, normalize_schemas=True))).version == 1


async def test_references(client, subject):
    """A schema that uses a type of another subject, and who refers to that."""
    used = record("f", name="Used", namespace=f"n{subject[-14:-6]}")
    using = record(("used", f"n{subject[-14:-6]}.Used"))
    await done(client.register_schema(subject, avro(used)))
    reference = SchemaReference(f"n{subject[-14:-6]}.Used", subject, 1)
    schema_id = await done(client.register_schema(f"{subject}-using", avro(using, [reference])))
    await done(client.clear_caches())
    found = await done(client.get_schema(schema_id))
    assert (found.schema_str, found.references) == (using, [reference])
    assert await done(client.get_referenced_by(subject, 1)) == [schema_id]
    assert await error_of(client.delete_version, subject, 1) == (422, 42206)


async def test_lookup(client, subject):
    """A registered schema is found, among deleted ones where asked; others are 40403 and 40401."""
    schema_id = await done(client.register_schema(subject, avro(ONE)))
    await done(client.clear_caches())
    found = await done(client.lookup_schema(subject, avro(ONE)))
    assert (found.subject, found.version, found.schema_id) == (subject, 1, schema_id)
    assert await error_of(client.lookup_schema, subject, avro(TWO)) == (404, 40403)
    assert await error_of(client.lookup_schema, "none", avro(TWO)) == (404, 40401)
    await done(client.delete_subject(subject))
    await done(client.clear_caches())
    assert (await done(client.lookup_schema(subject, avro(ONE), deleted=True))).version == 1


async def test_types(client):
    """Avro is what there is."""
    assert await done(client.get_schema_types()) == ["AVRO"]


async def test_places_of_an_id(client, subject):
    """Subjects and versions that have an id, with deleted ones where asked, by pages."""
    schema_id = 0
    text = record(subject.replace(".", "_").replace("-", "_"))
    for each in (subject, f"{subject}-2"):
        schema_id = await done(client.register_schema(each, avro(text)))
    assert await done(client.get_subjects_by_schema_id(schema_id)) == [subject, f"{subject}-2"]
    await done(client.delete_version(f"{subject}-2", 1))
    assert await done(client.get_subjects_by_schema_id(schema_id)) == [subject]
    assert await done(client.get_subjects_by_schema_id(schema_id, deleted=True, offset=1)) == [f"{subject}-2"]
    places = await done(client.get_schema_versions(schema_id))
    assert [(each.subject, each.version) for each in places] == [(subject, 1)]
    assert len(await done(client.get_schema_versions(schema_id, deleted=True))) == 2
    assert len(await done(client.get_schema_versions(schema_id, deleted=True, limit=1))) == 1


async def test_subjects(client, subject):
    """Subjects by prefix, by pages, and deleted ones."""
    for number in (1, 2, 3):
        await done(client.register_schema(f"{subject}-{number}", avro(ONE)))
    assert await done(client.get_subjects(subject_prefix=subject)) == [f"{subject}-{number}" for number in (1, 2, 3)]
    assert await done(client.get_subjects(subject_prefix=subject, offset=1, limit=1)) == [f"{subject}-2"]
    await done(client.delete_subject(f"{subject}-2"))
    assert await done(client.get_subjects(subject_prefix=subject)) == [f"{subject}-1", f"{subject}-3"]
    assert len(await done(client.get_subjects(subject_prefix=subject, deleted=True))) == 3


async def test_versions(client, subject):
    """Versions by pages, and deleted ones."""
    for schema in (ONE, TWO):
        await done(client.register_schema(subject, avro(schema)))
    assert await done(client.get_versions(subject)) == [1, 2]
    assert await done(client.get_versions(subject, offset=1, limit=1)) == [2]
    assert await done(client.delete_version(subject, 1)) == 1
    assert await done(client.get_versions(subject)) == [2]
    assert await done(client.get_versions(subject, deleted=True)) == [1, 2]


async def test_the_latest_with_metadata(client, subject):
    """The newest version whose metadata has what is asked for."""
    for number, schema in enumerate((ONE, TWO), 1):
        await done(client.register_schema(subject, avro(schema, metadata=properties(major=str(number)))))
    await done(client.clear_caches())
    found = await done(client.get_latest_with_metadata(subject, {"major": "1"}))
    assert (found.version, found.schema.metadata.properties.properties) == (1, {"major": "1"})
    assert await error_of(client.get_latest_with_metadata, subject, {"major": "9"}) == (404, 40403)


async def test_metadata_and_rules_come_back(client, subject):
    """Properties, sensitive names and every member of a rule are stored and answered."""
    rule = Rule(
        name="encrypt",
        doc="hides it",
        kind=RuleKind.TRANSFORM,
        mode=RuleMode.WRITEREAD,
        type="ENCRYPT",
        tags=["PII"],
        params=RuleParams({"encrypt.kek.name": "kek"}),
        expr="true",
        on_success="NONE",
        on_failure="ERROR,NONE",
        disabled=False,
    )
    metadata = Metadata(None, MetadataProperties({"owner": "customs"}), ["owner"])
    schema = avro(ONE, metadata=metadata, rule_set=RuleSet(migration_rules=None, domain_rules=[rule]))
    schema_id = await done(client.register_schema(subject, schema))
    await done(client.clear_caches())
    found = await done(client.get_schema(schema_id, subject_name=subject))
    assert found.metadata == metadata
    assert found.rule_set.domain_rules == [rule]


async def test_deletes(client, subject):
    """Soft and permanent deletes of a version and of a subject, each with its refusals."""
    for schema in (ONE, TWO):
        await done(client.register_schema(subject, avro(schema)))
    assert await error_of(client.delete_version, subject, 2, permanent=True) == (404, 40407)
    assert await done(client.delete_version(subject, 2)) == 2
    assert await error_of(client.delete_version, subject, 2) == (404, 40406)
    assert (await done(client.get_version(subject, 2, deleted=True))).version == 2
    assert await done(client.delete_version(subject, 2, permanent=True)) == 2
    assert await error_of(client.delete_subject, subject, permanent=True) == (404, 40405)
    assert await done(client.delete_subject(subject)) == [1]
    assert await error_of(client.delete_subject, subject) == (404, 40404)
    await done(client.clear_caches())
    await done(client.register_schema(subject, avro(ONE)))
    assert await done(client.get_versions(subject)) == [2]
    assert await done(client.delete_subject(subject)) == [2]
    assert await done(client.delete_subject(subject, permanent=True)) == [2]
    assert await error_of(client.get_versions, subject) == (404, 40401)


async def test_compatibility(client, subject):
    """Levels are set, read and deleted; checks of the latest, of a version and of all obey."""
    await done(client.register_schema(subject, avro(ONE)))
    assert await error_of(client.get_compatibility, subject) == (404, 40408)
    await done(client.set_compatibility(subject, "full"))
    assert await done(client.get_compatibility(subject)) == "FULL"
    assert await done(client.test_compatibility(subject, avro(TWO))) is True
    assert await done(client.test_compatibility(subject, avro(TWO_WITHOUT_DEFAULT))) is False
    assert await done(client.test_compatibility(subject, avro(OTHER), version=1)) is False
    assert await done(client.test_compatibility_all_versions(subject, avro(TWO), normalize=True)) is True
    assert await done(client.test_compatibility_all_versions(subject, avro(OTHER), verbose=True)) is False
    assert await error_of(client.test_compatibility, subject, avro(ONE), version=9) == (404, 40402)
    await done(client.delete_config(subject))
    assert await error_of(client.get_compatibility, subject) == (404, 40408)


async def test_config(client, subject):
    """Every member of a configuration that the client knows is stored and answered."""
    rules = RuleSet(migration_rules=[_rule("up", RuleMode.UPGRADE)], domain_rules=[_rule("in", RuleMode.WRITE)])
    config = ServerConfig(
        compatibility=ConfigCompatibilityLevel.FULL_TRANSITIVE,
        compatibility_group="application.version",
        default_metadata=properties(owner="customs"),
        override_metadata=properties(reviewed="yes"),
        default_rule_set=rules,
        override_rule_set=rules,
    )
    await done(client.set_config(subject, config))
    found = await done(client.get_config(subject))
    assert found.compatibility_level == "FULL_TRANSITIVE"
    assert found.compatibility_group == "application.version"
    assert found.default_metadata.properties == config.default_metadata.properties
    assert found.override_metadata.properties == config.override_metadata.properties
    for each in (found.default_rule_set, found.override_rule_set):
        assert [(rule.name, rule.mode) for rule in each.migration_rules + each.domain_rules] == [
            ("up", RuleMode.UPGRADE),
            ("in", RuleMode.WRITE),
        ]
    assert (await done(client.delete_config(subject))).compatibility_level == "FULL_TRANSITIVE"


async def test_the_config_of_all(alone):
    """The level of all is BACKWARD, until it is set and after it is deleted."""
    assert await done(alone.get_compatibility()) == "BACKWARD"
    await done(alone.set_compatibility(level="NONE"))
    assert (await done(alone.get_config())).compatibility_level == "NONE"
    assert (await done(alone.delete_config())).compatibility_level == "NONE"
    await done(alone.set_config(config=ServerConfig(compatibility=ConfigCompatibilityLevel.FORWARD)))
    assert await done(alone.get_compatibility()) == "FORWARD"


async def test_modes(client, subject):
    """Modes of a subject are set, read and deleted; what they forbid is 42205."""
    assert await error_of(client.get_mode, subject) == (404, 40409)
    assert await done(client.update_mode(subject, "READONLY")) == "READONLY"
    assert await done(client.get_mode(subject)) == "READONLY"
    assert await error_of(client.register_schema, subject, avro(ONE)) == (422, 42205)
    assert await done(client.delete_mode(subject)) == "READONLY"
    await done(client.register_schema(subject, avro(ONE)))
    assert await error_of(client.update_mode, subject, "IMPORT") == (422, 42205)
    assert await done(client.update_mode(subject, "IMPORT", force=True)) == "IMPORT"
    assert await error_of(client.update_mode, subject, "SOMETIMES") == (422, 42204)


async def test_the_mode_of_all(alone):
    """The mode of all is READWRITE until it is set."""
    assert await done(alone.get_global_mode()) == "READWRITE"
    assert await done(alone.update_global_mode("READONLY")) == "READONLY"
    assert await done(alone.get_global_mode()) == "READONLY"
    assert await done(alone.update_global_mode("IMPORT", force=True)) == "IMPORT"


async def test_contexts(alone):
    """A qualified subject makes a context, which has its own ids."""
    assert await done(alone.register_schema("s", avro(ONE))) == 1
    assert await done(alone.register_schema(":.ctx:s", avro(TWO))) == 1
    assert await done(alone.get_contexts()) == [".", ".ctx"]
    assert await done(alone.get_contexts(offset=1, limit=1)) == [".ctx"]
    await done(alone.clear_caches())
    assert (await done(alone.get_schema(1, subject_name=":.ctx:s"))).schema_str == TWO
    assert await done(alone.get_subjects(subject_prefix=":.ctx:")) == [":.ctx:s"]


async def test_a_url_may_name_a_context(kind, own_url):
    """A client whose URL ends with a context speaks of that context."""
    within = kind({"url": f"{own_url}/contexts/.ctx"})
    assert await done(within.register_schema("s", avro(ONE))) == 1
    await done(within.clear_caches())
    assert await done(within.get_versions("s")) == [1]
    assert await done(kind({"url": own_url}).get_versions(":.ctx:s")) == [1]


async def test_refusals(client, subject):
    """Errors arrive with status, code and words."""
    await done(client.register_schema(subject, avro(ONE)))
    assert await error_of(client.get_latest_version, "none") == (404, 40401)
    assert await error_of(client.get_version, subject, 7) == (404, 40402)
    assert await error_of(client.get_version, subject, 0) == (422, 42202)
    assert await error_of(client.get_schema, 2**30) == (404, 40403)
    assert await error_of(client.get_schema_by_guid, "b6dfc5e8-0000-0000-0000-000000000000") == (404, 40403)
    assert await error_of(client.register_schema, subject, avro(OTHER)) == (409, 409)
    assert await error_of(client.register_schema, subject, avro("no schema")) == (422, 42201)
    assert await error_of(client.register_schema, subject, Schema("{}", "PROTOBUF")) == (422, 42201)
    assert await error_of(client.set_compatibility, subject, "SIDEWAYS") == (422, 42203)
    assert await error_of(client.register_schema, "a\x00b", avro(ONE)) == (422, 42208)


def _rule(name, mode):
    return Rule(name, None, None, mode, "IGNORE", None, None, None, None, None, False)
