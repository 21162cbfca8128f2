"""What the registry means by each request."""

import asyncio
import json

import pytest

from exchange.errors import SchemaIncompatible, SchemaInvalid, SchemaNotFound, TransportError
from exchange.registry import RegistryService
from exchange.registry.entities import LATEST
from tests.fakes.schema_store import MemorySchemaStore
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema
from tests.registry.registries import level, registered, sent, started, written


async def test_a_new_schema_gets_the_next_id_and_version(service):
    """Ids and versions begin at 1 and grow by one."""
    first, second = await registered(service, SUBJECT, V1, V2)
    assert [(each.version, each.id) for each in (first, second)] == [(1, 1), (2, 2)]
    assert service.versions(SUBJECT) == [1, 2]
    assert service.version(SUBJECT, LATEST) == second
    assert service.version(SUBJECT, 1).text == V1
    assert service.highest_id() == 2


async def test_a_schema_registered_again_keeps_its_id(service, store):
    """Registering twice writes once, whatever the whitespace and the order of keys."""
    await registered(service, SUBJECT, V1)
    again = json.dumps(dict(reversed(json.loads(V1).items())), indent=4)
    assert [each.id for each in await registered(service, SUBJECT, again)] == [1]
    assert len(written(store.log)) == 1
    assert service.version(SUBJECT, 1).text == V1


async def test_an_earlier_version_is_found_before_compatibility_is_looked_at(service):
    """A version that could not follow the newest one is still what it was."""
    await service.set_config(SUBJECT, level("NONE"))
    await registered(service, SUBJECT, schema(("code", "int")), V1)
    await service.set_config(SUBJECT, level("FULL_TRANSITIVE"))
    again = await service.register(SUBJECT, sent(schema(("code", "int"))))
    assert (again.id, again.version) == (1, 1)


async def test_an_incompatible_schema_is_refused_with_field_and_reason(service, store):
    """The message is Confluent's, and says in plain words what breaks; nothing is written."""
    await registered(service, SUBJECT, V1)
    with pytest.raises(SchemaIncompatible) as refused:
        await service.register(SUBJECT, sent(BAD))
    assert refused.value.message == (
        f'Schema being registered is incompatible with an earlier schema for subject "{SUBJECT}", details: '
        "[{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'region_code' at path '/fields/1' in "
        "the new schema has no default value and is missing in the old schema', additionalInfo:'region_code'}, "
        f"{{oldSchemaVersion: 1}}, {{oldSchema: '{V1}'}}, {{validateFields: 'false', compatibility: 'BACKWARD'}}, "
        "{explanation: 'field 'region_code' was added without a default, so records written before cannot be read'}]"
    )
    assert len(written(store.log)) == 1


@pytest.mark.parametrize(
    ("name", "new", "accepted"),
    [
        ("NONE", schema(("code", "int")), True),
        ("BACKWARD", schema(), True),
        ("FORWARD", schema(), False),
        ("FORWARD", BAD, True),
        ("FULL", BAD, False),
        ("FULL", V2, True),
    ],
)
async def test_the_subjects_level_decides(service, name, new, accepted):
    """Each level lets through what it should."""
    await registered(service, SUBJECT, V1)
    await service.set_config(SUBJECT, level(name))
    assert (await service.check(SUBJECT, sent(new), LATEST) == []) is accepted
    if accepted:
        assert (await service.register(SUBJECT, sent(new))).id == 2
    else:
        with pytest.raises(SchemaIncompatible):
            await service.register(SUBJECT, sent(new))


async def test_a_transitive_level_looks_at_every_version(service):
    """What breaks with the first version is refused, and the message names that version."""
    await service.set_config(None, level("none"))
    await registered(service, SUBJECT, schema(("code", "string")), schema())
    await service.set_config(None, level("backward_transitive"))
    with pytest.raises(SchemaIncompatible, match="oldSchemaVersion: 1"):
        await service.register(SUBJECT, sent(schema({"name": "code", "type": "int", "default": 0})))
    await service.set_config(None, level("backward"))
    assert (await service.register(SUBJECT, sent(schema({"name": "code", "type": "int", "default": 0})))).id == 3


async def test_a_check_is_against_the_version_named(service):
    """A number names one version, LATEST the newest, None all that the level concerns."""
    await service.set_config(SUBJECT, level("NONE"))
    await registered(service, SUBJECT, schema(("code", "int")), V1)
    await service.set_config(SUBJECT, level("BACKWARD"))
    assert await service.check(SUBJECT, sent(V2), LATEST) == []
    assert await service.check(SUBJECT, sent(V2), None) == []
    assert await service.check(SUBJECT, sent(V2), 2) == []
    lines = await service.check(SUBJECT, sent(V2), 1)
    assert lines[0].startswith("{errorType:'TYPE_MISMATCH', description:'The type (path '/fields/0/type') of a field")
    assert lines[1] == "{oldSchemaVersion: 1}"
    assert await service.check(SUBJECT, sent(V2), 1) == lines
    with pytest.raises(SchemaNotFound, match="Version 9 not found"):
        await service.check(SUBJECT, sent(V2), 9)


async def test_a_subject_that_does_not_exist_is_compatible_with_everything(service):
    """There is nothing to break; but a version by number must be there."""
    assert await service.check("none-value", sent(V1), LATEST) == []
    assert await service.check("none-value", sent(V1), None) == []
    with pytest.raises(SchemaNotFound, match="Version 1 not found") as refused:
        await service.check("none-value", sent(V1), 1)
    assert refused.value.code == "version_not_found"


@pytest.mark.parametrize("name", ["NONE", "BACKWARD"])
async def test_a_check_of_what_is_no_schema_is_refused_whatever_the_level(service, name):
    """There is no verdict about it."""
    await registered(service, SUBJECT, V1)
    await service.set_config(SUBJECT, level(name))
    with pytest.raises(SchemaInvalid):
        await service.check(SUBJECT, sent("{"), LATEST)


async def test_a_lookup_finds_the_version_of_a_schema(service):
    """By content, in that subject only."""
    await registered(service, SUBJECT, V1, V2)
    assert (await service.lookup(SUBJECT, sent(" " + V1))).version == 1
    with pytest.raises(SchemaNotFound, match="Schema not found"):
        await service.lookup(SUBJECT, sent(BAD))
    with pytest.raises(SchemaNotFound, match="Subject 'other-value' not found"):
        await service.lookup("other-value", sent(V1))


@pytest.mark.parametrize(
    ("ask", "code", "message"),
    [
        (lambda s: s.by_id(99), "schema_not_found", "Schema 99 not found"),
        (lambda s: s.places(99), "schema_not_found", "Schema not found"),
        (lambda s: s.by_guid("x"), "schema_not_found", "Schema x not found"),
        (lambda s: s.versions("x"), "subject_not_found", "Subject 'x' not found."),
        (lambda s: s.version("x", LATEST), "subject_not_found", "Subject 'x' not found."),
        (lambda s: s.version(SUBJECT, 7), "version_not_found", "Version 7 not found."),
        (lambda s: s.referenced_by(SUBJECT, 7), "version_not_found", "Version 7 not found."),
        (lambda s: s.config("x"), "level_not_configured", "'x' does not have subject-level compatibility configured"),
        (lambda s: s.mode("x"), "mode_not_configured", "Subject 'x' does not have subject-level mode configured"),
    ],
)
async def test_what_is_not_there_is_said_to_be_missing(service, ask, code, message):
    """Each kind of absence has its own code and Confluent's words."""
    await registered(service, SUBJECT, V1)
    with pytest.raises(SchemaNotFound) as missing:
        ask(service)
    assert missing.value.code == code
    assert message in missing.value.message


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("{", None, "details: the schema is not JSON"),
        ('{"type": "recor"}', "AVRO", 'type "recor" is not defined'),
        ("x" * 5000, None, "x..."),
        ('"string"', "PROTOBUF", "Invalid schema type PROTOBUF"),
        ('"string"', "JSON", "Invalid schema type JSON"),
        ("", None, "Empty schema"),
        (" \n", None, "Empty schema"),
        (None, None, "Empty schema"),
    ],
)
async def test_what_is_no_avro_schema_is_invalid(service, text, kind, words):
    """The message shows the schema, shortened, and the reason."""
    with pytest.raises(SchemaInvalid) as refused:
        await service.register(SUBJECT, sent(text, schema_type=kind))
    assert words in refused.value.message
    assert len(refused.value.message) < 1500


async def test_an_empty_schema_is_that_of_the_version_before(service):
    """Who only changes what is said about a schema does not send it again."""
    await registered(service, SUBJECT, V1)
    assert (await service.register(SUBJECT, sent(""))).version == 1
    assert (await service.lookup(SUBJECT, sent(None))).version == 1


@pytest.mark.parametrize("subject", ["a\nb", "a\x00", "a\x85", "__GLOBAL", ":.x:__GLOBAL", ":.x:a\x7f"])
async def test_a_subject_with_control_characters_or_the_reserved_name_is_invalid(service, subject):
    """Names are printable; the message is Confluent's, with its grammar."""
    asked = [
        service.register(subject, sent(V1)),
        service.set_config(subject, level("NONE")),
        service.set_mode(subject, "READONLY"),
    ]
    for each in asked:
        with pytest.raises(SchemaInvalid, match="is not a valid") as refused:
            await each
        assert refused.value.code == "subject_invalid"


async def test_everything_is_there_after_a_restart(service, store):
    """Ids, versions, texts and levels come from the records alone."""
    await registered(service, SUBJECT, V1, V2)
    await registered(service, "other-value", V2)
    await service.set_config("other-value", level("NONE"))
    later = await started(store.log)
    assert later.subjects() == service.subjects() == [SUBJECT, "other-value"]
    assert later.versions(SUBJECT) == service.versions(SUBJECT)
    assert list(later.schemas()) == list(service.schemas())
    assert later.config("other-value").compatibility_level == "NONE"
    assert (await later.register("third-value", sent(V1))).id == 1
    assert (await later.register("fourth-value", sent(schema("other", name="uz.O")))).id == 3


async def test_registering_at_once_gives_each_schema_one_id(service):
    """Writes are decided one after the other: equal schemas share an id, others never do."""
    subjects = [f"s{number}-value" for number in range(8)]
    texts = [sent(schema("a", name=f"uz.R{number % 4}")) for number in range(8)]
    ids = [each.id for each in await asyncio.gather(*map(service.register, subjects, texts))]
    assert ids[:4] == ids[4:]
    assert sorted(set(ids)) == [1, 2, 3, 4]


async def test_registering_one_schema_at_once_makes_one_version(service, store):
    """The same request from many clients is one registration."""
    found = await asyncio.gather(*(service.register(SUBJECT, sent(V1)) for _ in range(8)))
    assert {(each.id, each.version) for each in found} == {(1, 1)}
    assert len(written(store.log)) == 1


async def test_a_registry_is_ready_once_it_has_read_its_topic():
    """Before that, and after it closed, it says what is missing."""
    service = RegistryService(MemorySchemaStore())
    assert service.not_ready() is not None
    with pytest.raises(TransportError) as refused:
        service.require_ready()
    assert refused.value.code == "registry_not_ready"
    await service.start()
    service.require_ready()
    await service.close()
    assert service.not_ready() is not None


async def test_a_registry_that_never_started_can_be_closed():
    """Where starting failed there is nothing to stop."""
    service = RegistryService(MemorySchemaStore())
    await service.close()
    assert service.not_ready() is not None


async def test_a_registry_whose_reader_ends_is_not_ready_any_more(service, store):
    """What it knows grows old: the process must end, and says why."""
    store.stop_following()
    with pytest.raises(TransportError, match="the reader ended"):
        await service.wait_stopped()
    assert service.not_ready() is not None


async def test_schemas_are_listed_by_subject_and_version(service):
    """With a prefix, the newest only, or the deleted ones too."""
    await service.set_config(None, level("NONE"))
    await registered(service, "b-value", V1, V2)
    await registered(service, "a-value", V1)
    assert [(each.subject, each.version) for each in service.schemas()] == [
        ("a-value", 1),
        ("b-value", 1),
        ("b-value", 2),
    ]
    await service.delete_version("b-value", 2)
    assert [each.version for each in service.schemas("b", latest_only=True)] == [1]
    assert [each.version for each in service.schemas("b", latest_only=True, deleted=True)] == [2]
    assert list(service.schemas("c")) == []


@pytest.mark.parametrize(
    ("old", "new", "name", "line"),
    [
        (
            {"type": "enum", "name": "E", "symbols": ["A", "B"]},
            {"type": "enum", "name": "E", "symbols": ["A"]},
            "BACKWARD",
            "{errorType:'MISSING_ENUM_SYMBOLS', description:'The new schema is missing enum symbols '[B]' at path "
            "'/symbols' in the old schema', additionalInfo:'[B]'}",
        ),
        (
            {"type": "fixed", "name": "F", "size": 4},
            {"type": "fixed", "name": "F", "size": 8},
            "BACKWARD",
            "{errorType:'FIXED_SIZE_MISMATCH', description:'The size of FIXED type field at path '/size' in the new "
            "schema does not match with the old schema', additionalInfo:'expected: 4, found: 8'}",
        ),
        (
            ["string", "int"],
            ["string"],
            "BACKWARD",
            "{errorType:'MISSING_UNION_BRANCH', description:'The new schema is missing a type inside a union field at "
            "path '/1' in the old schema', additionalInfo:'reader union lacking writer type: INT'}",
        ),
        (
            {"type": "record", "name": "uz.A", "fields": []},
            {"type": "record", "name": "uz.B", "fields": []},
            "BACKWARD",
            "{errorType:'NAME_MISMATCH', description:'The name of the schema has changed (path '/name')', "
            "additionalInfo:'expected: uz.A'}",
        ),
        (
            ["string"],
            ["string", "int"],
            "FORWARD",
            "{errorType:'MISSING_UNION_BRANCH', description:'The old schema is missing a type inside a union field at "
            "path '/1' in the new schema', additionalInfo:'reader union lacking writer type: INT'}",
        ),
    ],
)
async def test_each_kind_of_break_is_told_in_confluents_words(service, old, new, name, line):
    """With its path, and what of which schema is in the way."""
    await service.set_config(SUBJECT, level(name))
    await registered(service, SUBJECT, json.dumps(old))
    lines = await service.check(SUBJECT, sent(json.dumps(new)), LATEST)
    assert lines[0] == line
    assert lines[1] == "{oldSchemaVersion: 1}"
    assert lines[2] == f"{{oldSchema: '{json.dumps(old)}'}}"
    assert lines[3].startswith("{validateFields: 'false'")


async def test_a_long_earlier_schema_is_shown_in_part(service):
    """An answer stays readable; the message is Confluent's."""
    long = schema("code", doc="x" * 20_000)
    await registered(service, SUBJECT, long)
    lines = await service.check(SUBJECT, sent(BAD), LATEST)
    assert f"{{oldSchema: <truncated to 10240 characters> '{long[:10240]}'}}" in lines


async def test_full_compatibility_shows_the_earlier_schema_where_the_new_one_cannot_read_it(service):
    """As Confluent has it: a break forward alone names the break."""
    await service.set_config(SUBJECT, level("FULL"))
    await registered(service, SUBJECT, V1)
    backward = await service.check(SUBJECT, sent(BAD), LATEST)
    assert "{oldSchemaVersion: 1}" in backward
    forward = await service.check(SUBJECT, sent(schema()), LATEST)
    assert "{oldSchemaVersion: 1}" not in forward
    assert forward[0].startswith("{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'code'")


async def test_many_large_schemas_are_registered_and_checked_again(service):
    """What was parsed and judged is kept for a while and worked out anew after that."""
    await service.set_config(None, level("NONE"))
    texts = [schema("code", doc=str(number) * 30_000) for number in range(10)] * 2
    for text in [*texts, *(schema("code", doc=str(number) * 200_000) for number in range(7))]:
        await registered(service, SUBJECT, text)
    await service.set_config(None, level("FULL_TRANSITIVE"))
    breaking = [schema(("code", "int"), doc=str(number) * 60_000) for number in range(20)] * 2
    lines = [await service.check(SUBJECT, sent(text), None) for text in breaking]
    assert lines[0] == lines[20] != []
    assert [each.id for each in await registered(service, SUBJECT, *texts[:10])] == list(range(1, 11))


async def test_large_schemas_sent_at_once_are_one(service):
    """Each is worked out beside the loop; the second finds what the first left."""
    large = schema("code", doc="x" * 30_000)
    made = await asyncio.gather(*(service.register(each, sent(large)) for each in ("a", "b", "c")))
    assert {each.id for each in made} == {1}


async def test_who_leads_and_what_was_written_is_known(service, store):
    """What other replicas ask of one another."""
    await registered(service, SUBJECT, V1)
    assert service.written == len(store.log.records) - 1
    await service.applied(service.written)
    assert (service.leads, service.leader) == (True, "")
