"""When two schemas are one: what ids go by."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import SchemaNotFound
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import SUBJECT, V1, schema
from tests.registry.registries import (
    OTHER,
    compacted,
    level,
    record,
    registered,
    sent,
    started,
    to_other,
)

PLAIN = (
    '{"type":"record","name":"R","namespace":"uz","fields":[{"name":"a","type":"string"},'
    '{"name":"b","type":{"type":"enum","name":"E","symbols":["X"]}},{"name":"c","type":"E"}]}'
)


@pytest.mark.parametrize(
    "same",
    [
        json.dumps(json.loads(PLAIN), indent=8),
        PLAIN.replace('"type":"record",', "", 1)[:-1] + ',"type":"record"}',
        PLAIN.replace('"name":"R","namespace":"uz"', '"name":"uz.R"'),
        PLAIN.replace('"name":"R","namespace":"uz"', '"name":"uz.R","namespace":"ignored"'),
        PLAIN.replace('"type":"E"', '"type":"uz.E"'),
        PLAIN.replace('"type":"string"', '"type":{"type":"string"}'),
        PLAIN.replace('"name":"E"', '"name":"E","namespace":"uz"'),
        PLAIN.replace('"name":"a"', '"name":"\\u0061"'),
        "\n" + PLAIN + "\t",
    ],
)
async def test_spelling_makes_no_other_schema(service, same):
    """Whitespace, the order of keys, namespaces spelled out or not, primitive types as objects."""
    (first,) = await registered(service, SUBJECT, PLAIN)
    assert await registered(service, SUBJECT, same) == [first]
    assert await service.lookup(SUBJECT, sent(same)) == first
    (elsewhere,) = await registered(service, "other-value", same)
    assert (elsewhere.id, elsewhere.version, elsewhere.text, elsewhere.guid) == (1, 1, PLAIN, first.guid)


@pytest.mark.parametrize(
    "different",
    [
        PLAIN.replace('"name":"R"', '"name":"R","doc":"about"'),
        PLAIN.replace('{"name":"a"', '{"doc":"about","name":"a"'),
        PLAIN.replace('"type":"string"', '"type":"string","default":""'),
        PLAIN.replace('"type":"string"', '"type":"string","aliases":["z"]'),
        PLAIN.replace('"type":"string"', '"type":"string","order":"ignore"'),
        PLAIN.replace('"name":"R"', '"name":"R","x-owner":"a"'),
        PLAIN.replace('"type":"string"', '"type":{"type":"string","logicalType":"uuid"}'),
        PLAIN.replace('"symbols":["X"]', '"symbols":["X","Y"]'),
        PLAIN.replace('"symbols":["X"]', '"symbols":["X"],"default":"X"'),
        PLAIN.replace('"namespace":"uz"', '"namespace":"uz2"'),
    ],
)
async def test_what_a_schema_says_makes_it_another(service, different):
    """Documentation, defaults, aliases and marks included: clients read them."""
    await service.set_config(None, level("NONE"))
    first, second = await registered(service, SUBJECT, PLAIN, different)
    assert (second.version, second.id) == (2, 2)
    assert first.guid != second.guid
    assert (await service.lookup(SUBJECT, sent(different))).id == 2


async def test_the_text_is_kept_as_it_came(service):
    """The answer is what was registered, with its whitespace."""
    text = "  " + json.dumps(json.loads(V1), indent=3) + "\n"
    (made,) = await registered(service, SUBJECT, text)
    assert service.by_id(made.id).text == text


async def test_a_primitive_type_as_an_object_is_answered_as_its_name(service):
    """`{"type": "string"}` is `"string"`; what says more is kept."""
    (made,) = await registered(service, SUBJECT, '{"type": "string"}')
    assert service.by_id(made.id).text == '"string"'
    assert await registered(service, SUBJECT, '"string"') == [made]
    said = '{"type": "string", "avro.java.string": "String"}'
    (more,) = await registered(service, "other-value", said)
    assert (more.text, more.id) == (said, 2)


async def test_a_schema_has_one_id_in_every_subject(service):
    """The id is the schema's, not the subject's."""
    (first,) = await registered(service, SUBJECT, V1)
    (second,) = await registered(service, "other-value", V1)
    assert (first.id, second.id) == (1, 1)
    assert [(each.subject, each.version) for each in service.places(1)] == [(SUBJECT, 1), ("other-value", 1)]
    assert [each.subject for each in service.places(1, "other-value")] == [SUBJECT, "other-value"]
    assert service.by_id(1, "other-value") == second


async def test_references_make_another_schema_than_what_they_stand_for(service):
    """Under another subject: there the text with the types written out is another text."""
    await registered(service, "other-value", OTHER)
    by_name = '{"type":"record","name":"uz.User","fields":[{"name":"other","type":"uz.Other"}]}'
    in_full = by_name.replace('"uz.Other"', OTHER)
    (named,) = await registered(service, "a-value", by_name, references=to_other())
    (full,) = await registered(service, "b-value", in_full)
    assert named.id != full.id
    assert (await registered(service, "a-value", in_full)) == [named]
    assert (await registered(service, "c-value", f" {by_name}", references=to_other()))[0].id == named.id
    with pytest.raises(SchemaNotFound):
        await service.lookup("b-value", sent(by_name, references=to_other()))


async def test_ids_are_found_again_after_a_restart(service, store):
    """By what schemas are, not by how they were written; while the registry still works that out, too."""
    texts = [schema("a", name=f"uz.R{number}") for number in range(120)]
    for number, text in enumerate(texts):
        await registered(service, f"s{number}-value", text)
    later = await started(MemoryLog(store.log.records))
    (made,) = await registered(later, "new-value", json.dumps(json.loads(texts[-1]), indent=1))
    assert (made.id, made.text) == (120, texts[-1])
    (made,) = await registered(later, "newer-value", V1)
    assert made.id == 121


async def test_a_schema_of_another_kind_is_known_by_its_text_alone():
    """What is not Avro is kept and answered, and never taken for a schema of ours."""
    proto = 'syntax = "proto3";'
    service = await started(MemoryLog([record("p-value", 1, 4, proto, schemaType="PROTOBUF")]))
    assert (service.by_id(4).text, service.by_id(4).schema_type) == (proto, "PROTOBUF")
    (made,) = await registered(service, "a-value", V1)
    assert made.id == 5
    with pytest.raises(SchemaNotFound):
        await service.lookup("p-value", sent(V1))


async def test_ids_of_an_older_topic_that_gave_a_schema_two_are_both_kept():
    """The lower is the schema's from now on."""
    service = await started(MemoryLog([record("a-value", 1, 7, V1), record("b-value", 1, 3, f"{V1} ")]))
    assert (service.by_id(7).text, service.by_id(3).text) == (V1, f"{V1} ")
    (made,) = await registered(service, "c-value", json.dumps(json.loads(V1), indent=1))
    assert made.id == 3
    assert (await registered(service, "a-value", V1))[0].id == 7


names = st.sampled_from(["a", "b", "c", "d"])
fields = st.lists(
    st.tuples(names, st.sampled_from(["string", "int", "long"])), max_size=4, unique_by=lambda field: field[0]
)
written_as = st.tuples(st.sampled_from([None, 1, 4]), st.booleans(), st.booleans())


def spelled(pairs, indent, reverse, objects):
    """A record in one of its spellings."""
    made = [{"name": name, "type": {"type": kind} if objects else kind} for name, kind in pairs]
    members = [("type", "record"), ("name", "uz.R"), ("fields", made)]
    return json.dumps(dict(reversed(members) if reverse else members), indent=indent)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(fields, written_as), min_size=1, max_size=8))
def test_equal_schemas_have_equal_ids_and_others_have_others(sent_in):
    """However each is written, in whatever order they come, before and after a restart."""

    async def scenario():
        log = MemoryLog()
        service = await started(log)
        given_ids = {}
        for number, (pairs, style) in enumerate(sent_in):
            (made,) = await registered(service, f"s{number}", spelled(pairs, *style))
            assert given_ids.setdefault(tuple(pairs), made.id) == made.id
        assert len(set(given_ids.values())) == len(given_ids)
        later = await started(compacted(log))
        for pairs, schema_id in given_ids.items():
            (made,) = await registered(later, "later", spelled(pairs, 2, True, True))
            assert made.id == schema_id
            await later.delete_subject("later")
        await service.close()
        await later.close()

    asyncio.run(scenario())
