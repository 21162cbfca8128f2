"""A topic `_schemas` with what it should not hold, or what older registries wrote: read, or skipped with the offset."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exchange.errors import SchemaInvalid, SchemaNotFound
from exchange.registry.entities import LATEST
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema
from tests.registry.registries import record, registered, sent, setting, started


def raw(**value):
    """A SCHEMA record of version 1 of `s` with just these members."""
    return record("s", 1, 5, V1)[0], json.dumps(value).encode()


GARBAGE = {
    "nothing": (None, None),
    "empty": (b"", b""),
    "cut off": (b"{", b"{}"),
    "no utf-8": (b"\xff\xfe", b"x"),
    "no object": (b"[1]", b"{}"),
    "a number": (b"7", b"7"),
    "no keytype": (b'{"subject":"s","version":1,"magic":1}', b"{}"),
    "keytype null": (b'{"keytype":null}', b"{}"),
    "no subject": (b'{"keytype":"SCHEMA","version":1,"magic":1}', b"{}"),
    "subject null": (b'{"keytype":"SCHEMA","subject":null,"version":1,"magic":1}', b"{}"),
    "subject a number": (b'{"keytype":"SCHEMA","subject":5,"version":1,"magic":1}', b"{}"),
    "empty value": (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', b"{}"),
    "binary value": (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', b"\x00\x01"),
    "value null": (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', b"null"),
    "version 0": record("s", 0, 1, V1),
    "version below": record("s", -1, 1, V1),
    "version past an int": record("s", 2**31, 1, V1),
    "id below": record("s", 1, -4, V1),
    "id past an int": record("s", 1, 2**31, V1),
    "id a text": raw(subject="s", version=1, id="5", schema=V1),
    "id a fraction": raw(subject="s", version=1, id=1.5, schema=V1),
    "no schema": raw(subject="s", version=1, id=5),
    "schema null": raw(subject="s", version=1, id=5, schema=None),
    "schema an object": raw(subject="s", version=1, id=5, schema=json.loads(V1)),
    "another version": (record("s", 1, 5, V1)[0], record("s", 2, 5, V1)[1]),
    "another subject": (record("s", 1, 5, V1)[0], record("t", 1, 5, V1)[1]),
    "references a text": record("s", 1, 5, V1, references="other"),
    "references of numbers": record("s", 1, 5, V1, references=[5]),
    "metadata a list": record("s", 1, 5, V1, metadata=[]),
    "properties of numbers": record("s", 1, 5, V1, metadata={"properties": {"a": 5}}),
    "rules that are none": record("s", 1, 5, V1, ruleSet={"domainRules": [{"kind": "WISH"}]}),
    "the id of another schema": record("s", 1, 1, V2),
    "unknown kind": setting("SOMETHING", "s", {}),
    "kind in small letters": setting("schema", "s", {}),
    "level that is no JSON": (setting("CONFIG", None)[0], b"FULL"),
    "level that does not exist": setting("CONFIG", "s", {"compatibilityLevel": "SIDEWAYS"}),
    "mode that does not exist": setting("MODE", "s", {"mode": "SLEEPING"}),
    "mode without mode": setting("MODE", "s", {}),
    "deletion without version": setting("DELETE_SUBJECT", "s", {"subject": "s"}),
    "deletion of null": setting("DELETE_SUBJECT", None, {"subject": None, "version": 1}),
    "leader that is none": setting("NOOP", None, {"leader": 5}),
    "ids that are none": setting("NOOP", None, {"leader": "x", "ids": {".": "all"}}),
    "deep key": (b'{"keytype":"SCHEMA","subject":' + b"[" * 100_000, b"{}"),
    "deep value": (record("s", 1, 5, V1)[0], b'{"a":' * 100_000),
    "a lone surrogate": (b'{"keytype":"SCHEMA","subject":"\\ud800","version":1,"magic":1}', b"{}"),
    "a lone surrogate in bytes": (b'{"keytype":"SCHEMA","subject":"\xed\xa0\x80","version":1}', b"{}"),
    "a lone surrogate in a text": (
        record("s", 1, 5, V1)[0],
        b'{"subject":"s","version":1,"id":5,"schema":"\\ud800"}',
    ),
}


@pytest.mark.parametrize("bad", GARBAGE.values(), ids=list(GARBAGE))
async def test_garbage_is_skipped_with_its_offset(bad):
    """What comes before and after it is read, and a warning says where it is."""
    with capture_logs() as said:
        service = await started(MemoryLog([record(SUBJECT, 1, 1, V1), bad, record(SUBJECT, 2, 2, V2)]))
    assert service.subjects(deleted=True) == [SUBJECT]
    assert service.versions(SUBJECT) == [1, 2]
    assert service.contexts() == ["."]
    assert [(each["event"], each["offset"]) for each in said] == [("registry_record_skipped", 1)]
    assert said[0]["reason"]
    assert (await registered(service, SUBJECT, schema("code")))[0].id == 1
    assert (await registered(service, "new-value", schema("z", name="uz.Z")))[0].id == 3


READ = {
    "a record of 5.x, without deleted": raw(subject="s", version=1, id=5, schema=V2),
    "a key of magic 0": (record("s", 1, 5, V2)[0].replace(b'"magic": 1', b'"magic": 0'), record("s", 1, 5, V2)[1]),
    "a key in another order": (
        b'{"magic":1,"version":1,"subject":"s","keytype":"SCHEMA"}',
        record("s", 1, 5, V2)[1],
    ),
    "members of later versions": record("s", 1, 5, V2, ts=1, offset=2, guid="x", md5="x", schemaTags=[{}]),
    "members that are null": record("s", 1, 5, V2, schemaType=None, references=None, metadata=None, ruleSet=None),
    "a text that is no schema": record("s", 1, 5, "not a schema"),
    "an empty text": record("s", 1, 5, ""),
    "another kind": record("s", 1, 5, 'syntax = "proto3";', schemaType="PROTOBUF"),
    "a text of 1,000 nested levels": record("s", 1, 5, '{"type":"array","items":' * 1000 + '"int"' + "}" * 1000),
    "a deep text that never ends": record("s", 1, 5, "[" * 100_000),
    "an escaped lone surrogate in a schema": record("s", 1, 5, '{"type":"string","doc":"\\ud800"}'),
    "a NUL in a schema": record("s", 1, 5, "\x00"),
    "references to nothing": record("s", 1, 5, '["x.Other"]', references=[{"name": "x.Other"}]),
    "references without name": record("s", 1, 5, V2, references=[{"subject": "none", "version": 9}]),
}


@pytest.mark.parametrize("good", READ.values(), ids=list(READ))
async def test_what_others_wrote_is_read_and_answered(good):
    """It has its version, its id and its text, can be deleted, and stands in nobody's way."""
    with capture_logs() as said:
        service = await started(MemoryLog([record(SUBJECT, 1, 1, V1), good]))
    assert said == []
    kept = service.version("s", 1)
    assert service.by_id(5) == kept
    assert kept.text == json.loads(good[1])["schema"]
    assert service.places(5) == [kept]
    assert (await registered(service, SUBJECT, f" {V1}"))[0].id == 1
    assert (await registered(service, "new-value", schema("z", name="uz.Z")))[0].id == 6
    assert await service.delete_subject("s") == [1]
    assert await service.delete_subject("s", permanent=True) == [1]


@pytest.mark.parametrize("text", ["not a schema", "", "[" * 100_000, '{"type":"array","items":' * 1000])
async def test_nothing_can_follow_a_version_that_cannot_be_read(text):
    """Until the level does not ask: then it can be replaced."""
    service = await started(MemoryLog([record("s", 1, 5, text)]))
    with pytest.raises(SchemaInvalid):
        await service.check("s", sent(V1), LATEST)
    with pytest.raises(SchemaInvalid):
        await service.register("s", sent(V1))
    with pytest.raises(SchemaNotFound):
        await service.lookup("s", sent(V1))
    await service.delete_version("s", 1)
    assert (await service.register("s", sent(V1))).version == 2


async def test_a_topic_written_by_confluent_is_read():
    """Its own record kinds, levels without more, other kinds of schemas, a deleted version, tombstones."""
    service = await started(
        MemoryLog(
            [
                (b'{"keytype":"NOOP","magic":0}', None),
                record(SUBJECT, 1, 7, V1, md5="x", metadata=None),
                record("proto-value", 1, 9, 'syntax = "proto3";', schemaType="PROTOBUF"),
                record("refs-value", 1, 11, '["x.Other"]', references=[{"name": "x.Other"}]),
                setting("CONFIG", None, {"compatibilityLevel": "FULL", "normalize": True}),
                setting("CONFIG", "a", {"compatibilityLevel": "NONE"}),
                setting("CONFIG", "a"),
                setting("CONFIG", "b", {"compatibilityLevel": "NONE", "unknown": 1}),
                setting("MODE", None, {"mode": "READWRITE"}),
                record("gone-value", 1, 12, BAD, deleted=True),
                setting("CLEAR_SUBJECT", "gone-value", {"subject": "gone-value"}),
            ]
        )
    )
    assert service.subjects(deleted=True) == [SUBJECT, "proto-value", "refs-value"]
    assert service.config(None).compatibility_level == "FULL"
    assert service.config("b").compatibility_level == "NONE"
    with pytest.raises(SchemaNotFound):
        service.config("a")
    assert service.by_id(9).schema_type == "PROTOBUF"
    assert service.by_id(11).references[0].name == "x.Other"
    assert (await registered(service, "x-value", V1))[0].id == 7
    assert (await registered(service, "x-value", V2))[0].id == 13


async def test_a_record_may_be_written_again():
    """The same key, the same id: deleted and brought back, by whoever wrote."""
    log = [record(SUBJECT, 1, 1, V1), record(SUBJECT, 1, 1, V1, deleted=True), record(SUBJECT, 1, 1, V1)]
    assert (await started(MemoryLog(log[:2]))).versions(SUBJECT, deleted_only=True) == [1]
    service = await started(MemoryLog(log))
    assert service.versions(SUBJECT) == [1]
    assert service.places(1) == [service.version(SUBJECT, 1)]


async def test_a_record_that_gives_a_version_another_id_replaces_it():
    """The old id is gone with its last place, and is not given again."""
    service = await started(MemoryLog([record(SUBJECT, 1, 8, V1), record(SUBJECT, 1, 5, V2)]))
    assert service.version(SUBJECT, 1).id == 5
    with pytest.raises(SchemaNotFound):
        service.by_id(8)
    assert (await registered(service, "other-value", BAD))[0].id == 9


async def test_the_highest_ids_of_a_leader_hold_though_no_schema_has_them():
    """Of contexts too that nobody knows any more."""
    announced = setting("NOOP", None, {"leader": "http://gone", "ids": {".": 70, ".here": 7}})
    service = await started(MemoryLog([announced]))
    assert service.leader == "http://gone"
    assert (await registered(service, SUBJECT, V1))[0].id == 71
    assert (await registered(service, f":.here:{SUBJECT}", V1))[0].id == 8


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.none() | st.binary(max_size=60), st.none() | st.binary(max_size=60)), max_size=10))
def test_no_bytes_in_the_topic_stop_the_registry(records):
    """Whatever the records hold, the registry starts and registers."""

    async def start():
        service = await started(MemoryLog(records))
        made = await service.register(SUBJECT, sent(V1))
        await service.close()
        return made.id

    assert asyncio.run(start()) == 1


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["s", ":.c:s", V1, V2, "AVRO", "FULL", "IMPORT"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "subject"]), inner, max_size=2)
    ),
    max_leaves=4,
)
MEMBERS = ["subject", "version", "id", "schema", "deleted", "references", "metadata", "mode", "ids", "leader"]
RECORDS = st.tuples(
    st.fixed_dictionaries(
        {"keytype": st.sampled_from(["SCHEMA", "SCHEMA", "CONFIG", "MODE", "DELETE_SUBJECT", "CLEAR_SUBJECT", "NOOP"])},
        optional={"subject": st.sampled_from(["s", "t", ":.c:s", None]), "version": st.integers(-1, 3)},
    ),
    st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, ANY)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORDS, max_size=12))
def test_no_records_keep_the_registry_from_answering(records):
    """Whatever members they have: each id is one text, and what is listed is found."""
    written = [
        (json.dumps(key).encode(), None if value is None else json.dumps(value).encode()) for key, value in records
    ]

    async def start():
        service = await started(MemoryLog(written))
        for each in service.schemas(":*:", deleted=True):
            assert service.by_id(each.id, each.subject).text == each.text
            assert service.version(each.subject, each.version, deleted=True) == each
        await service.close()

    asyncio.run(start())


@pytest.mark.parametrize("subject", ["\ud800", ":.\udfff:s"])
async def test_a_subject_that_cannot_be_written_is_invalid(service, subject):
    """It is refused by itself; what waits with it is written."""
    refused, made = await asyncio.gather(
        service.register(subject, sent(V1)), service.register(SUBJECT, sent(V2)), return_exceptions=True
    )
    assert isinstance(refused, SchemaInvalid)
    assert made.id == 1


@pytest.mark.parametrize("doc", ["\ud800", "\\ud800"])
async def test_a_text_that_cannot_be_written_is_invalid(service, doc):
    """A lone surrogate is no text, escaped or not; what waits with it is written."""
    refused, made = await asyncio.gather(
        service.register("a-value", sent(f'{{"type":"string","doc":"{doc}"}}')),
        service.register(SUBJECT, sent(V2)),
        return_exceptions=True,
    )
    assert isinstance(refused, SchemaInvalid)
    assert made.id == 1
