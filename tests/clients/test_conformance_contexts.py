"""Contexts: namespaces of subjects and ids, as Confluent's own tests have them."""

import pytest

from tests.clients.rest import EACH_OF_TEN, ONE, TWO, Refused


@pytest.fixture
def filled(registry):
    """Ten versions in `.ctx1`, five in `.ctx2`, two in `.ctx3`, one in the default context."""
    for subject, count in ((":.ctx1:testTopic1", 10), (":.ctx2:testTopic2", 5), (":.ctx3:testTopic1", 2)):
        for schema in EACH_OF_TEN[:count]:
            registry.register(subject, schema)
    registry.register("testTopic1", ONE)
    return registry


def test_an_empty_registry_has_the_default_context(registry):
    """`.` is always there; a page behind it is empty."""
    assert registry.get("contexts") == ["."]
    assert registry.get("contexts", limit=1, offset=0) == ["."]
    assert registry.get("contexts", limit=1, offset=1) == []


def test_each_context_numbers_its_ids(registry):
    """Ids start at 1 in each context, and one schema has an id in each."""
    assert registry.register("s", ONE) == 1
    assert registry.register(":.ctx:s", TWO) == 1
    assert registry.register(":.ctx:s", ONE) == 2
    assert registry.get("schemas", "ids", 1)["schema"] == ONE
    assert registry.get("schemas", "ids", 1, subject=":.ctx:s")["schema"] == TWO


def test_contexts_are_listed(filled):
    """Every context that a subject was registered in is listed, in order."""
    assert filled.get("contexts") == [".", ".ctx1", ".ctx2", ".ctx3"]


def test_subjects_of_a_context(filled):
    """A prefix names a context; none names the default one; `:*:` names all."""
    assert filled.get("subjects", subjectPrefix=":.ctx1:") == [":.ctx1:testTopic1"]
    assert filled.get("subjects", subjectPrefix="") == ["testTopic1"]
    everything = [":.ctx1:testTopic1", ":.ctx2:testTopic2", ":.ctx3:testTopic1", "testTopic1"]
    assert filled.get("subjects", subjectPrefix=":*:") == everything
    assert filled.get("subjects") == everything


def test_schemas_of_a_context(filled):
    """`:*:` and a name find the subjects of that name in every context."""
    assert len(filled.get("schemas", subjectPrefix=":*:")) == 18
    assert len(filled.get("schemas", subjectPrefix=":*:testTopic1")) == 13
    assert len(filled.get("schemas", subjectPrefix=":*:testTopic2")) == 5
    assert len(filled.get("schemas", subjectPrefix=":.ctx2:")) == 5
    assert len(filled.get("schemas")) == 1


def test_a_subject_is_looked_for_in_every_context(filled):
    """An unqualified subject that the default context lacks is found in the one that has it."""
    found = filled.get("subjects", "testTopic2", "versions", 1)
    assert (found["subject"], found["version"]) == (":.ctx2:testTopic2", 1)
    assert filled.lookup("testTopic2", found["schema"])["version"] == 1


def test_an_id_is_looked_for_where_the_subject_is(filled):
    """With an unqualified subject, an id is that of the context which has the subject."""
    assert filled.get("schemas", "ids", 1, subject="testTopic1")["schema"] == ONE
    assert filled.get("schemas", "ids", 2, subject="testTopic2")["schema"] == EACH_OF_TEN[1]
    assert filled.get("schemas", "ids", 2)[:2] == (404, 40403)


def test_the_default_context_may_be_written(registry):
    """`:.:s` is `s`."""
    registry.register(":.:s", ONE)
    assert registry.get("subjects") == ["s"]
    assert registry.get("subjects", ":.:s", "versions") == registry.get("subjects", "s", "versions") == [1]


def test_a_path_may_name_the_context(registry):
    """Under `/contexts/.ctx` every route speaks of that context."""
    within = registry.under("contexts", ".ctx1")
    assert within.get("subjects", "s", "versions")[:2] == (404, 40401)
    assert [within.register("s", each) for each in EACH_OF_TEN[:3]] == [1, 2, 3]
    assert within.get("subjects", "s", "versions") == [1, 2, 3]
    assert within.get("subjects") == [":.ctx1:s"]
    assert within.get("schemas", "ids", 2)["schema"] == EACH_OF_TEN[1]
    assert within.get("contexts") == [".", ".ctx1"]
    assert registry.get("subjects", ":.ctx1:s", "versions") == [1, 2, 3]
    assert registry.get("schemas", "ids", 2)[:2] == (404, 40403)
    within.level("NONE", "s")
    assert registry.get("config", ":.ctx1:s") == {"compatibilityLevel": "NONE"}
    assert within.delete("subjects", "s") == [1, 2, 3]


def test_a_path_may_name_the_default_context(registry):
    """Under `/contexts/:.:` every route speaks of the default context."""
    within = registry.under("contexts", ":.:")
    assert within.register("s", ONE) == 1
    assert registry.get("subjects") == within.get("subjects") == ["s"]


def test_one_guid_has_an_id_in_each_context(registry):
    """The ids of a guid name their contexts."""
    registry.register("s", ONE)
    registry.register(":.ctx:s", TWO)
    registry.register(":.ctx:s", ONE)
    guid = registry.get("schemas", "ids", 1)["guid"]
    expected = [{"context": ".", "id": 1}, {"context": ".ctx", "id": 2}]
    assert registry.get("schemas", "guids", guid, "ids") == expected


def test_a_context_is_deleted_once_it_is_empty(registry):
    """A context with subjects is 422; an empty one goes."""
    registry.register(":.ctx1:s", ONE)
    registry.register(":.ctx2:s", ONE)
    for query in ({}, {"permanent": True}):
        registry.delete("subjects", ":.ctx1:s", **query)
    refused = registry.delete("contexts", ".ctx2")
    assert isinstance(refused, Refused)
    assert refused.status == 422
    assert registry.raw("DELETE", "contexts", ".ctx1").is_success
    assert registry.get("contexts") == [".", ".ctx2"]
