"""Importing: ids and versions as another registry gave them."""

import asyncio

import pytest

from exchange.errors import SchemaInvalid
from exchange.registry.entities import LATEST, Reference
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema
from tests.registry.registries import (
    OTHER,
    USES_OTHER,
    compacted,
    level,
    registered,
    sent,
    started,
    to_other,
    with_properties,
)


@pytest.fixture
async def importing(service):
    """The registry in import mode."""
    await service.set_mode(None, "IMPORT")
    return service


async def test_ids_and_versions_are_taken_as_they_come(importing):
    """In any order, with gaps; what is registered later goes on after the highest."""
    for version, schema_id, text in ((3, 30, V1), (1, 7, V2)):
        made = await importing.register(SUBJECT, sent(text, version=version, id=schema_id))
        assert (made.version, made.id) == (version, schema_id)
    assert importing.versions(SUBJECT) == [1, 3]
    assert importing.version(SUBJECT, LATEST).id == 30
    await importing.set_mode(None, "READWRITE")
    made = await importing.register("new-value", sent(BAD))
    assert made.id == 31
    made = await importing.register(SUBJECT, sent(schema("code", {"name": "n", "type": "int", "default": 0})))
    assert (made.version, made.id) == (4, 32)


async def test_without_a_version_the_next_number_is_given(importing):
    """The id alone is another registry's."""
    made = [await importing.register(SUBJECT, sent(text, id=number)) for number, text in ((5, V1), (4, V2))]
    assert [(each.version, each.id) for each in made] == [(1, 5), (2, 4)]


async def test_compatibility_is_not_asked(importing):
    """It was elsewhere."""
    await importing.set_config(None, level("FULL_TRANSITIVE"))
    await importing.register(SUBJECT, sent(V1, version=1, id=1))
    assert (await importing.register(SUBJECT, sent(BAD, version=2, id=2))).version == 2


async def test_importing_again_writes_nothing(importing, store):
    """The same schema with the same id and version is there."""
    first = await importing.register(SUBJECT, sent(V1, version=2, id=9))
    before = len(store.log.records)
    assert await importing.register(SUBJECT, sent(V1, version=2, id=9)) == first
    assert await importing.register(SUBJECT, sent(V1, id=9)) == first
    assert await importing.register(SUBJECT, sent(V1)) == first
    assert len(store.log.records) == before


async def test_a_schema_may_have_several_versions_of_one_id(importing):
    """Another registry may have counted it twice."""
    for version in (1, 4):
        made = await importing.register(SUBJECT, sent(V1, version=version, id=9))
        assert (made.version, made.id) == (version, 9)
    assert [each.version for each in importing.places(9)] == [1, 4]
    assert (await importing.register(SUBJECT, sent(V1, version=1, id=9))).version == 1


async def test_a_schema_may_have_several_ids(importing):
    """Each goes on to resolve; a lookup finds the very text, else the newest version of its subject."""
    await importing.register(SUBJECT, sent(V1, version=1, id=100))
    await importing.register(SUBJECT, sent(f" {V1}", version=2, id=200))
    await importing.register("other-value", sent(V1, version=1, id=300))
    assert [importing.by_id(each).text.strip() for each in (100, 200, 300)] == [V1] * 3
    assert (await importing.lookup(SUBJECT, sent(V1))).id == 100
    assert (await importing.lookup(SUBJECT, sent(f"{V1}\n"))).id == 200
    assert (await importing.lookup("other-value", sent(V1))).id == 300
    await importing.set_mode(None, "READWRITE")
    assert (await importing.register("third-value", sent(V1))).id in (100, 200, 300)


async def test_of_several_ids_one_may_go(importing):
    """The others are found as before, by guid too."""
    await importing.register(SUBJECT, sent(V1, version=1, id=100))
    there = await importing.register("other-value", sent(V1, version=1, id=300))
    await importing.delete_subject(SUBJECT)
    await importing.delete_subject(SUBJECT, permanent=True)
    assert importing.by_guid(there.guid) == there
    await importing.set_mode(None, "READWRITE")
    assert (await importing.register("third-value", sent(V1))).id == 300
    assert (await importing.register("fourth-value", sent(f"{V1} "))).id == 300


async def test_an_id_that_is_another_schemas_is_refused(importing):
    """In its context; elsewhere it is free."""
    await importing.register(SUBJECT, sent(V1, version=1, id=1))
    for subject, shown in ((SUBJECT, ""), ("other-value", "")):
        with pytest.raises(SchemaInvalid) as refused:
            await importing.register(subject, sent(V2, id=1))
        assert refused.value.code == "operation_not_permitted"
        assert refused.value.message == f"Overwrite new schema with id 1 in context {shown} is not permitted."
    await importing.set_mode(":.here:", "IMPORT")
    made = await importing.register(":.here:other-value", sent(V2, id=1))
    assert (made.version, made.id) == (1, 1)
    with pytest.raises(SchemaInvalid, match=r"with id 1 in context :\.here: is not permitted"):
        await importing.register(":.here:other-value", sent(V1, id=1))


async def test_an_id_that_another_takes_at_the_same_time_is_refused(importing):
    """One of them has it, and what was answered is what is kept."""
    made = await asyncio.gather(
        importing.register("a-value", sent(V1, version=1, id=5)),
        importing.register("b-value", sent(V2, version=1, id=5)),
        return_exceptions=True,
    )
    kept = [each for each in made if not isinstance(each, SchemaInvalid)]
    assert len(kept) == 1
    assert importing.by_id(5) == kept[0]
    assert importing.subjects() == [kept[0].subject]


async def test_an_id_that_is_taken_is_not_given_at_the_same_time(service):
    """Where one subject is imported and another registers."""
    await service.set_mode("a-value", "IMPORT")
    taken, given = await asyncio.gather(
        service.register("a-value", sent(V1, version=1, id=1)), service.register("b-value", sent(V2))
    )
    assert {taken.id, given.id} == {1, 2}
    assert (service.by_id(taken.id), service.by_id(given.id)) == (taken, given)


@pytest.mark.parametrize(("version", "schema_id"), [(1, 2**31), (1, 2**63), (2**31, 1), (-2, 1), (-(2**31), 1)])
async def test_a_number_out_of_range_is_refused(importing, store, version, schema_id):
    """What Confluent's registry could not read is not written."""
    before = len(store.log.records)
    with pytest.raises(SchemaInvalid, match="out of range"):
        await importing.register(SUBJECT, sent(V1, version=version, id=schema_id))
    assert len(store.log.records) == before


async def test_after_the_last_id_and_version_there_are_none(importing):
    """Nothing is answered that is not kept."""
    await importing.register(SUBJECT, sent(V1, version=2**31 - 1, id=2**31 - 1))
    await importing.set_mode(None, "READWRITE")
    for subject in (SUBJECT, "other-value"):
        with pytest.raises(SchemaInvalid, match="out of range"):
            await importing.register(subject, sent(V2))
    assert importing.subjects() == [SUBJECT]
    assert (await importing.register("other-value", sent(V1))).id == 2**31 - 1


async def test_a_version_is_imported_again_after_its_deletion(importing):
    """With the id and number it had."""
    for _ in range(2):
        made = await importing.register(SUBJECT, sent(V1, version=1, id=1))
        assert (made.version, made.id, importing.versions(SUBJECT)) == (1, 1, [1])
        await importing.delete_subject(SUBJECT)


async def test_what_is_said_about_a_schema_comes_with_it(importing):
    """Nothing is added in import mode."""
    await importing.register(SUBJECT, sent(V1, version=1, id=1, metadata=with_properties(owner="a")))
    made = await importing.register(SUBJECT, sent(V2, version=2, id=2))
    assert made.metadata is None


async def test_references_are_imported_with_what_they_refer_to(importing):
    """In the order in which they need each other."""
    await importing.register("other-value", sent(OTHER, version=1, id=10))
    made = await importing.register(SUBJECT, sent(USES_OTHER, version=1, id=20, references=to_other()))
    assert made.references == (Reference("uz.Other", "other-value", 1),)
    assert importing.referenced_by("other-value", 1) == [20]


async def test_what_was_imported_is_there_after_a_restart_and_compaction(importing, store):
    """And ids go on after the highest."""
    await importing.register(SUBJECT, sent(V1, version=4, id=40))
    await importing.register(SUBJECT, sent(V1, version=5, id=50))
    await importing.register("other-value", sent(V2, version=1, id=4))
    for log in (MemoryLog(store.log.records), compacted(store.log)):
        later = await started(log)
        assert list(later.schemas()) == list(importing.schemas())
        await later.set_mode(None, "READWRITE")
        (made,) = await registered(later, "third-value", BAD)
        assert made.id == 51
