"""Contexts: registries within the registry, each with its own ids."""

import pytest

from exchange.errors import SchemaInvalid, SchemaNotFound
from exchange.registry.entities import LATEST, Reference
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import SUBJECT, V1, V2, schema
from tests.registry.registries import (
    OTHER,
    USES_OTHER,
    compacted,
    level,
    record,
    registered,
    sent,
    started,
    to_other,
)

HERE = f":.here:{SUBJECT}"
THERE = f":.there:{SUBJECT}"


async def test_each_context_gives_its_own_ids(service):
    """The same id is another schema elsewhere."""
    await registered(service, SUBJECT, V1)
    (here,) = await registered(service, HERE, V2)
    assert (here.subject, here.version, here.id) == (HERE, 1, 1)
    assert service.by_id(1).text == V1
    assert service.by_id(1, ":.here:").text == service.by_id(1, HERE).text == V2
    assert (service.highest_id(), service.highest_id(":.here:"), service.highest_id(":.none:")) == (1, 1, 0)


async def test_contexts_are_listed_once_they_hold_something(service):
    """The default one first, then in order."""
    assert service.contexts() == ["."]
    await registered(service, THERE, V1)
    await registered(service, HERE, V1, V2)
    assert service.contexts() == [".", ".here", ".there"]


async def test_the_default_context_may_be_spelled_out(service):
    """`:.:subject` is `subject`."""
    (made,) = await registered(service, f":.:{SUBJECT}", V1)
    assert made.subject == SUBJECT
    assert service.subjects() == [SUBJECT]
    assert service.version(f":.:{SUBJECT}", 1) == made
    assert service.contexts() == ["."]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        (":*:", [":.here:b-value", ":.there:a-value", "a-value"]),
        ("", ["a-value"]),
        (":*:a", [":.there:a-value", "a-value"]),
        (":.here:", [":.here:b-value"]),
        (":.here:a", []),
        ("b", []),
    ],
)
async def test_subjects_are_listed_by_prefix(service, prefix, found):
    """Without a context the default one is meant; `:*:` means all."""
    for each in ("a-value", ":.here:b-value", ":.there:a-value"):
        await registered(service, each, V1)
    assert service.subjects(prefix) == found
    assert [each.subject for each in service.schemas(prefix)] == found


async def test_a_subject_is_looked_for_in_other_contexts_where_the_default_one_has_it_not(service):
    """Version, lookup and id; a subject that names its context is looked for there only."""
    (here,) = await registered(service, HERE, V1)
    assert service.version(SUBJECT, 1) == service.version(SUBJECT, LATEST) == here
    assert await service.lookup(SUBJECT, sent(V1)) == here
    assert service.by_id(1, SUBJECT) == here
    assert service.places(1, SUBJECT) == [here]
    with pytest.raises(SchemaNotFound):
        service.version(THERE, 1)
    with pytest.raises(SchemaNotFound):
        await service.lookup(THERE, sent(V1))
    with pytest.raises(SchemaNotFound):
        service.by_id(1, THERE)
    with pytest.raises(SchemaNotFound):
        service.by_id(1)


async def test_an_id_of_the_default_context_is_answered_whatever_the_subject(service):
    """Where neither it nor its namesakes have the id: readers know ids, not subjects."""
    await registered(service, "other-value", V1)
    assert service.by_id(1, SUBJECT).subject == "other-value"


async def test_a_lookup_that_no_context_answers_is_not_found(service):
    """A reference that another context does not have is no fault of the request."""
    await registered(service, "other-value", OTHER)
    await registered(service, HERE, V1)
    await registered(service, SUBJECT, V1)
    with pytest.raises(SchemaNotFound, match="Schema not found"):
        await service.lookup(SUBJECT, sent(USES_OTHER, references=to_other()))


async def test_a_reference_is_of_its_schemas_context(service):
    """Unless it says another one."""
    await registered(service, ":.here:other-value", OTHER)
    (made,) = await registered(service, HERE, USES_OTHER, references=to_other())
    assert service.referenced_by(":.here:other-value", 1) == [made.id]
    with pytest.raises(SchemaInvalid, match=r'found for subject ":\.there:other-value"'):
        await service.register(THERE, sent(USES_OTHER, references=to_other()))
    (far,) = await registered(service, THERE, USES_OTHER, references=to_other(subject=":.here:other-value"))
    assert far.references == (Reference("uz.Other", ":.here:other-value", 1),)


async def test_a_reference_from_another_context_guards_too(service):
    """What is used anywhere is not deleted."""
    await registered(service, ":.here:other-value", OTHER)
    (far,) = await registered(service, THERE, USES_OTHER, references=to_other(subject=":.here:other-value"))
    assert service.referenced_by(":.here:other-value", 1) == [far.id]
    with pytest.raises(SchemaInvalid) as refused:
        await service.delete_version(":.here:other-value", 1)
    assert refused.value.code == "reference_exists"
    await service.delete_subject(THERE)
    assert await service.delete_version(":.here:other-value", 1) == 1


async def test_a_guid_is_one_in_every_context(service):
    """And says under which id each of them has the schema."""
    await registered(service, HERE, V2)
    await registered(service, SUBJECT, V1)
    (there,) = await registered(service, THERE, V1)
    assert service.ids_of(there.guid) == [(".", 1), (".there", 1)]
    assert service.by_guid(there.guid).subject == SUBJECT
    assert service.by_guid(there.guid.replace("-", "").upper()).subject == SUBJECT
    (only,) = await registered(service, ":.here:x", schema("x"))
    assert service.by_guid(only.guid) == only


async def test_a_level_and_a_mode_of_a_context_hold_for_its_subjects(service):
    """Before the global ones, which do not reach into contexts."""
    await service.set_config(None, level("FULL"))
    await service.set_config(":.here:", level("NONE"))
    await service.set_mode(":.here:", "READONLY")
    assert service.config(HERE, in_scope=True).compatibility_level == "NONE"
    assert service.config(THERE, in_scope=True).compatibility_level == "BACKWARD"
    assert service.config(SUBJECT, in_scope=True).compatibility_level == "FULL"
    assert service.mode(HERE, in_scope=True) == "READONLY"
    with pytest.raises(SchemaInvalid, match=r"Subject :\.here:.* in context :\.here: is in read-only mode"):
        await service.register(HERE, sent(V1))
    assert (await service.register(SUBJECT, sent(V1))).id == 1


async def test_an_empty_context_can_be_ended(service):
    """One that holds something, though deleted softly, cannot; what never was is no matter."""
    await registered(service, HERE, V1)
    for _ in range(2):
        with pytest.raises(SchemaInvalid) as refused:
            await service.delete_context(".here")
        assert refused.value.code == "context_not_empty"
        assert refused.value.message == "The specified context '.here' is not empty."
        await service.delete_subject(HERE) if service.subjects() else None
    await service.delete_subject(HERE, permanent=True)
    await service.delete_context("here")
    assert service.contexts() == ["."]
    await service.delete_context(":.here:")
    await service.delete_context(".none")


async def test_a_context_that_was_ended_gives_no_id_again(service, store):
    """It goes on where it left off, also after compaction and a restart."""
    await registered(service, HERE, V1, V2)
    await service.delete_subject(HERE)
    await service.delete_subject(HERE, permanent=True)
    await service.delete_context(".here")
    later = await started(compacted(store.log))
    assert later.contexts() == ["."]
    (made,) = await registered(later, HERE, V2)
    assert (made.version, made.id) == (1, 3)
    assert later.contexts() == [".", ".here"]


async def test_a_context_with_a_colon_is_none(service):
    """Colons are what names it."""
    with pytest.raises(SchemaInvalid) as refused:
        await service.delete_context("a:b")
    assert refused.value.code == "subject_invalid"


async def test_subjects_of_a_context_that_was_never_announced_are_read():
    """Other writers of the topic may leave its record out; the next registration adds it."""
    service = await started(MemoryLog([record(HERE, 1, 5, V1)]))
    assert service.subjects() == [HERE]
    assert service.by_id(5, ":.here:").text == V1
    await registered(service, HERE, V2)
    assert service.contexts() == [".", ".here"]


async def test_contexts_are_there_after_a_restart_and_compaction(service, store):
    """With their ids and subjects."""
    await registered(service, SUBJECT, V2)
    await registered(service, HERE, V1, V2)
    for log in (MemoryLog(store.log.records), compacted(store.log)):
        later = await started(log)
        assert later.contexts() == [".", ".here"]
        assert list(later.schemas(":*:")) == list(service.schemas(":*:"))
        (made,) = await registered(later, HERE, schema({"name": "z", "type": "int", "default": 0}))
        assert (made.version, made.id) == (3, 3)


async def test_contexts_are_listed_by_prefix(service):
    """The dot is part of their names."""
    for each in (HERE, THERE, ":.thereafter:a"):
        await registered(service, each, V1)
    assert service.contexts(".") == [".", ".here", ".there", ".thereafter"]
    assert service.contexts(".there") == [".there", ".thereafter"]
    assert service.contexts("x") == []
