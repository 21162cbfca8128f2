"""What is said about schemas: metadata, rules, what configurations add to them, and guids."""

import json

import pytest

from exchange.errors import SchemaInvalid, SchemaNotFound
from exchange.registry.entities import LATEST, ConfigUpdate, Metadata, Rule, RuleSet
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import BAD, SUBJECT, V1, V2
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

MASK = Rule(name="mask", type="CEL_FIELD", mode="WRITE", tags=["PII"], expr="''")
CHECK = Rule(name="check", type="CEL", mode="READ", kind="CONDITION", expr="true")
UPGRADE = Rule(name="up", type="JSONATA", mode="UPGRADE", expr="$")


async def test_metadata_and_rules_are_kept_and_sorted(service):
    """Two that say the same are the same, in whatever order they say it."""
    rules = RuleSet(migration_rules=[UPGRADE], domain_rules=[MASK, CHECK])
    one = Metadata(tags={"b": ["y", "x", "x"], "a": ["z"]}, properties={"o": "1", "n": "2"}, sensitive=["o", "n"])
    two = Metadata(tags={"a": ["z"], "b": ["x", "y"]}, properties={"n": "2", "o": "1"}, sensitive=["n", "o", "n"])
    made = await service.register(SUBJECT, sent(V1, metadata=one, rule_set=rules))
    again = await service.register(SUBJECT, sent(V1, metadata=two, rule_set=rules))
    assert again == made
    assert (made.metadata, made.rule_set) == (two, rules)
    assert made.metadata.tags == {"a": ["z"], "b": ["x", "y"]}


async def test_a_rule_says_what_it_does_not_say(service):
    """What kind it is and when it holds, as Confluent fills it in."""
    made = await service.register(SUBJECT, sent(V1, rule_set=RuleSet(domain_rules=[Rule(name="r", type="CEL")])))
    (rule,) = made.rule_set.domain_rules
    assert (rule.kind, rule.mode, rule.disabled) == ("TRANSFORM", "WRITEREAD", False)


async def test_other_metadata_make_another_version_and_id(service):
    """The schema with all that is said about it is what an id stands for."""
    (first,) = await registered(service, SUBJECT, V1)
    (second,) = await registered(service, SUBJECT, V1, metadata=with_properties(owner="a"))
    assert (second.version, second.id) == (2, 2)
    assert first.guid != second.guid
    assert service.by_guid(second.guid) == second


async def test_what_was_said_before_holds_for_who_says_nothing(service):
    """A client that sends only the schema keeps metadata and rules."""
    (first,) = await registered(
        service, SUBJECT, V1, metadata=with_properties(owner="a"), rule_set=RuleSet(domain_rules=[MASK])
    )
    (again,) = await registered(service, SUBJECT, V1)
    assert again == first
    (second,) = await registered(service, SUBJECT, V2)
    assert (second.metadata, second.rule_set) == (first.metadata, first.rule_set)
    (third,) = await registered(service, SUBJECT, V2, metadata=Metadata(), rule_set=RuleSet())
    assert (third.version, third.metadata, third.rule_set) == (3, Metadata(), RuleSet())


async def test_who_looks_up_the_schema_alone_finds_it_with_what_is_said(service):
    """Serializers know the schema only."""
    (first,) = await registered(service, SUBJECT, V1, metadata=with_properties(owner="a"))
    assert await service.lookup(SUBJECT, sent(V1)) == first
    with pytest.raises(SchemaNotFound):
        await service.lookup(SUBJECT, sent(V1, metadata=with_properties(owner="b")))


async def test_a_configuration_gives_defaults_and_overrides(service):
    """Defaults below what is said, overrides above it; tags, properties and rules each by name."""
    await service.set_config(
        SUBJECT,
        ConfigUpdate(
            default_metadata=Metadata(tags={"f": ["A"]}, properties={"owner": "default", "kept": "1"}),
            override_metadata=Metadata(properties={"region": "uz"}, sensitive=["owner"]),
            default_rule_set=RuleSet(domain_rules=[MASK, CHECK]),
            override_rule_set=RuleSet(migration_rules=[UPGRADE]),
        ),
    )
    own_check = Rule(name="check", type="CEL", mode="WRITE", expr="false")
    made = await service.register(
        SUBJECT,
        sent(
            V1,
            metadata=Metadata(properties={"owner": "own", "region": "elsewhere"}),
            rule_set=RuleSet(domain_rules=[own_check]),
        ),
    )
    assert made.metadata == Metadata(
        tags={"f": ["A"]}, properties={"owner": "own", "kept": "1", "region": "uz"}, sensitive=["owner"]
    )
    assert made.rule_set == RuleSet(migration_rules=[UPGRADE], domain_rules=[MASK, own_check])
    again = await service.register(SUBJECT, sent(V1))
    assert again == made


async def test_defaults_are_given_to_what_says_nothing(service):
    """And are no reason for another version when the schema comes again."""
    await service.set_config(
        SUBJECT,
        ConfigUpdate(default_metadata=with_properties(owner="default"), default_rule_set=RuleSet(domain_rules=[CHECK])),
    )
    (made,) = await registered(service, SUBJECT, V1)
    assert made.metadata == with_properties(owner="default")
    assert made.rule_set == RuleSet(domain_rules=[CHECK])
    assert await registered(service, SUBJECT, V1) == [made]
    assert await service.lookup(SUBJECT, sent(V1)) == made


async def test_the_version_may_be_noted_in_the_metadata(service):
    """Who asks for a version has it noted; those after it have theirs."""
    first = await service.register(SUBJECT, sent(V1, version=1))
    assert first.metadata == with_properties(confluent__version="1")
    (second,) = await registered(service, SUBJECT, V2)
    assert second.metadata == with_properties(confluent__version="2")


async def test_who_registers_again_need_not_send_the_noted_version(service):
    """It is no other schema for that."""
    first = await service.register(SUBJECT, sent(V1, version=1, metadata=with_properties(owner="a")))
    assert await service.register(SUBJECT, sent(V1, metadata=with_properties(owner="a"))) == first
    assert await service.register(SUBJECT, sent(V1)) == first
    assert await service.lookup(SUBJECT, sent(V1)) == first
    assert await service.register(SUBJECT, sent(V1, version=LATEST)) == first


async def test_a_version_that_is_not_the_next_is_refused(service):
    """Numbers have no gaps but what deletion leaves."""
    for number in (2, 7):
        with pytest.raises(SchemaInvalid, match="Version is not one more than previous version"):
            await service.register(SUBJECT, sent(V1, version=number))
    await registered(service, SUBJECT, V1)
    with pytest.raises(SchemaInvalid, match="Version is not one more than previous version"):
        await service.register(SUBJECT, sent(V2, version=1))
    assert (await service.register(SUBJECT, sent(V2, version=2))).version == 2


async def test_the_newest_is_asked_for_and_an_older_one_comes_again_as_the_newest(service):
    """Version -1 looks at the newest alone, as Confluent does: what was left is returned to."""
    await service.set_config(SUBJECT, level("NONE"))
    first = await service.register(SUBJECT, sent(V1, version=LATEST))
    second = await service.register(SUBJECT, sent(BAD, version=LATEST))
    third = await service.register(SUBJECT, sent(V1, version=LATEST))
    assert [each.version for each in (first, second, third)] == [1, 2, 3]
    assert third.metadata == with_properties(confluent__version="3")
    assert await service.register(SUBJECT, sent(V1, version=LATEST)) == third


async def test_the_newest_with_a_property_is_found(service):
    """All properties must be there, with their values."""
    await registered(service, SUBJECT, V1, metadata=with_properties(major="1", owner="a"))
    await registered(service, SUBJECT, V2, metadata=with_properties(major="1", owner="b"))
    await registered(service, SUBJECT, V2, metadata=with_properties(major="2", owner="b"))
    found = service.latest_with_metadata
    assert found(SUBJECT, {"major": "1"}).version == 2
    assert found(SUBJECT, {"major": "1", "owner": "a"}).version == 1
    assert found(SUBJECT, {}).version == 3
    with pytest.raises(SchemaNotFound) as missing:
        found(SUBJECT, {"major": "3"})
    assert (missing.value.code, missing.value.message) == ("schema_not_found", "Schema not found")
    with pytest.raises(SchemaNotFound) as missing:
        found("none-value", {"major": "1"})
    assert missing.value.code == "subject_not_found"
    await service.delete_version(SUBJECT, 2)
    assert found(SUBJECT, {"major": "1"}).version == 1
    assert found(SUBJECT, {"major": "1"}, deleted=True).version == 2


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (RuleSet(domain_rules=[MASK, MASK]), "Found rule with duplicate name 'mask'"),
        (RuleSet(domain_rules=[Rule(type="CEL")]), "Missing rule name"),
        (RuleSet(domain_rules=[Rule(name="", type="CEL")]), "Empty rule name"),
        (RuleSet(domain_rules=[Rule(name="1a", type="CEL")]), "Illegal initial character in rule name: 1a"),
        (RuleSet(domain_rules=[Rule(name="a b", type="CEL")]), "Illegal character in rule name: a b"),
        (RuleSet(domain_rules=[Rule(name="a")]), "Missing rule type"),
        (RuleSet(domain_rules=[UPGRADE]), "Domain rules can only be WRITE, READ, WRITEREAD"),
        (RuleSet(encoding_rules=[UPGRADE]), "Encoding rules can only be WRITE, READ, WRITEREAD"),
        (RuleSet(migration_rules=[MASK]), "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN"),
    ],
)
async def test_rules_that_are_none_are_refused(service, rules, words):
    """In Confluent's words."""
    with pytest.raises(SchemaInvalid) as refused:
        await service.register(SUBJECT, sent(V1, rule_set=rules))
    assert (refused.value.code, refused.value.message) == ("rules_invalid", words)


async def test_a_guid_is_that_of_confluent(service):
    """The MD5 of the text alone, where nothing else is said; the same in every registry."""
    (made,) = await registered(service, SUBJECT, '"string"')
    assert made.guid == "095d71cf-1255-6b9d-5e33-0ad575b3df5d"
    other = await started(MemoryLog())
    await registered(other, "first-value", V1)
    (there,) = await registered(other, "b-value", '"string"')
    assert (there.guid, there.id) == (made.guid, 2)


async def test_a_guid_differs_with_references_metadata_and_rules(service):
    """All that describes a schema is in it."""
    await registered(service, "other-value", OTHER)
    await registered(service, "same-value", OTHER)
    made = [
        *await registered(service, "a", USES_OTHER, references=to_other()),
        *await registered(service, "b", USES_OTHER, references=to_other(subject="same-value")),
        *await registered(service, "c", V1),
        *await registered(service, "d", V1, metadata=Metadata()),
        *await registered(service, "e", V1, metadata=Metadata(tags={"a": ["b"]})),
        *await registered(service, "f", V1, metadata=Metadata(sensitive=["b"])),
        *await registered(service, "g", V1, rule_set=RuleSet()),
        *await registered(service, "h", V1, rule_set=RuleSet(domain_rules=[MASK])),
        *await registered(
            service, "i", V1, rule_set=RuleSet(domain_rules=[Rule(name="r", type="CEL", params={"a": "b"})])
        ),
        *await registered(service, "j", V1, rule_set=RuleSet(domain_rules=[Rule(name="r", type="CEL", disabled=True)])),
    ]
    assert [service.by_guid(each.guid) for each in made if each.subject not in "dg"] == [
        each for each in made if each.subject not in "dg"
    ]
    assert len({each.guid for each in made}) >= 9


async def test_all_that_is_said_is_there_after_a_restart_and_compaction(service, store):
    """Metadata, rules, guids."""
    await registered(
        service,
        SUBJECT,
        V1,
        V2,
        metadata=Metadata(tags={"**": ["PII"]}, properties={"a": "b"}, sensitive=["a"]),
        rule_set=RuleSet([UPGRADE], [MASK], [CHECK]),
    )
    for log in (MemoryLog(store.log.records), compacted(store.log)):
        later = await started(log)
        assert list(later.schemas()) == list(service.schemas())
        assert [each.guid for each in later.schemas()] == [each.guid for each in service.schemas()]
        assert (await later.register(SUBJECT, sent(json.dumps(json.loads(V1), indent=2)))).id == 1
