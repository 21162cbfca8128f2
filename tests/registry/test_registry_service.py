"""What the registry means by each request."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exchange.errors import PublisherFenced, SchemaIncompatible, SchemaInvalid, SchemaNotFound, TransportError
from exchange.registry import RegistryService
from exchange.registry.service import LATEST
from tests.fakes.schema_store import MemoryLog, MemorySchemaStore
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema


async def started(log):
    """A registry over a log."""
    service = RegistryService(MemorySchemaStore(log))
    await service.start()
    return service


async def test_a_new_schema_gets_the_next_id_and_version(service):
    """Ids and versions begin at 1 and grow by one."""
    assert await service.register(SUBJECT, V1) == 1
    assert await service.register(SUBJECT, V2) == 2
    assert [(each.version, each.id) for each in service.versions(SUBJECT)] == [(1, 1), (2, 2)]
    assert service.version(SUBJECT, LATEST).text == V2


async def test_a_schema_has_one_id_in_every_subject(service):
    """The id is the schema's, not the subject's."""
    assert await service.register(SUBJECT, V1) == await service.register("other-value", V1) == 1
    assert [(each.subject, each.version) for each in service.places(1)] == [(SUBJECT, 1), ("other-value", 1)]
    assert service.subjects() == [SUBJECT, "other-value"]


async def test_a_schema_registered_again_keeps_its_id(service, store):
    """Registering twice writes once, whatever the whitespace and the order of keys."""
    await service.register(SUBJECT, V1)
    again = json.dumps(dict(reversed(json.loads(V1).items())), indent=4)
    assert await service.register(SUBJECT, again) == 1
    assert len(store.log.records) == 1
    assert service.version(SUBJECT, 1).text == V1


async def test_an_earlier_version_is_found_before_compatibility_is_looked_at(service):
    """A version that could not follow the newest one is still what it was."""
    await service.set_level(SUBJECT, "NONE")
    await service.register(SUBJECT, schema(("code", "int")))
    await service.register(SUBJECT, V1)
    await service.set_level(SUBJECT, "FULL_TRANSITIVE")
    assert await service.register(SUBJECT, schema(("code", "int"))) == 1


async def test_the_text_is_kept_as_it_came(service):
    """The answer is what was registered, with its whitespace."""
    text = "  " + json.dumps(json.loads(V1), indent=3) + "\n"
    schema_id = await service.register(SUBJECT, text)
    assert service.by_id(schema_id).text == text


async def test_a_primitive_type_as_an_object_is_answered_as_its_name(service):
    """`{"type": "string"}` is `"string"`."""
    schema_id = await service.register(SUBJECT, '{"type": "string"}')
    assert service.by_id(schema_id).text == '"string"'
    assert await service.register(SUBJECT, '"string"') == schema_id


async def test_an_incompatible_schema_is_refused_with_field_and_reason(service, store):
    """The message is Confluent's, and says in plain words what breaks; nothing is written."""
    await service.register(SUBJECT, V1)
    with pytest.raises(SchemaIncompatible) as refused:
        await service.register(SUBJECT, BAD)
    assert refused.value.message == (
        f'Schema being registered is incompatible with an earlier schema for subject "{SUBJECT}", details: '
        "[{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'region_code' at path '/fields/1' in "
        "the new schema has no default value and is missing in the old schema', additionalInfo:'region_code'}, "
        f"{{oldSchemaVersion: 1}}, {{oldSchema: '{V1}'}}, {{validateFields: 'false', compatibility: 'BACKWARD'}}, "
        "{explanation: 'field 'region_code' was added without a default, so records written before cannot be read'}]"
    )
    assert len(store.log.records) == 1


@pytest.mark.parametrize(
    ("level", "new", "accepted"),
    [
        ("NONE", schema(("code", "int")), True),
        ("BACKWARD", schema(), True),
        ("FORWARD", schema(), False),
        ("FORWARD", BAD, True),
        ("FULL", BAD, False),
        ("FULL", V2, True),
    ],
)
async def test_the_subjects_level_decides(service, level, new, accepted):
    """Each level lets through what it should."""
    await service.register(SUBJECT, V1)
    await service.set_level(SUBJECT, level)
    assert (await service.check(SUBJECT, new, LATEST) == []) is accepted
    if accepted:
        assert await service.register(SUBJECT, new) == 2
    else:
        with pytest.raises(SchemaIncompatible):
            await service.register(SUBJECT, new)


async def test_a_transitive_level_looks_at_every_version(service):
    """What breaks with the first version is refused, and the message names that version."""
    await service.set_level(None, "none")
    await service.register(SUBJECT, schema(("code", "string")))
    await service.register(SUBJECT, schema())
    await service.set_level(None, "backward_transitive")
    with pytest.raises(SchemaIncompatible, match="oldSchemaVersion: 1"):
        await service.register(SUBJECT, schema({"name": "code", "type": "int", "default": 0}))
    await service.set_level(None, "backward")
    assert await service.register(SUBJECT, schema({"name": "code", "type": "int", "default": 0})) == 3


async def test_a_check_is_against_the_version_named(service):
    """A number names one version, LATEST the newest, None all that the level concerns."""
    await service.set_level(SUBJECT, "NONE")
    await service.register(SUBJECT, schema(("code", "int")))
    await service.register(SUBJECT, V1)
    await service.set_level(SUBJECT, "BACKWARD")
    assert await service.check(SUBJECT, V2, LATEST) == []
    assert await service.check(SUBJECT, V2, None) == []
    assert await service.check(SUBJECT, V2, 2) == []
    lines = await service.check(SUBJECT, V2, 1)
    assert lines[0].startswith("{errorType:'TYPE_MISMATCH', description:'The type (path '/fields/0/type') of a field")
    assert lines[1] == "{oldSchemaVersion: 1}"


async def test_a_subject_that_does_not_exist_is_compatible_with_everything(service):
    """There is nothing to break; but a version by number must be there."""
    assert await service.check("none-value", V1, LATEST) == []
    assert await service.check("none-value", V1, None) == []
    with pytest.raises(SchemaNotFound, match="Subject 'none-value' not found"):
        await service.check("none-value", V1, 1)


async def test_a_lookup_finds_the_version_of_a_schema(service):
    """By content, in that subject only."""
    await service.register(SUBJECT, V1)
    await service.register(SUBJECT, V2)
    assert (await service.lookup(SUBJECT, " " + V1)).version == 1
    with pytest.raises(SchemaNotFound, match="Schema not found"):
        await service.lookup(SUBJECT, BAD)
    with pytest.raises(SchemaNotFound, match="Subject 'other-value' not found"):
        await service.lookup("other-value", V1)


@pytest.mark.parametrize(
    ("ask", "code", "message"),
    [
        (lambda s: s.by_id(99), "schema_not_found", "Schema 99 not found"),
        (lambda s: s.places(99), "schema_not_found", "Schema 99 not found"),
        (lambda s: s.versions("x"), "subject_not_found", "Subject 'x' not found."),
        (lambda s: s.version("x", LATEST), "subject_not_found", "Subject 'x' not found."),
        (lambda s: s.version(SUBJECT, 7), "version_not_found", "Version 7 not found."),
        (lambda s: s.level("x"), "level_not_configured", "'x' does not have subject-level compatibility configured"),
    ],
)
async def test_what_is_not_there_is_said_to_be_missing(service, ask, code, message):
    """Each kind of absence has its own code and Confluent's words."""
    await service.register(SUBJECT, V1)
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
    ],
)
async def test_what_is_no_avro_schema_is_invalid(service, text, kind, words):
    """The message shows the schema, shortened, and the reason."""
    with pytest.raises(SchemaInvalid) as refused:
        await service.register(SUBJECT, text, kind)
    assert words in refused.value.message
    assert len(refused.value.message) < 1500


@pytest.mark.parametrize("subject", ["", "a\nb", "a\x00", "a\x85"])
async def test_a_subject_with_control_characters_is_invalid(service, subject):
    """Names are printable."""
    with pytest.raises(SchemaInvalid) as refused:
        await service.register(subject, V1)
    assert refused.value.code == "subject_invalid"
    with pytest.raises(SchemaInvalid):
        await service.set_level(subject, "NONE")


async def test_the_level_is_backward_until_it_is_set(service):
    """A subject's level stands before that of all, and that before BACKWARD."""
    assert service.level(None) == service.level(SUBJECT, default_to_global=True) == "BACKWARD"
    assert await service.set_level(None, "full") == "FULL"
    assert service.level(SUBJECT, default_to_global=True) == "FULL"
    assert await service.set_level(SUBJECT, "Forward") == "FORWARD"
    assert (service.level(SUBJECT), service.level(None)) == ("FORWARD", "FULL")


async def test_a_level_can_be_taken_back(service):
    """The answer is what it was; what holds then is the next one."""
    await service.set_level(SUBJECT, "NONE")
    await service.set_level(None, "FULL")
    assert await service.delete_level(SUBJECT) == "NONE"
    assert service.level(SUBJECT, default_to_global=True) == "FULL"
    assert await service.delete_level(None) == "FULL"
    assert await service.delete_level(None) == service.level(None) == "BACKWARD"
    with pytest.raises(SchemaNotFound):
        await service.delete_level(SUBJECT)


@pytest.mark.parametrize("level", ["", "SIDEWAYS", "BACKWARD "])
async def test_an_unknown_level_is_refused(service, level):
    """The message lists the valid ones."""
    with pytest.raises(SchemaInvalid, match="Valid values are none, backward, forward, full") as refused:
        await service.set_level(SUBJECT, level)
    assert refused.value.code == "level_invalid"


async def test_everything_is_there_after_a_restart(service, store):
    """Ids, versions, texts and levels come from the records alone."""
    await service.register(SUBJECT, V1)
    await service.register(SUBJECT, V2)
    await service.register("other-value", V2)
    await service.set_level("other-value", "NONE")
    later = await started(store.log)
    assert later.subjects() == service.subjects()
    assert later.versions(SUBJECT) == service.versions(SUBJECT)
    assert later.level("other-value") == "NONE"
    assert await later.register("third-value", V1) == 1
    assert await later.register("fourth-value", schema("other", name="uz.O")) == 3


async def test_registering_at_once_gives_each_schema_one_id(service):
    """Writes are decided one after the other: equal schemas share an id, others never do."""
    subjects = [f"s{number}-value" for number in range(8)]
    texts = [schema("a", name=f"uz.R{number % 4}") for number in range(8)]
    ids = await asyncio.gather(*map(service.register, subjects, texts))
    assert ids[:4] == ids[4:]
    assert sorted(set(ids)) == [1, 2, 3, 4]


async def test_registering_one_schema_at_once_makes_one_version(service, store):
    """The same request from many clients is one registration."""
    assert set(await asyncio.gather(*(service.register(SUBJECT, V1) for _ in range(8)))) == {1}
    assert len(store.log.records) == 1


@pytest.mark.parametrize("there", [False, True])
async def test_a_write_whose_outcome_is_unknown_is_settled(service, store, there):
    """Whether the record was written or not, the answer is its id, and it is there once."""
    store.fail_next = there
    assert await service.register(SUBJECT, V1) == 1
    assert await service.register(SUBJECT, V2) == 2
    assert [(each.version, each.id) for each in service.versions(SUBJECT)] == [(1, 1), (2, 2)]
    assert len(store.log.records) == 2


@pytest.mark.parametrize("there", [False, True])
async def test_a_level_whose_outcome_is_unknown_is_set(service, store, there):
    """Setting it twice is setting it."""
    store.fail_next = there
    assert await service.set_level(SUBJECT, "FULL") == service.level(SUBJECT) == "FULL"


@pytest.mark.parametrize("there", [False, True])
async def test_after_two_failures_the_error_is_the_callers(there):
    """No id is given twice and nothing is registered twice by whoever tries again."""

    class Failing(MemorySchemaStore):
        failures = 2

        async def append(self, key, value):
            if self.failures:
                self.failures -= 1
                self.fail_next = there
            await super().append(key, value)

    store = Failing()
    service = RegistryService(store)
    await service.start()
    if not there:
        with pytest.raises(TransportError):
            await service.register(SUBJECT, V1)
    assert await service.register(SUBJECT, V1) == 1
    assert len(store.log.records) == 1


async def test_a_registry_that_was_taken_over_ends(service, store):
    """It writes no more, and says why."""
    later = await started(store.log)
    with pytest.raises(PublisherFenced):
        await service.register(SUBJECT, V1)
    with pytest.raises(PublisherFenced):
        await service.wait_stopped()
    with pytest.raises(TransportError):
        service.require_ready()
    assert await later.register(SUBJECT, V1) == 1


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


def value(subject, version, schema_id, text, **more):
    """A record of `_schemas` as Confluent writes it."""
    key = {"keytype": "SCHEMA", "subject": subject, "version": version, "magic": 1}
    content = {"subject": subject, "version": version, "id": schema_id, "schema": text, "deleted": False, **more}
    return json.dumps(key).encode(), json.dumps(content).encode()


async def test_a_topic_written_by_confluent_is_read():
    """Its own record kinds, members we do not know, other kinds of schemas."""
    service = await started(
        MemoryLog(
            [
                (b'{"keytype":"NOOP","magic":0}', None),
                value(SUBJECT, 1, 7, V1, md5="x", metadata=None),
                value("proto-value", 1, 9, 'syntax = "proto3";', schemaType="PROTOBUF"),
                value("refs-value", 1, 11, '["x.Other"]', references=[{"name": "x.Other"}]),
                (b'{"keytype":"CONFIG","subject":null,"magic":0}', b'{"compatibilityLevel":"FULL","normalize":true}'),
                (b'{"keytype":"CONFIG","subject":"a","magic":0}', b'{"compatibilityLevel":"NONE"}'),
                (b'{"keytype":"CONFIG","subject":"a","magic":0}', None),
                (b'{"keytype":"MODE","subject":null,"magic":0}', b'{"mode":"READWRITE"}'),
            ]
        )
    )
    assert service.level(None) == "FULL"
    assert service.by_id(9).schema_type == "PROTOBUF"
    assert service.by_id(11).references == ({"name": "x.Other"},)
    assert await service.register("x-value", V1) == 7
    assert await service.register("x-value", V2) == 12


async def test_deleted_versions_are_gone_but_their_ids_resolve():
    """A soft delete takes a version from its subject; a hard one takes the id too, which is not given again."""
    log = MemoryLog([value(SUBJECT, 1, 1, V1), value(SUBJECT, 2, 2, V2), value("other", 1, 3, BAD)])
    log.records.append(value(SUBJECT, 1, 1, V1, deleted=True))
    log.records.append((b'{"keytype":"SCHEMA","subject":"other","version":1,"magic":1}', None))
    service = await started(log)
    assert [each.version for each in service.versions(SUBJECT)] == [2]
    assert service.by_id(1).text == V1
    assert service.places(1) == []
    with pytest.raises(SchemaNotFound):
        service.by_id(3)
    with pytest.raises(SchemaNotFound):
        service.version(SUBJECT, 1)
    assert await service.register("new-value", schema("z", name="uz.Z")) == 4
    assert await service.register(SUBJECT, V1) == 1
    assert [each.version for each in service.versions(SUBJECT)] == [2, 3]


async def test_a_deleted_subject_starts_after_its_last_version():
    """DELETE_SUBJECT takes every version up to one; numbers go on."""
    log = MemoryLog([value(SUBJECT, 1, 1, V1), value(SUBJECT, 2, 2, V2)])
    deleted = b'{"keytype":"DELETE_SUBJECT","subject":"%s","magic":0}' % SUBJECT.encode()
    log.records += [(deleted, b'{"subject":"%s","version":2}' % SUBJECT.encode()), (deleted, None)]
    service = await started(log)
    assert service.subjects() == []
    await service.register(SUBJECT, BAD)
    assert [(each.version, each.id) for each in service.versions(SUBJECT)] == [(3, 3)]


async def test_a_hard_deleted_schema_gets_a_new_id():
    """What was forgotten is new again."""
    log = MemoryLog()
    service = await started(log)
    await service.register(SUBJECT, V1)
    log.records.append((log.records[0][0], None))
    assert await service.register("other-value", V2) == 2
    assert await service.register("other-value", V1) == 3


GARBAGE = [
    (None, None),
    (b"", b""),
    (b"{", b"{}"),
    (b"\xff\xfe", b"x"),
    (b"[1]", b"{}"),
    (b'{"keytype":"SCHEMA","magic":1}', b"{}"),
    (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', b"{}"),
    (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', b"\x00\x01"),
    value("s", 0, 1, V1),
    value("s", 1, -4, V1),
    value("s", 1, 2**31, V1),
    (value("s", 1, 5, V1)[0], value("s", 2, 5, V1)[1]),
    (b'{"keytype":"SOMETHING","subject":"s","magic":0}', b"{}"),
    (b'{"keytype":"CONFIG","subject":null,"magic":0}', b"FULL"),
    (b'{"keytype":"SCHEMA","subject":' + b"[" * 100_000, b"{}"),
]


async def test_garbage_in_the_topic_is_skipped_with_its_offset():
    """Every record that cannot be read is passed over, and a warning says where it is."""
    good = value(SUBJECT, 1, 1, V1)
    with capture_logs() as said:
        service = await started(MemoryLog([each for bad in GARBAGE for each in (bad, good)]))
    assert service.subjects() == [SUBJECT]
    assert await service.register(SUBJECT, V2) == 2
    assert [each["offset"] for each in said] == list(range(0, 2 * len(GARBAGE), 2))


@given(st.lists(st.tuples(st.none() | st.binary(max_size=60), st.none() | st.binary(max_size=60)), max_size=10))
def test_no_bytes_in_the_topic_stop_the_registry(records):
    """Whatever the records hold, the registry starts."""

    async def start():
        service = await started(MemoryLog(records))
        return await service.register(SUBJECT, V1)

    assert asyncio.run(start()) == 1
