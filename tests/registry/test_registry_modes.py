"""Modes: what may be written where."""

import pytest

from exchange.errors import SchemaInvalid, SchemaNotFound
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import SUBJECT, V1, V2
from tests.registry.registries import compacted, level, registered, sent, started


async def not_permitted(work):
    """The message of a write that the mode does not admit."""
    with pytest.raises(SchemaInvalid) as refused:
        await work
    assert refused.value.code == "operation_not_permitted"
    return refused.value.message


async def test_the_mode_is_readwrite_until_it_is_set(service):
    """A subject's own before that of all."""
    assert service.mode(None) == service.mode(SUBJECT, in_scope=True) == "READWRITE"
    assert await service.set_mode(None, "readonly") == service.mode(None) == "READONLY"
    assert service.mode(SUBJECT, in_scope=True) == "READONLY"
    assert await service.set_mode(SUBJECT, "READWRITE") == service.mode(SUBJECT) == "READWRITE"
    assert service.mode(SUBJECT, in_scope=True) == "READWRITE"


@pytest.mark.parametrize("mode", ["READONLY", "READONLY_OVERRIDE"])
async def test_nothing_is_written_in_read_only_mode(service, mode):
    """Neither registered, nor deleted, nor configured, in Confluent's words; what is there is found."""
    await registered(service, SUBJECT, V1)
    await service.delete_subject(SUBJECT)
    await registered(service, SUBJECT, V1)
    await service.set_mode(SUBJECT, mode)
    words = f"Subject {SUBJECT} in context  is in read-only mode"
    assert await not_permitted(service.register(SUBJECT, sent(V2))) == words
    assert await not_permitted(service.register(SUBJECT, sent(V2, id=9))) == words
    assert await not_permitted(service.delete_version(SUBJECT, 2)) == words
    assert await not_permitted(service.delete_subject(SUBJECT)) == words
    assert await not_permitted(service.set_config(SUBJECT, level("NONE"))) == words
    assert (await service.register(SUBJECT, sent(V1))).version == 2
    assert (await service.register("other-value", sent(V2))).id == 2


async def test_read_only_for_all_is_told_of_no_subject(service):
    """The message names null as Confluent's does."""
    await service.set_config(None, level("NONE"))
    await service.set_mode(None, "READONLY")
    words = "Subject null in context  is in read-only mode"
    assert await not_permitted(service.set_config(None, level("FULL"))) == words
    assert await not_permitted(service.delete_config(None)) == words
    assert service.config(None).compatibility_level == "NONE"


async def test_a_subject_may_be_written_while_the_others_may_not(service):
    """Its own mode holds before that of all."""
    await service.set_mode(None, "READONLY")
    await service.set_mode(SUBJECT, "READWRITE")
    assert (await service.register(SUBJECT, sent(V1))).id == 1
    await not_permitted(service.register("other-value", sent(V1)))


async def test_the_override_of_all_holds_before_any_subjects_mode(service):
    """In every context, until it is taken back."""
    await service.set_mode(SUBJECT, "READWRITE")
    await service.set_mode(":.here:", "READWRITE")
    await service.set_mode(None, "READONLY_OVERRIDE")
    assert service.mode(SUBJECT) == service.mode(":.here:x", in_scope=True) == "READONLY_OVERRIDE"
    await not_permitted(service.register(SUBJECT, sent(V1)))
    await not_permitted(service.register(":.here:x", sent(V1)))
    assert await service.delete_mode(None) == "READONLY_OVERRIDE"
    assert service.mode(SUBJECT) == "READWRITE"
    assert (await service.register(SUBJECT, sent(V1))).id == 1


async def test_a_mode_can_be_taken_back(service):
    """The answer is what it was; one that was not set is not found."""
    await service.set_mode(SUBJECT, "READONLY")
    assert await service.delete_mode(SUBJECT) == "READONLY"
    with pytest.raises(SchemaNotFound, match=f"Subject '{SUBJECT}' not found") as missing:
        await service.delete_mode(SUBJECT)
    assert missing.value.code == "subject_not_found"
    assert await service.delete_mode(None) == "READWRITE"


@pytest.mark.parametrize("mode", ["", "SLEEPING", "READ ONLY"])
async def test_an_unknown_mode_is_refused(service, mode):
    """The message lists the valid ones."""
    with pytest.raises(SchemaInvalid, match="Valid values are READWRITE, READONLY, READONLY_OVERRIDE") as refused:
        await service.set_mode(SUBJECT, mode)
    assert refused.value.code == "mode_invalid"


async def test_an_id_is_taken_in_import_mode_only(service):
    """Elsewhere the registry gives them."""
    words = f"Subject {SUBJECT} in context  is not in import mode"
    assert await not_permitted(service.register(SUBJECT, sent(V1, version=1, id=1))) == words
    await service.set_mode(SUBJECT, "IMPORT")
    assert await not_permitted(service.register(SUBJECT, sent(V1))) == (
        f"Subject {SUBJECT} in context  is not in read-write mode"
    )
    assert (await service.register(SUBJECT, sent(V1, version=1, id=1))).id == 1


async def test_forward_mode_takes_ids_too(service):
    """As the far end of a forwarding registry has them."""
    assert await service.set_mode(SUBJECT, "forward") == "FORWARD"
    made = await service.register(SUBJECT, sent(V1, version=3, id=7))
    assert (made.version, made.id) == (3, 7)


async def test_import_begins_with_nothing_there(service):
    """Unless it is forced; the message is Confluent's."""
    await registered(service, SUBJECT, V1)
    for where in (None, SUBJECT):
        words = await not_permitted(service.set_mode(where, "IMPORT"))
        assert words == "Cannot import since found existing subjects"
    assert service.mode(None) == "READWRITE"
    assert await service.set_mode("other-value", "IMPORT") == "IMPORT"
    assert await service.set_mode(SUBJECT, "IMPORT", force=True) == "IMPORT"
    assert await service.set_mode(None, "IMPORT", force=True) == "IMPORT"
    assert service.versions(SUBJECT) == [1]


async def test_importing_twice_is_no_second_beginning(service):
    """What was imported stays."""
    await service.set_mode(SUBJECT, "IMPORT")
    await service.register(SUBJECT, sent(V1, version=1, id=1))
    assert await service.set_mode(SUBJECT, "IMPORT") == "IMPORT"
    assert service.versions(SUBJECT) == [1]


async def test_what_was_deleted_goes_for_good_when_importing_begins(service, store):
    """Of all subjects, or of one, or of a context; its ids are not given again."""
    for subject in ("a-value", "b-value", ":.here:a-value"):
        await registered(service, subject, V1)
        await service.delete_subject(subject)
    await service.set_mode("a-value", "IMPORT")
    assert service.subjects(deleted=True) == [":.here:a-value", "b-value"]
    await service.set_mode(":.here:", "IMPORT")
    assert service.subjects(deleted=True) == ["b-value"]
    await service.set_mode(None, "IMPORT")
    assert service.subjects(deleted=True) == []
    for log in (MemoryLog(store.log.records), compacted(store.log)):
        later = await started(log)
        assert later.subjects(deleted=True) == []
        await later.set_mode(None, "READWRITE")
        assert (await later.register("c-value", sent(V2))).id == 2


async def test_modes_are_there_after_a_restart_and_compaction(service, store):
    """Set, set again and taken back."""
    await service.set_mode(None, "IMPORT")
    await service.set_mode(None, "READONLY")
    await service.set_mode("a-value", "READONLY")
    await service.set_mode("a-value", "READWRITE")
    await service.set_mode("b-value", "FORWARD")
    await service.delete_mode("b-value")
    for log in (MemoryLog(store.log.records), compacted(store.log)):
        later = await started(log)
        assert (later.mode(None), later.mode("a-value")) == ("READONLY", "READWRITE")
        with pytest.raises(SchemaNotFound):
            later.mode("b-value")


async def test_modes_of_a_context_are_taken_back_together_where_asked_for(service):
    """With or without one of the context's own; those of other contexts stay."""
    for subject in (":.here:", ":.here:a", ":.here:b", ":.there:a", "a"):
        await service.set_mode(subject, "READONLY")
    assert await service.delete_mode(":.here:") == "READONLY"
    assert service.mode(":.here:a") == "READONLY"
    assert await service.delete_mode(":.here:", recursive=True) is None
    for subject in (":.here:a", ":.here:b"):
        with pytest.raises(SchemaNotFound) as missing:
            service.mode(subject)
        assert missing.value.code == "mode_not_configured"
    assert (service.mode(":.there:a"), service.mode("a")) == ("READONLY", "READONLY")
    assert await service.delete_mode(None, recursive=True) == "READWRITE"
    with pytest.raises(SchemaNotFound):
        service.mode("a")
    assert await service.delete_mode(":.there:a", recursive=True) == "READONLY"


async def test_the_global_context_holds_where_nothing_else_is_set(service):
    """In every context, below its own and the subject's."""
    await service.set_config(":.__GLOBAL:", level("FULL"))
    await service.set_config(":.here:", level("NONE"))
    assert await service.set_mode(":.__GLOBAL:", "READONLY") == "READONLY"
    await service.set_mode(":.here:", "READWRITE")
    assert service.mode(None, in_scope=True) == service.mode(":.there:a", in_scope=True) == "READONLY"
    assert service.mode(":.here:a", in_scope=True) == "READWRITE"
    assert service.config(":.there:a", in_scope=True).compatibility_level == "FULL"
    assert service.config(SUBJECT, in_scope=True).compatibility_level == "FULL"
    assert service.config(":.here:a", in_scope=True).compatibility_level == "NONE"
    await not_permitted(service.register(SUBJECT, sent(V1)))
    assert (await service.register(":.here:a", sent(V1))).id == 1
