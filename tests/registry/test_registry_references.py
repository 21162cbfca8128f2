"""References: schemas that use the types of others."""

import asyncio
import json

import pytest

from exchange.avro import Schema
from exchange.errors import SchemaIncompatible, SchemaInvalid, SchemaNotFound
from exchange.registry.entities import LATEST, Reference
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import SUBJECT, V1, schema
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

OTHER2 = schema(("x", "long"), {"name": "y", "type": "int", "default": 0}, name="uz.Other")
IN_FULL = json.dumps({"type": "record", "name": "uz.User", "fields": [{"name": "other", "type": json.loads(OTHER)}]})


@pytest.fixture
async def other(service):
    """The registry, holding OTHER."""
    await registered(service, "other-value", OTHER)
    return service


async def test_a_schema_uses_the_types_of_another(other):
    """The text stays as it came, and says whose types it uses."""
    made = await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    assert (made.version, made.id) == (1, 2)
    kept = other.by_id(2)
    assert (kept.text, kept.references) == (USES_OTHER, to_other())
    assert other.referenced_by("other-value", 1) == other.referenced_by("other-value", LATEST) == [2]


async def test_a_reference_to_the_newest_version_is_kept_by_its_number(other):
    """What was the newest when it was registered."""
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other(LATEST)))
    await registered(other, "other-value", OTHER2)
    assert other.version(SUBJECT, 1).references == to_other(1)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (Reference("uz.Other", "none-value", 1), 'No schema reference found for subject "none-value" and version 1'),
        (Reference("uz.Other", "other-value", 7), 'No schema reference found for subject "other-value" and version 7'),
        (Reference("uz.Other", "none-value", LATEST), 'No schema reference found for subject "none-value" and version'),
        (Reference(None, "other-value", 1), "Invalid schema reference"),
        (Reference("uz.Other", None, 1), "Invalid schema reference"),
        (Reference("uz.Other", "other-value", None), "Invalid schema reference"),
    ],
)
async def test_a_reference_to_nothing_is_refused(other, reference, words):
    """With where it points."""
    with pytest.raises(SchemaInvalid) as refused:
        await other.register(SUBJECT, sent(USES_OTHER, references=(reference,)))
    assert words in refused.value.message
    with pytest.raises(SchemaInvalid):
        await other.check(SUBJECT, sent(USES_OTHER, references=(reference,)), LATEST)


async def test_a_reference_to_a_deleted_version_is_refused_in_a_new_schema(other):
    """What is there already goes on to be read."""
    await other.delete_version("other-value", 1)
    with pytest.raises(SchemaInvalid, match="No schema reference found"):
        await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))


async def test_a_type_that_is_not_referred_to_is_not_there(other):
    """Only what is named can be used."""
    with pytest.raises(SchemaInvalid, match=r"uz\.Other"):
        await other.register(SUBJECT, sent(USES_OTHER))


async def test_what_is_referred_to_is_not_deleted(other):
    """Neither softly nor with its subject; once the last that uses it is gone it can be."""
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    words = "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=other-value,version=1}."
    for work in (other.delete_version("other-value", 1), other.delete_subject("other-value")):
        with pytest.raises(SchemaInvalid) as refused:
            await work
        assert (refused.value.code, refused.value.message) == ("reference_exists", words)
    await other.delete_subject(SUBJECT)
    assert other.referenced_by("other-value", 1) == []
    assert await other.delete_subject("other-value") == [1]


async def test_what_is_referred_to_again_is_guarded_again(other):
    """A schema that is brought back brings its references back."""
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    await other.delete_subject(SUBJECT)
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    assert other.referenced_by("other-value", 1) == [2]
    with pytest.raises(SchemaInvalid):
        await other.delete_version("other-value", 1)


async def test_a_schema_that_lost_what_it_refers_to_is_still_read(other):
    """Deleted softly, both are; brought back they stand as before."""
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    await other.delete_subject(SUBJECT)
    await other.delete_subject("other-value")
    assert await other.formatted(other.by_id(2), "resolved") == await other.formatted(other.by_id(2), "RESOLVED")
    assert Schema.parse(await other.formatted(other.by_id(2), "resolved")) == Schema.parse(IN_FULL)


async def test_a_schema_is_answered_with_its_references_written_out(other):
    """Where it is asked for; else as it came."""
    made = await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    assert Schema.parse(await other.formatted(made, "resolved")) == Schema.parse(IN_FULL)
    assert await other.formatted(made, "") == await other.formatted(made, "default") == USES_OTHER


async def test_references_are_followed_through_schemas_that_refer_themselves(other):
    """The middle one is named; what that one needs comes with it."""
    await other.register("middle-value", sent(USES_OTHER, references=to_other()))
    top = schema(("user", "uz.User"), name="uz.Top")
    made = await other.register(SUBJECT, sent(top, references=(Reference("uz.User", "middle-value", 1),)))
    in_full = schema(("user", json.loads(IN_FULL)), name="uz.Top")
    assert Schema.parse(await other.formatted(made, "resolved")) == Schema.parse(in_full)
    assert other.referenced_by("middle-value", 1) == [3]
    assert other.referenced_by("other-value", 1) == [2]


async def test_compatibility_looks_at_what_is_referred_to(other):
    """A change of a type that is used is a change of the schema."""
    await other.set_config("other-value", level("NONE"))
    await registered(other, "other-value", schema(("x", "string"), name="uz.Other"))
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other(1)))
    with pytest.raises(SchemaIncompatible, match="TYPE_MISMATCH"):
        await other.register(SUBJECT, sent(USES_OTHER, references=to_other(2)))
    assert await other.check(SUBJECT, sent(USES_OTHER, references=to_other(1)), LATEST) == []


async def test_a_schema_is_found_with_its_references_written_out(other):
    """Confluent's clients resolve first and look up then."""
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    assert (await other.lookup(SUBJECT, sent(IN_FULL))).id == 2
    assert (await other.register(SUBJECT, sent(IN_FULL))).id == 2
    assert (await other.lookup(SUBJECT, sent(USES_OTHER, references=to_other()))).id == 2


async def test_a_circle_of_references_is_refused():
    """A topic may hold one; nothing hangs."""
    round_about = [{"name": "uz.B", "subject": "b", "version": 1}], [{"name": "uz.A", "subject": "a", "version": 1}]
    service = await started(
        MemoryLog(
            [
                record("a", 1, 1, schema(("b", "uz.B"), name="uz.A"), references=round_about[0]),
                record("b", 1, 2, schema(("a", "uz.A"), name="uz.B"), references=round_about[1]),
            ]
        )
    )
    top = sent(schema(("a", "uz.A"), name="uz.Top"), references=(Reference("uz.A", "a", 1),))
    with pytest.raises(SchemaInvalid, match="circle: a version 1 -> b version 1 -> a version 1"):
        await service.register(SUBJECT, top)
    assert service.by_id(1).text
    assert (await service.register("other-value", sent(V1))).id == 3
    assert service.referenced_by("a", 1) == [2]


async def test_a_reference_whose_target_is_gone_is_an_invalid_schema():
    """A topic may hold that too; what was asked for is answered as it is kept."""
    service = await started(MemoryLog([record("a", 1, 1, USES_OTHER, references=[{"name": "x"}])]))
    assert service.by_id(1).text == USES_OTHER
    with pytest.raises(SchemaInvalid):
        await service.formatted(service.by_id(1), "resolved")
    with pytest.raises(SchemaInvalid):
        await service.check("a", sent(V1), LATEST)


async def test_references_that_fan_out_are_each_read_once(service):
    """Each layer refers to both schemas of the layer below: read anew on every way there, this would never end."""

    def type_at(layer, side):
        return f"uz.L{layer}{side}"

    for side in "ab":
        await registered(service, f"0{side}", schema("x", name=type_at(0, side)))
    for layer in range(1, 30):
        below = tuple(Reference(type_at(layer - 1, each), f"{layer - 1}{each}", 1) for each in "ab")
        for side in "ab":
            fields = [(each, type_at(layer - 1, each)) for each in "ab"]
            await service.register(f"{layer}{side}", sent(schema(*fields, name=type_at(layer, side)), references=below))
    assert len(service.subjects()) == 60


async def test_references_stand_after_a_restart_and_compaction(other, store):
    """Who refers to whom comes from the records alone."""
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    await other.delete_subject(SUBJECT)
    await other.register(SUBJECT, sent(USES_OTHER, references=to_other()))
    for log in (MemoryLog(store.log.records), compacted(store.log)):
        later = await started(log)
        assert later.referenced_by("other-value", 1) == [2]
        with pytest.raises(SchemaInvalid):
            await later.delete_version("other-value", 1)
        assert (await later.register(SUBJECT, sent(IN_FULL))).version == 2


@pytest.mark.parametrize("deletes_first", [False, True])
async def test_registering_what_refers_while_its_target_goes_is_one_or_the_other(other, deletes_first):
    """Never a schema that refers to what is deleted."""
    await other.claim()
    work = [
        other.register(SUBJECT, sent(USES_OTHER, references=to_other())),
        other.delete_version("other-value", 1),
    ]
    made = await asyncio.gather(*(reversed(work) if deletes_first else work), return_exceptions=True)
    assert [isinstance(each, SchemaInvalid) for each in made] == [False, True]
    assert other.subjects() == ([] if deletes_first else [SUBJECT, "other-value"])
    with pytest.raises((SchemaInvalid, SchemaNotFound)):
        await other.delete_version("other-value", 1)


async def test_a_chain_of_references_without_end_is_refused_and_stands_in_nobodys_way():
    """A topic may hold one: its schemas are answered as they are, and others are registered."""

    def link(number):
        below = [{"name": f"uz.C{number - 1}", "subject": f"c{number - 1}", "version": 1}] if number else []
        return record(f"c{number}", 1, number + 1, schema("x", name=f"uz.C{number}"), references=below)

    service = await started(MemoryLog([link(number) for number in range(1500)]))
    assert (await service.register(SUBJECT, sent(V1))).id == 1501
    assert service.by_id(1500).subject == "c1499"
    with pytest.raises(SchemaInvalid, match="more than 200 deep"):
        await service.register(SUBJECT, sent(V1, references=(Reference("uz.C1499", "c1499", 1),)))
    assert (await service.register("new-value", sent(V1, references=(Reference("uz.C100", "c100", 1),)))).id == 1502
