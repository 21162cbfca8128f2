"""Compatibility: levels, verdicts and their words, as Confluent's own tests have them."""

import pytest

from tests.clients.rest import EACH_OF_TEN, ONE, OTHER, TWO, TWO_WITHOUT_DEFAULT, Refused, record

YES, NO = {"is_compatible": True}, {"is_compatible": False}
BROKEN_DEFAULT = record(("f", "string", None))
THREE = record("f1", "f2", ("f3", "string", "foo"))
FIELD_WITHOUT_DEFAULT = "READER_FIELD_MISSING_DEFAULT_VALUE"


@pytest.mark.parametrize(
    ("level", "second", "follows"),
    [
        ("NONE", OTHER, True),
        ("BACKWARD", TWO, True),
        ("BACKWARD", TWO_WITHOUT_DEFAULT, False),
        ("BACKWARD", OTHER, False),
        ("FORWARD", TWO_WITHOUT_DEFAULT, True),
        ("FORWARD", OTHER, False),
        ("FULL", TWO, True),
        ("FULL", TWO_WITHOUT_DEFAULT, False),
        ("BACKWARD_TRANSITIVE", TWO_WITHOUT_DEFAULT, False),
        ("FORWARD_TRANSITIVE", TWO_WITHOUT_DEFAULT, True),
        ("FULL_TRANSITIVE", TWO, True),
    ],
)
def test_a_level_decides_what_may_follow(registry, level, second, follows):
    """Check and registration agree: 409 where the level forbids."""
    registry.register("s", ONE)
    registry.level(level, "s")
    assert registry.check("s", second) == registry.check("s", second, "latest") == (YES if follows else NO)
    assert registry.register("s", second) == 2 if follows else registry.register("s", second)[:2] == (409, 409)


@pytest.mark.parametrize(("level", "follows"), [("BACKWARD", True), ("BACKWARD_TRANSITIVE", False)])
def test_a_transitive_level_looks_at_every_version(registry, level, follows):
    """A default that is taken away breaks for those who never wrote the field."""
    registry.level(level)
    assert [registry.register("s", each) for each in (ONE, TWO)] == [1, 2]
    registered = registry.register("s", TWO_WITHOUT_DEFAULT)
    assert registered == 3 if follows else registered[:2] == (409, 409)


def test_a_default_may_go_where_every_version_has_the_field(registry):
    """Taken alone, the removal of a default is compatible."""
    registry.level("BACKWARD_TRANSITIVE")
    assert [registry.register("s", each) for each in (TWO, TWO_WITHOUT_DEFAULT)] == [1, 2]


def test_a_check_of_the_latest_is_not_one_of_all(registry):
    """Against one version the verdict is of that version; against the subject it is that of a registration."""
    registry.register("s", record("f1", "f2"))
    registry.register("s", ONE)
    registry.level("FORWARD_TRANSITIVE", "s")
    third = record("f1", "f3")
    assert registry.check("s", third, "latest") == YES
    assert registry.check("s", third, 2) == YES
    assert registry.check("s", third, 1) == registry.check("s", third) == NO
    refused = registry.register("s", third)
    assert refused[:2] == (409, 409)
    for part in ("oldSchemaVersion:", "oldSchema:", "compatibility: 'FORWARD_TRANSITIVE'"):
        assert part in refused.message


def test_a_refusal_says_what_and_why(registry):
    """The message of the 409 names the subject, the kind of the breach, the old schema and the level."""
    registry.register("s", ONE)
    refused = registry.register("s", TWO_WITHOUT_DEFAULT)
    assert refused[:2] == (409, 409)
    begin = 'Schema being registered is incompatible with an earlier schema for subject "s", details: [{errorType:'
    assert refused.message.startswith(f"{begin}'{FIELD_WITHOUT_DEFAULT}', description:'The field 'f2' at path ")
    assert "additionalInfo:'f2'}" in refused.message
    assert "{oldSchemaVersion: 1}" in refused.message
    assert f"{{oldSchema: '{ONE}'}}" in refused.message
    assert "{validateFields: 'false', compatibility: 'BACKWARD'}" in refused.message


def test_messages_are_there_where_asked(registry):
    """A verdict has messages with `verbose` alone; they are the parts of the refusal."""
    registry.register("s", ONE)
    assert registry.check("s", TWO_WITHOUT_DEFAULT, "latest") == NO
    verdict = registry.check("s", TWO_WITHOUT_DEFAULT, "latest", verbose=True)
    assert verdict["is_compatible"] is False
    assert FIELD_WITHOUT_DEFAULT in verdict["messages"][0]
    assert registry.register("s", TWO_WITHOUT_DEFAULT).message.endswith(f"[{', '.join(verdict['messages'])}]")
    assert registry.check("s", TWO, "latest", verbose=True) == {"is_compatible": True, "messages": []}


@pytest.mark.parametrize(
    ("old", "new", "kind", "path"),
    [
        (ONE, OTHER, "TYPE_MISMATCH", "/fields/0/type"),
        (ONE, record("f1", name="another"), "NAME_MISMATCH", "/name"),
        (ONE, TWO_WITHOUT_DEFAULT, FIELD_WITHOUT_DEFAULT, "/fields/1"),
        (
            '{"type":"enum","name":"e","symbols":["A","B"]}',
            '{"type":"enum","name":"e","symbols":["A"]}',
            "MISSING_ENUM_SYMBOLS",
            "/symbols",
        ),
        (
            '{"type":"fixed","name":"f","size":4}',
            '{"type":"fixed","name":"f","size":8}',
            "FIXED_SIZE_MISMATCH",
            "/size",
        ),
        ('["string","int"]', '["string"]', "MISSING_UNION_BRANCH", "/1"),
    ],
)
def test_each_kind_of_breach(registry, old, new, kind, path):
    """A message has the kind that Avro for Java gives, and the path of the place."""
    registry.register("s", old)
    verdict = registry.check("s", new, "latest", verbose=True)
    assert verdict["is_compatible"] is False
    assert f"{{errorType:'{kind}'" in verdict["messages"][0]
    assert f"'{path}'" in verdict["messages"][0]


def test_what_is_no_schema_is_not_registered(registry):
    """A text that is no schema is 42201, whatever the level."""
    registry.register("s", ONE)
    assert registry.register("s", "non-avro schema string")[:2] == (422, 42201)


def test_a_change_of_the_level_holds_at_once(registry):
    """BACKWARD to NONE, and FORWARD back to BACKWARD, hold for the next registration."""
    registry.register("s", ONE)
    assert registry.register("s", TWO_WITHOUT_DEFAULT)[:2] == (409, 409)
    registry.level("FORWARD")
    assert registry.register("s", TWO_WITHOUT_DEFAULT) == 2
    registry.level("BACKWARD")
    assert registry.register("s", record("f1", "f2", "f3"))[:2] == (409, 409)
    assert registry.register("s", THREE) == 3
    registry.level("NONE")
    assert registry.register("s", OTHER) == 4


def test_a_check_registers_nothing(registry):
    """Ten checks leave one version."""
    registry.register("s", ONE)
    for each in EACH_OF_TEN:
        registry.check("s", each, "latest")
    assert registry.get("subjects", "s", "versions") == [1]


def test_a_check_of_no_subject(registry):
    """Against a subject that is not there everything is compatible."""
    assert registry.check("none", ONE, "latest") == registry.check("none", ONE) == YES
    assert registry.check("none", ONE, verbose=True) == {"is_compatible": True, "messages": []}


def test_a_check_of_no_version(registry):
    """A number that no version has is 40402, what is no version 42202."""
    registry.register("s", ONE)
    assert registry.check("s", ONE, 100) == Refused(404, 40402, "Version 100 not found.")
    assert registry.check("s", ONE, "earliest")[:2] == (422, 42202)


@pytest.mark.parametrize("version", [None, "latest"])
def test_a_check_of_what_is_no_schema(registry, version):
    """It is 42201; with `verbose` it is a verdict that says so."""
    registry.register("s", ONE)
    assert registry.check("s", BROKEN_DEFAULT, version)[:2] == (422, 42201)
    verdict = registry.check("s", BROKEN_DEFAULT, version, verbose=True)
    assert verdict["is_compatible"] is False
    assert "Invalid schema" in verdict["messages"][0]


def test_a_check_of_no_text(registry):
    """A check without a schema is 42201."""
    assert registry.check("s", "")[:2] == (422, 42201)


def test_a_deleted_version_is_not_looked_at(registry):
    """A check against a deleted version is 40402; against the latest, of the one before."""
    registry.register("s", ONE)
    registry.register("s", TWO)
    registry.delete("subjects", "s", "versions", 2)
    assert registry.check("s", ONE, 2)[:2] == (404, 40402)
    assert registry.check("s", record("f1", ("f2", "int", 0)), "latest") == YES
