"""Configurations: compatibility levels and groups, normalization, validation of fields, aliases."""

import json

import pytest

from exchange.errors import SchemaIncompatible, SchemaInvalid, SchemaNotFound
from exchange.registry.entities import LATEST, Config, ConfigUpdate, Rule, RuleSet
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema
from tests.registry.registries import compacted, level, registered, sent, started, with_properties


async def test_the_level_is_backward_until_it_is_set(service):
    """A subject's level stands before that of all, and that before BACKWARD; case does not matter."""
    assert service.config(None) == service.config(SUBJECT, in_scope=True) == Config(compatibility_level="BACKWARD")
    assert (await service.set_config(None, level("full"))).compatibility_level == "FULL"
    assert service.config(SUBJECT, in_scope=True).compatibility_level == "FULL"
    assert (await service.set_config(SUBJECT, level("Forward"))).compatibility_level == "FORWARD"
    assert service.config(SUBJECT).compatibility_level == "FORWARD"
    assert service.config(None).compatibility_level == "FULL"
    assert service.config(":.:").compatibility_level == "FULL"


async def test_a_configuration_can_be_taken_back(service):
    """The answer is what it was; what holds then is the next one."""
    await service.set_config(SUBJECT, level("NONE"))
    await service.set_config(None, level("FULL"))
    assert (await service.delete_config(SUBJECT)).compatibility_level == "NONE"
    assert service.config(SUBJECT, in_scope=True).compatibility_level == "FULL"
    assert (await service.delete_config(None)).compatibility_level == "FULL"
    assert await service.delete_config(None) == service.config(None) == Config(compatibility_level="BACKWARD")
    with pytest.raises(SchemaNotFound, match="not found") as missing:
        await service.delete_config(SUBJECT)
    assert missing.value.code == "subject_not_found"


@pytest.mark.parametrize("name", ["", "SIDEWAYS", "BACKWARD "])
async def test_an_unknown_level_is_refused(service, name):
    """The message lists the valid ones."""
    with pytest.raises(SchemaInvalid, match="Valid values are none, backward, forward, full") as refused:
        await service.set_config(SUBJECT, level(name))
    assert refused.value.code == "level_invalid"


async def test_an_update_changes_what_it_names(service):
    """What is absent stays; what is null is taken back."""
    await service.set_config(SUBJECT, ConfigUpdate(compatibility="FULL", normalize=True, alias="x"))
    assert await service.set_config(SUBJECT, ConfigUpdate(normalize=False)) == Config(
        compatibility_level="FULL", normalize=False, alias="x"
    )
    changed = await service.set_config(SUBJECT, ConfigUpdate(compatibility=None, alias=None))
    assert changed == service.config(SUBJECT) == Config(normalize=False)
    await service.set_config(None, level("NONE"))
    assert service.config(SUBJECT, in_scope=True) == Config(compatibility_level="NONE", normalize=False)


@pytest.mark.parametrize("member", ["default_rule_set", "override_rule_set"])
async def test_rules_that_are_none_are_refused_in_a_configuration(service, member):
    """As they are with a schema."""
    wrong = RuleSet(domain_rules=[Rule(name="r")])
    with pytest.raises(SchemaInvalid, match="Missing rule type") as refused:
        await service.set_config(SUBJECT, ConfigUpdate(**{member: wrong}))
    assert refused.value.code == "rules_invalid"


async def test_a_compatibility_group_is_compared_among_its_own(service):
    """Versions of another group, or of none, do not count."""
    await service.set_config(SUBJECT, ConfigUpdate(compatibility_group="major"))
    await registered(service, SUBJECT, V1, metadata=with_properties(major="1"))
    assert (await service.register(SUBJECT, sent(BAD, metadata=with_properties(major="2")))).version == 2
    breaking = schema("code", ("more", "int"))
    with pytest.raises(SchemaIncompatible, match="oldSchemaVersion: 1"):
        await service.register(SUBJECT, sent(breaking, metadata=with_properties(major="1")))
    assert (await service.register(SUBJECT, sent(V2, metadata=with_properties(major="1")))).version == 3
    assert await service.check(SUBJECT, sent(schema(("code", "int"))), LATEST) == []


async def test_reserved_fields_are_kept_free_where_fields_are_validated(service):
    """They may neither become fields nor cease to be reserved; both in Confluent's words."""
    await service.set_config(SUBJECT, ConfigUpdate(validate_fields=True))
    reserving = with_properties(confluent__reserved="unit, spare")
    await registered(service, SUBJECT, V1, metadata=reserving)
    with pytest.raises(SchemaIncompatible) as refused:
        await service.register(SUBJECT, sent(V2, metadata=with_properties(confluent__reserved="unit")))
    assert refused.value.message.endswith(
        "details: [The new schema has reserved field spare removed from its metadata which is present in the old "
        "schema's metadata., The new schema has field that conflicts with the reserved field unit., "
        "{validateFields: 'true', compatibility: 'BACKWARD'}]"
    )
    await service.set_config(SUBJECT, ConfigUpdate(validate_fields=False))
    assert (await service.register(SUBJECT, sent(V2, metadata=with_properties()))).version == 2


async def test_reserved_fields_are_told_before_what_breaks(service):
    """Both reasons are in one answer, what they were judged by after them."""
    await service.set_config(SUBJECT, ConfigUpdate(validate_fields=True))
    await registered(service, SUBJECT, V1)
    lines = await service.check(SUBJECT, sent(BAD, metadata=with_properties(confluent__reserved="region_code")), LATEST)
    assert lines[0] == "The new schema has field that conflicts with the reserved field region_code."
    assert lines[1].startswith("{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE'")
    assert lines[-2] == "{validateFields: 'true', compatibility: 'BACKWARD'}"
    assert lines[-1].startswith("{explanation: ")


async def test_nothing_is_judged_by_level_none_but_reserved_fields(service):
    """Validation of fields is a matter of its own."""
    await service.set_config(SUBJECT, ConfigUpdate(compatibility="NONE", validate_fields=True))
    await registered(service, SUBJECT, V1)
    lines = await service.check(SUBJECT, sent(BAD, metadata=with_properties(confluent__reserved="code")), LATEST)
    assert lines == [
        "The new schema has field that conflicts with the reserved field code.",
        "{validateFields: 'true', compatibility: 'NONE'}",
    ]


@pytest.mark.parametrize("where", [SUBJECT, None])
async def test_a_subject_may_normalize_what_it_is_sent(service, where):
    """Then the text that is kept is the normal form, whoever registers."""
    await service.set_config(where, ConfigUpdate(normalize=True))
    wordy = '{"name": "R", "type": "record", "namespace": "uz", "fields": [{"type": {"type": "string"}, "name": "a"}]}'
    made = await service.register(SUBJECT, sent(wordy))
    assert json.loads(made.text)["fields"] == [{"name": "a", "type": "string"}]
    assert made.text != wordy
    assert (await service.register(SUBJECT, sent(made.text))).id == made.id
    assert (await service.lookup(SUBJECT, sent(wordy))).id == made.id


async def test_a_request_may_ask_to_normalize(service):
    """For this one schema."""
    wordy = '{"name": "uz.R", "type": "record", "fields": [{"type": {"type": "string"}, "name": "a"}]}'
    made = await service.register(SUBJECT, sent(wordy), normalize=True)
    assert made.text != wordy
    assert (await service.lookup(SUBJECT, sent(wordy), normalize=True)).id == made.id
    assert await service.check(SUBJECT, sent(wordy), LATEST, normalize=True) == []


async def test_an_alias_stands_for_another_subject(service):
    """Schemas are listed with what stands for them, and found through it."""
    await registered(service, SUBJECT, V1)
    await service.set_config("short-value", ConfigUpdate(alias=SUBJECT))
    await service.set_config("brief-value", ConfigUpdate(alias=SUBJECT))
    assert (service.alias("short-value"), service.alias(SUBJECT), service.alias("none")) == (SUBJECT, SUBJECT, "none")
    assert service.aliases_of(SUBJECT) == ["brief-value", "short-value"]
    assert service.aliases_of("short-value") == []
    assert [each.subject for each in service.schemas("short", aliases=True)] == [SUBJECT]
    assert list(service.schemas("short")) == []
    assert list(service.schemas("x", aliases=True)) == []


async def test_schemas_are_listed_by_the_type_of_their_rules(service):
    """Of whatever set."""
    rules = {
        "migration_rules": Rule(name="a", type="JSONATA", mode="UPGRADE"),
        "domain_rules": Rule(name="b", type="CEL", mode="WRITE"),
        "encoding_rules": Rule(name="c", type="ENCRYPT", mode="READ"),
    }
    for name, rule in rules.items():
        await service.register(name, sent(V1, rule_set=RuleSet(**{name: [rule]})))
    await service.register("plain", sent(V2))
    assert [each.subject for each in service.schemas(rule_type="CEL")] == ["domain_rules"]
    assert [each.subject for each in service.schemas(rule_type="JSONATA")] == ["migration_rules"]
    assert [each.subject for each in service.schemas(rule_type="ENCRYPT")] == ["encoding_rules"]
    assert list(service.schemas(rule_type="NONE")) == []


async def test_configurations_are_there_after_a_restart_and_compaction(service, store):
    """With every member, set again and taken back."""
    full = ConfigUpdate(
        alias="x",
        normalize=True,
        validate_fields=False,
        compatibility="FULL",
        compatibility_group="g",
        default_metadata=with_properties(a="1"),
        override_metadata=with_properties(b="2"),
        default_rule_set=RuleSet(domain_rules=[Rule(name="r", type="CEL", mode="READ")]),
        override_rule_set=RuleSet(migration_rules=[Rule(name="m", type="CEL", mode="UPGRADE")]),
    )
    await service.set_config("a-value", full)
    await service.set_config("b-value", level("FULL"))
    await service.set_config("b-value", level("NONE"))
    await service.set_config("c-value", level("FULL"))
    await service.delete_config("c-value")
    for log in (MemoryLog(store.log.records), compacted(store.log)):
        later = await started(log)
        assert later.config("a-value") == service.config("a-value")
        assert later.config("b-value").compatibility_level == "NONE"
        with pytest.raises(SchemaNotFound):
            later.config("c-value")


async def test_an_alias_means_a_subject_of_its_own_context(service):
    """Unless it names another one."""
    await registered(service, f":.here:{SUBJECT}", V1)
    await service.set_config(":.here:short-value", ConfigUpdate(alias=SUBJECT))
    assert service.aliases_of(f":.here:{SUBJECT}") == [":.here:short-value"]
    assert service.aliases_of(SUBJECT) == []
