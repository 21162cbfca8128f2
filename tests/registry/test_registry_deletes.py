"""Deleting: softly, so that it can be brought back, and then for good."""

import pytest

from exchange.errors import SchemaInvalid, SchemaNotFound
from exchange.registry.entities import LATEST
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema
from tests.registry.registries import (
    compacted,
    level,
    record,
    registered,
    sent,
    setting,
    started,
)

V3 = schema("code", {"name": "more", "type": "string", "default": ""})


async def refused_as(code, work):
    """The message of a deletion that was refused with this code."""
    with pytest.raises((SchemaNotFound, SchemaInvalid)) as refused:
        await work
    assert refused.value.code == code
    return refused.value.message


async def test_a_deleted_version_is_gone_but_its_id_resolves(service):
    """Who wrote with it is still read."""
    await registered(service, SUBJECT, V1, V2)
    assert await service.delete_version(SUBJECT, 1) == 1
    assert service.versions(SUBJECT) == [2]
    assert service.versions(SUBJECT, deleted=True) == [1, 2]
    assert service.versions(SUBJECT, deleted_only=True) == [1]
    assert service.by_id(1).text == V1
    assert service.places(1) == []
    assert [each.version for each in service.places(1, deleted=True)] == [1]
    assert service.version(SUBJECT, 1, deleted=True).deleted
    with pytest.raises(SchemaNotFound, match="Version 1 not found"):
        service.version(SUBJECT, 1)
    with pytest.raises(SchemaNotFound, match="Schema not found"):
        await service.lookup(SUBJECT, sent(V1))
    assert (await service.lookup(SUBJECT, sent(V1), deleted=True)).version == 1


async def test_the_newest_is_the_newest_that_is_not_deleted(service):
    """And what comes next is compared with that one, and numbered after the deleted one."""
    await registered(service, SUBJECT, V1, V2)
    assert await service.delete_version(SUBJECT, LATEST) == 2
    assert service.version(SUBJECT, LATEST).version == 1
    made = await service.register(SUBJECT, sent(V3))
    assert (made.version, made.id) == (3, 3)


async def test_a_deleted_subject_is_listed_only_where_deleted_ones_are_asked_for(service):
    """The answer to a deletion is what was deleted."""
    await registered(service, SUBJECT, V1, V2)
    await registered(service, "other-value", V1)
    assert await service.delete_subject(SUBJECT) == [1, 2]
    assert service.subjects() == ["other-value"]
    assert service.subjects(deleted=True) == [SUBJECT, "other-value"]
    assert service.subjects(deleted_only=True) == [SUBJECT]
    assert service.versions(SUBJECT, deleted=True) == [1, 2]
    with pytest.raises(SchemaNotFound, match="not found"):
        service.versions(SUBJECT)
    with pytest.raises(SchemaNotFound) as missing:
        service.version(SUBJECT, LATEST)
    assert missing.value.code == "subject_not_found"


async def test_deleting_a_subject_passes_over_the_versions_that_are_deleted(service):
    """Only what was there is named; for good it names them all."""
    await registered(service, SUBJECT, V1, V2)
    await service.delete_version(SUBJECT, 1)
    assert await service.delete_subject(SUBJECT) == [2]
    assert await service.delete_subject(SUBJECT, permanent=True) == [1, 2]
    assert service.subjects(deleted=True) == []


async def test_a_schema_registered_after_its_deletion_has_its_id_and_the_next_number(service, store):
    """Confluent takes the deleted version away for good: the schema stands in its subject once."""
    await registered(service, SUBJECT, V1)
    await service.delete_subject(SUBJECT)
    again = await service.register(SUBJECT, sent(V1))
    assert (again.version, again.id) == (2, 1)
    assert service.versions(SUBJECT, deleted=True) == [2]
    later = await started(compacted(store.log))
    assert later.versions(SUBJECT, deleted=True) == [2]
    assert later.by_id(1).text == V1


async def test_a_schema_registered_after_its_deletion_in_other_spelling_has_its_first_text(service):
    """An id is one text for ever."""
    await registered(service, SUBJECT, V1)
    await service.delete_version(SUBJECT, 1)
    again = await service.register(SUBJECT, sent(f"  {V1}\n"))
    assert (again.version, again.id, again.text) == (2, 1, V1)


async def test_what_a_deleted_version_said_breaks_nothing(service):
    """Compatibility is with what is there."""
    await registered(service, SUBJECT, V1)
    await service.delete_version(SUBJECT, 1)
    assert await service.check(SUBJECT, sent(BAD), LATEST) == []
    assert (await service.register(SUBJECT, sent(BAD))).version == 2


async def test_deleting_for_good_comes_after_deleting(service):
    """Two steps, in this order, in Confluent's words."""
    await registered(service, SUBJECT, V1, V2)
    assert await refused_as("version_not_soft_deleted", service.delete_version(SUBJECT, 1, permanent=True)) == (
        f"Subject '{SUBJECT}' Version 1 was not deleted first before being permanently deleted"
    )
    assert await refused_as("subject_not_soft_deleted", service.delete_subject(SUBJECT, permanent=True)) == (
        f"Subject '{SUBJECT}' was not deleted first before being permanently deleted"
    )
    await service.delete_version(SUBJECT, 1)
    assert await refused_as("version_soft_deleted", service.delete_version(SUBJECT, 1)) == (
        f"Subject '{SUBJECT}' Version 1 was soft deleted.Set permanent=true to delete permanently"
    )
    await refused_as("subject_not_soft_deleted", service.delete_subject(SUBJECT, permanent=True))
    await service.delete_subject(SUBJECT)
    assert await refused_as("subject_soft_deleted", service.delete_subject(SUBJECT)) == (
        f"Subject '{SUBJECT}' was soft deleted.Set permanent=true to delete permanently"
    )


async def test_what_is_not_there_cannot_be_deleted(service):
    """Subject and version are told apart."""
    assert await refused_as("subject_not_found", service.delete_subject("x")) == "Subject 'x' not found."
    assert await refused_as("subject_not_found", service.delete_version("x", 1)) == "Subject 'x' not found."
    await refused_as("subject_not_found", service.delete_version("x", LATEST))
    await refused_as("subject_not_found", service.delete_subject("x", permanent=True))
    await registered(service, SUBJECT, V1)
    assert await refused_as("version_not_found", service.delete_version(SUBJECT, 9)) == "Version 9 not found."


async def test_what_was_deleted_for_good_is_unknown(service):
    """The version, and with its last place the id."""
    await registered(service, SUBJECT, V1, V2)
    await registered(service, "other-value", V2)
    for number in (1, 2):
        await service.delete_version(SUBJECT, number)
        assert await service.delete_version(SUBJECT, number, permanent=True) == number
    assert service.subjects(deleted=True) == ["other-value"]
    assert service.by_id(2).subject == "other-value"
    with pytest.raises(SchemaNotFound):
        service.by_id(1)
    with pytest.raises(SchemaNotFound):
        service.places(1)


async def test_a_schema_deleted_for_good_gets_a_new_id_and_numbers_begin_anew(service):
    """What was forgotten is new again; its id is never another schema's."""
    await registered(service, SUBJECT, V1)
    await service.delete_subject(SUBJECT)
    await service.delete_subject(SUBJECT, permanent=True)
    again = await service.register(SUBJECT, sent(V1))
    assert (again.version, again.id) == (1, 2)


async def test_ids_are_not_given_again_after_deletion_compaction_and_restart(service, store):
    """Though the topic holds nothing of the schema any more."""
    await registered(service, SUBJECT, V1, V2)
    await service.delete_subject(SUBJECT)
    await service.delete_subject(SUBJECT, permanent=True)
    log = compacted(store.log)
    assert b"uz.R" not in b"".join(value for _, value in log.records)
    later = await started(log)
    assert later.subjects(deleted=True) == []
    assert (await later.register("new-value", sent(V1))).id == 3
    assert (await (await started(compacted(log))).register("newer-value", sent(V2))).id == 4


async def test_what_was_configured_for_a_subject_goes_with_its_last_version(service):
    """Mode and level; a level set for a subject that is only softly deleted stays."""
    await registered(service, SUBJECT, V1, V2)
    await service.set_config(SUBJECT, level("NONE"))
    await service.set_mode(SUBJECT, "READWRITE")
    await service.delete_subject(SUBJECT)
    await service.delete_version(SUBJECT, 1, permanent=True)
    assert service.config(SUBJECT).compatibility_level == "NONE"
    await service.delete_version(SUBJECT, 2, permanent=True)
    with pytest.raises(SchemaNotFound):
        service.config(SUBJECT)
    with pytest.raises(SchemaNotFound):
        service.mode(SUBJECT)


async def test_a_deletion_by_confluent_is_read():
    """Its DELETE_SUBJECT record takes every version up to one; a tombstone takes a version for good."""
    log = MemoryLog(
        [
            record(SUBJECT, 1, 1, V1),
            record(SUBJECT, 2, 2, V2),
            record("other", 1, 3, BAD),
            setting("DELETE_SUBJECT", SUBJECT, {"subject": SUBJECT, "version": 2}),
            setting("DELETE_SUBJECT", SUBJECT),
            (record("other", 1, 3, BAD)[0], None),
        ]
    )
    service = await started(log)
    assert service.subjects() == []
    assert service.subjects(deleted=True) == [SUBJECT]
    made = await service.register(SUBJECT, sent(V3))
    assert (made.version, made.id) == (3, 4)


async def test_a_tombstone_of_what_was_never_there_changes_nothing():
    """Compaction may leave one without what it took away."""
    service = await started(MemoryLog([(record(SUBJECT, 1, 1, V1)[0], None), record(SUBJECT, 2, 2, V2)]))
    assert service.versions(SUBJECT) == [2]


async def test_everything_deleted_is_deleted_after_a_restart_and_compaction(service, store):
    """Softly and for good, of each kind."""
    await registered(service, "a-value", V1, V2)
    await registered(service, "b-value", V1, V2)
    await registered(service, "c-value", V2)
    await service.delete_version("a-value", 2)
    await service.delete_subject("b-value")
    await service.delete_version("b-value", 1, permanent=True)
    await service.delete_subject("c-value")
    await service.delete_subject("c-value", permanent=True)
    for log in (MemoryLog(store.log.records), compacted(store.log)):
        later = await started(log)
        assert list(later.schemas(":*:", deleted=True)) == list(service.schemas(":*:", deleted=True))
        assert later.subjects(deleted_only=True) == ["b-value"]
