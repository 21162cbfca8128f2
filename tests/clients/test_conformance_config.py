"""Levels and what else a configuration holds, as Confluent's own tests have them."""

import pytest

from tests.clients.rest import ONE, OTHER, TWO, TWO_WITHOUT_DEFAULT, Refused, record

LEVELS = ["NONE", "BACKWARD", "FORWARD", "FULL", "BACKWARD_TRANSITIVE", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE"]
RULE = {"name": "foo", "mode": "UPGRADE", "type": "IGNORE"}


def ruled(name, kind):
    """A rule set with one migration rule."""
    return {"migrationRules": [{"name": name, "mode": "UPGRADE", "type": kind}]}


def test_the_level_of_all_is_backward(registry):
    """Without any setting the level is BACKWARD."""
    assert registry.get("config") == {"compatibilityLevel": "BACKWARD"}


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_set(registry, level):
    """Each level can be set; the request comes back as the answer."""
    assert registry.level(level) == {"compatibility": level}
    assert registry.get("config") == {"compatibilityLevel": level}


def test_a_level_is_taken_in_any_case(registry):
    """`forward` is FORWARD."""
    registry.level("forward")
    assert registry.get("config") == {"compatibilityLevel": "FORWARD"}


def test_an_unknown_level(registry):
    """What is no level is 42203, for all and for a subject."""
    expected = Refused(
        422,
        42203,
        "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
        "forward_transitive, and full_transitive",
    )
    assert registry.level("sideways") == expected
    assert registry.level("sideways", "s") == expected


def test_a_subject_without_a_level(registry):
    """A subject that has none is 40408, unless the level of all will do."""
    assert registry.get("config", "s") == Refused(
        404, 40408, "Subject 's' does not have subject-level compatibility configured"
    )
    assert registry.get("config", "s", defaultToGlobal=True) == {"compatibilityLevel": "BACKWARD"}


def test_a_subject_that_is_not_there_can_have_a_level(registry):
    """A level may be set before the first schema."""
    registry.level("FORWARD", "s")
    assert registry.get("config", "s") == {"compatibilityLevel": "FORWARD"}


def test_a_level_of_a_subject_leaves_that_of_all(registry):
    """Set and deleted, the level of a subject is its own."""
    registry.level("FORWARD", "s")
    assert registry.get("config") == {"compatibilityLevel": "BACKWARD"}
    assert registry.delete("config", "s") == {"compatibilityLevel": "FORWARD"}
    assert registry.get("config", "s", defaultToGlobal=True) == {"compatibilityLevel": "BACKWARD"}
    assert registry.get("config", "s")[:2] == (404, 40408)


def test_the_level_of_all_is_deleted(registry):
    """Its delete answers what it was; then BACKWARD holds."""
    registry.level("FORWARD")
    assert registry.delete("config") == {"compatibilityLevel": "FORWARD"}
    assert registry.get("config") == {"compatibilityLevel": "BACKWARD"}


def test_a_delete_of_no_level(registry):
    """A subject without a level has none to delete: 40401."""
    assert registry.delete("config", "s") == Refused(404, 40401, "Subject 's' not found.")


def test_the_default_context_has_the_level_of_all(registry):
    """`:.:` and the level of all are one."""
    registry.level("FORWARD")
    assert registry.get("config", ":.:", defaultToGlobal=True) == {"compatibilityLevel": "FORWARD"}
    registry.level("FORWARD_TRANSITIVE", ":.:")
    assert registry.get("config") == {"compatibilityLevel": "FORWARD_TRANSITIVE"}
    registry.delete("config", ":.:")
    assert registry.get("config", defaultToGlobal=True) == {"compatibilityLevel": "BACKWARD"}


def test_a_context_has_a_level(registry):
    """A level of `:.ctx:` holds for its subjects alone."""
    registry.level("NONE", ":.ctx:")
    for subject in ("s", ":.ctx:s"):
        registry.register(subject, ONE)
    assert registry.register(":.ctx:s", OTHER) == 2
    assert registry.register("s", OTHER)[:2] == (409, 409)
    assert registry.get("config", ":.ctx:s", defaultToGlobal=True) == {"compatibilityLevel": "NONE"}


@pytest.mark.parametrize("subject", [(), ("s",)])
def test_everything_a_configuration_holds_comes_back(registry, subject):
    """Each member is stored, answered, and kept by a later request that does not name it."""
    config = {
        "alias": "other",
        "normalize": True,
        "validateFields": False,
        "compatibilityGroup": "application.version",
        "defaultMetadata": {"properties": {"a": "1"}},
        "overrideMetadata": {"tags": {"**.ssn": ["PII"]}, "properties": {"b": "2"}, "sensitive": ["b"]},
        "defaultRuleSet": {"migrationRules": [RULE]},
        "overrideRuleSet": {"domainRules": [{"name": "bar", "kind": "CONDITION", "mode": "WRITE", "type": "CEL"}]},
    }
    answered = registry.put("config", *subject, body={"compatibility": "FULL", **config})
    assert answered["compatibility"] == "FULL"
    stored = registry.get("config", *subject)
    assert stored["compatibilityLevel"] == "FULL"
    for body in (answered, stored):
        assert {name: body[name] for name in config if "RuleSet" not in name} == {
            name: value for name, value in config.items() if "RuleSet" not in name
        }
        assert body["defaultRuleSet"]["migrationRules"][0]["name"] == "foo"
        assert body["overrideRuleSet"]["domainRules"][0]["name"] == "bar"
    registry.level("NONE", *subject)
    assert registry.get("config", *subject) == stored | {"compatibilityLevel": "NONE"}


def test_unknown_members_are_passed_over(registry):
    """What a newer client sends besides does not hinder."""
    assert registry.put("config", body={"compatibility": "NONE", "novelty": 1}) == {"compatibility": "NONE"}


@pytest.mark.parametrize(
    "rules",
    [
        {"migrationRules": [{"name": "foo", "mode": "READ", "type": "IGNORE"}]},
        {"domainRules": [{"name": "foo", "mode": "UPGRADE", "type": "IGNORE"}]},
        {"domainRules": [{"name": "foo", "mode": "READ", "type": "IGNORE"}] * 2},
    ],
)
def test_an_invalid_rule_set(registry, rules):
    """Rules of the wrong mode, or two of one name, are 422: in a configuration and in a schema."""
    assert registry.put("config", body={"defaultRuleSet": rules})[0] == 422
    assert registry.put("config", "s", body={"overrideRuleSet": rules})[0] == 422
    assert registry.register("s", ONE, ruleSet=rules)[0] == 422


def test_an_alias_stands_for_a_subject(registry):
    """Reads of an alias answer what it stands for."""
    registry.register("testSubject", ONE)
    assert registry.put("config", "test/Alias", body={"alias": "testSubject"}) == {"alias": "testSubject"}
    assert registry.get("subjects", "test/Alias", "versions", 1)["schema"] == ONE
    assert registry.get("subjects", "test/Alias", "versions") == [1]


def test_an_alias_stands_for_a_subject_of_another_context(registry):
    """An alias may cross contexts."""
    registry.register(":.mycontext:testSubject", ONE)
    registry.put("config", ":.mycontext2:testAlias", body={"alias": ":.mycontext:testSubject"})
    assert registry.get("subjects", ":.mycontext2:testAlias", "versions", 1)["schema"] == ONE


def test_an_alias_of_all_stands_for_nothing(registry):
    """An alias in the configuration of all is kept but not followed."""
    registry.register("testSubject", ONE)
    registry.put("config", body={"alias": "badSubject"})
    assert registry.get("subjects", "testSubject", "versions", 1)["schema"] == ONE


def test_a_compatibility_group_parts_the_versions(registry):
    """Only versions with the same value of the group's property are looked at."""
    registry.put("config", body={"compatibilityGroup": "application.version"})
    first, second = ({"properties": {"application.version": str(number)}} for number in (1, 2))
    registry.register("s", ONE, metadata=first)
    assert registry.register("s", TWO_WITHOUT_DEFAULT)[:2] == (409, 409)
    assert registry.register("s", TWO_WITHOUT_DEFAULT, metadata=second) == 2


def test_default_metadata_is_under_a_schemas_own(registry):
    """The default's properties join those of the schema, and those of the version before where it brings none."""
    registry.put("config", body={"defaultMetadata": {"properties": {"configKey": "configValue", "both": "config"}}})
    first = {"properties": {"subjectKey": "subjectValue", "both": "subject"}}
    registry.register("s", ONE, metadata=first)
    merged = {"configKey": "configValue", "subjectKey": "subjectValue", "both": "subject"}
    assert registry.get("schemas", "ids", 1, subject="s")["metadata"]["properties"] == merged
    registry.register("s", TWO)
    assert registry.get("schemas", "ids", 2, subject="s")["metadata"]["properties"] == merged
    body = registry.post(
        "subjects",
        "s",
        "versions",
        body={"schema": record("f1", ("f4", "string", "")), "metadata": {"properties": {"newKey": "newValue"}}},
    )
    assert body["metadata"]["properties"] == {"configKey": "configValue", "both": "config", "newKey": "newValue"}


def test_override_metadata_is_over_a_schemas_own(registry):
    """The override's properties win."""
    registry.put("config", body={"overrideMetadata": {"properties": {"owner": "config"}}})
    registry.register("s", ONE, metadata={"properties": {"owner": "subject", "mine": "yes"}})
    properties = registry.get("schemas", "ids", 1, subject="s")["metadata"]["properties"]
    assert properties == {"owner": "config", "mine": "yes"}


def test_default_rules_come_before_a_schemas_own(registry):
    """The rules of the configuration join those of the schema."""
    registry.put("config", body={"defaultRuleSet": ruled("foo", "IGNORE")})
    registry.register("s", ONE, ruleSet=ruled("bar", "type1"))
    rules = registry.get("schemas", "ids", 1, subject="s")["ruleSet"]["migrationRules"]
    assert [each["name"] for each in rules] == ["foo", "bar"]


def test_metadata_alone_makes_a_version(registry):
    """A request with metadata and no schema takes the schema of the version before."""
    registry.register("s", ONE)
    assert registry.call("POST", "subjects", "s", "versions", body={"metadata": {"properties": {"k": "v"}}})["id"] == 2
    body = registry.get("schemas", "ids", 2, subject="s")
    assert (body["schema"], body["metadata"]) == (ONE, {"properties": {"k": "v"}})


def test_rules_alone_make_a_version(registry):
    """A request with rules and no schema takes the schema of the version before."""
    registry.register("s", ONE)
    assert registry.call("POST", "subjects", "s", "versions", body={"ruleSet": ruled("foo", "IGNORE")})["id"] == 2
    body = registry.get("schemas", "ids", 2, subject="s")
    assert (body["schema"], body["ruleSet"]["migrationRules"][0]["name"]) == (ONE, "foo")


def test_registering_without_the_metadata_finds_the_version_that_has_it(registry):
    """A client that knows nothing of metadata gets the id of the same schema."""
    registry.register("s", ONE, metadata={"properties": {"application.version": "2"}})
    assert registry.register("s", ONE) == 1


def test_metadata_makes_another_schema(registry):
    """The same text with other metadata is a version of its own."""
    registry.register("s", ONE)
    assert registry.register("s", ONE, metadata={"properties": {"k": "v"}}) == 2
    assert registry.get("subjects", "s", "versions") == [1, 2]


def test_reserved_fields_are_kept_free_where_fields_are_validated(registry):
    """With `validateFields` a field that `confluent:reserved` names is refused, and the name stays reserved."""
    reserved = {"properties": {"confluent:reserved": "f"}}
    schema = record("f", ("g", "string", "d"))
    registry.put("config", body={"validateFields": True})
    assert registry.register("s", schema, metadata=reserved)[:2] == (409, 409)
    registry.put("config", body={"validateFields": False})
    assert registry.register("s", schema, metadata=reserved) == 1
    registry.put("config", "s1", body={"validateFields": True})
    assert registry.register("s1", schema, metadata=reserved)[:2] == (409, 409)
    registry.put("config", body={"validateFields": True})
    freed = {"properties": {"confluent:reserved": "h"}}
    assert registry.register("s", record(("g", "string", "d")), metadata=freed)[:2] == (409, 409)


def test_normalize_of_a_configuration_holds_for_every_request(registry):
    """With `normalize` set, another order of properties is the same schema."""
    registry.put("config", body={"normalize": True})
    plain, turned = (record(("f", "int"), extra=each) for each in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert registry.register("s", plain) == registry.register("s", turned) == 1
    assert registry.lookup("s", turned)["id"] == 1
