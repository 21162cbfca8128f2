"""Lists of subjects, schemas, versions and places with their filters and pages, as Confluent's own tests have them."""

import pytest

from tests.clients.rest import EACH_OF_TEN, ONE, TWO, record


@pytest.fixture
def filled(registry):
    """Ten versions of `testTopic1`, five of `testTopic2`."""
    schemas = [record((f"f{number}", "string", "")) for number in range(15)]
    for number, schema in enumerate(schemas):
        registry.register("testTopic1" if number < 10 else "testTopic2", schema)
    return registry


def test_subjects_are_in_order(registry):
    """Subjects are listed by name."""
    for subject in ("b", "a", "c"):
        registry.register(subject, ONE)
    assert registry.get("subjects") == ["a", "b", "c"]


def test_a_page_of_subjects(filled):
    """`offset` and `limit` cut a page; a negative limit cuts nothing."""
    assert filled.get("subjects", offset=0, limit=1) == ["testTopic1"]
    assert filled.get("subjects", offset=1, limit=1) == ["testTopic2"]
    assert filled.get("subjects", offset=2, limit=1) == []
    assert filled.get("subjects", limit=-1) == ["testTopic1", "testTopic2"]


def test_subjects_by_prefix(registry):
    """`subjectPrefix` keeps the subjects that start with it."""
    for subject in ("orders-key", "orders-value", "customers-value"):
        registry.register(subject, ONE)
    assert registry.get("subjects", subjectPrefix="orders") == ["orders-key", "orders-value"]
    assert registry.get("subjects", subjectPrefix="none") == []


def test_deleted_subjects(registry):
    """A subject whose versions are all deleted is listed with `deleted`, and alone with `deletedOnly`."""
    registry.register("s1", ONE)
    registry.register("s1", TWO)
    registry.register("s2", record("other"))
    registry.delete("subjects", "s1", "versions", 1)
    registry.delete("subjects", "s2", "versions", 1)
    assert registry.get("subjects") == ["s1"]
    assert registry.get("subjects", deleted=True) == ["s1", "s2"]
    assert registry.get("subjects", deletedOnly=True) == ["s2"]
    assert registry.get("subjects", deleted=True, deletedOnly=True) == ["s2"]


def test_deleted_versions(registry):
    """A deleted version is listed with `deleted`, and alone with `deletedOnly`."""
    registry.register("s", ONE)
    registry.register("s", TWO)
    registry.delete("subjects", "s", "versions", 1)
    assert registry.get("subjects", "s", "versions") == [2]
    assert registry.get("subjects", "s", "versions", deleted=True) == [1, 2]
    assert registry.get("subjects", "s", "versions", deletedOnly=True) == [1]


def test_a_page_of_versions(filled):
    """`offset` and `limit` cut a page of versions."""
    assert filled.get("subjects", "testTopic1", "versions", offset=0, limit=1) == [1]
    assert filled.get("subjects", "testTopic1", "versions", offset=8, limit=5) == [9, 10]


def test_schemas(filled):
    """Every version of every subject is listed, in order."""
    places = [(each["subject"], each["version"]) for each in filled.get("schemas")]
    assert places == [("testTopic1", n) for n in range(1, 11)] + [("testTopic2", n) for n in range(1, 6)]


def test_the_latest_schemas(filled):
    """`latestOnly` lists the newest version of each subject."""
    assert [each["version"] for each in filled.get("schemas", latestOnly=True)] == [10, 5]


def test_a_page_of_schemas(filled):
    """`offset` and `limit` cut a page of schemas."""
    assert [each["version"] for each in filled.get("schemas", offset=9, limit=2)] == [10, 1]


def test_schemas_by_prefix(filled):
    """`subjectPrefix` keeps the schemas of subjects that start with it."""
    assert len(filled.get("schemas", subjectPrefix="testTopic2")) == 5
    assert len(filled.get("schemas", subjectPrefix="test")) == 15


def test_deleted_schemas(filled):
    """A deleted version is listed with `deleted` alone."""
    filled.delete("subjects", "testTopic2", "versions", 5)
    assert len(filled.get("schemas")) == 14
    assert len(filled.get("schemas", deleted=True)) == 15
    assert [each["version"] for each in filled.get("schemas", latestOnly=True)] == [10, 4]


def test_schemas_by_type_of_rule(registry):
    """`ruleType` keeps the schemas that have a rule of that type."""
    rule = {"name": "r", "kind": "TRANSFORM", "mode": "UPGRADE", "type": "type1"}
    registry.register("s", ONE, ruleSet={"migrationRules": [rule]})
    registry.register("t", TWO)
    assert [each["subject"] for each in registry.get("schemas", ruleType="type1")] == ["s"]
    assert registry.get("schemas", ruleType="type2") == []


def test_schemas_with_aliases(registry):
    """With `aliases` a prefix finds what an alias stands for, and each schema names its aliases."""
    registry.register("testSubject", ONE)
    registry.register("noTestSubject", record("x1"))
    registry.put("config", "testAlias", body={"alias": "testSubject"})
    assert registry.get("schemas", subjectPrefix="testAlias", deleted=True) == []
    [found] = registry.get("schemas", subjectPrefix="testAlias", deleted=True, aliases=True)
    assert (found["subject"], found["aliases"]) == ("testSubject", ["testAlias"])
    everything = registry.get("schemas", subjectPrefix=":*:", aliases=True)
    assert {each["subject"]: each.get("aliases") for each in everything} == {
        "testSubject": ["testAlias"],
        "noTestSubject": None,
    }


def test_subjects_of_an_id(registry):
    """An id names the subjects that have it; deleted ones where asked, by pages."""
    registry.register("testTopic1", ONE)
    registry.register("testTopic2", ONE)
    assert registry.get("schemas", "ids", 1, "subjects") == ["testTopic1", "testTopic2"]
    registry.delete("subjects", "testTopic2", "versions", 1)
    assert registry.get("schemas", "ids", 1, "subjects") == ["testTopic1"]
    assert registry.get("schemas", "ids", 1, "subjects", limit=1, offset=1) == []
    assert registry.get("schemas", "ids", 1, "subjects", deleted=True) == ["testTopic1", "testTopic2"]
    assert registry.get("schemas", "ids", 1, "subjects", deleted=True, limit=1) == ["testTopic1"]


def test_versions_of_an_id(registry):
    """An id names the versions that have it; deleted ones where asked, by pages."""
    registry.register("testTopic1", ONE)
    registry.register("testTopic2", ONE)
    first, second = ({"subject": f"testTopic{number}", "version": 1} for number in (1, 2))
    assert registry.get("schemas", "ids", 1, "versions") == [first, second]
    registry.delete("subjects", "testTopic2", "versions", 1)
    assert registry.get("schemas", "ids", 1, "versions") == [first]
    assert registry.get("schemas", "ids", 1, "versions", limit=1, offset=1) == []
    assert registry.get("schemas", "ids", 1, "versions", deleted=True) == [first, second]
    assert registry.get("schemas", "ids", 1, "versions", deleted=True, limit=1, offset=1) == [second]


def test_a_flag_is_true_in_any_case(registry):
    """A flag of a query may be written `True`, as Python's clients do."""
    registry.register("s", EACH_OF_TEN[0])
    registry.delete("subjects", "s")
    assert registry.get("subjects", deleted="True") == ["s"]
