"""The house's rules at registration: told, or required."""

from datetime import UTC, datetime

import pytest

from exchange.errors import SchemaInvalid
from exchange.registry.entities import LATEST
from exchange.registry.linting import Linting
from tests.fakes.instance import RESIDENCE_TOPIC, FakeInstance
from tests.fakes.schema_store import MemoryLog
from tests.registry.conftest import SUBJECT, V1, schema
from tests.registry.registries import record, registered, sent, started

PERSONAL = f"{RESIDENCE_TOPIC}-value"
GOOD = schema(
    {"name": "code", "type": "string", "doc": "The code."},
    name="gov.customs.tariff.CodeListed",
    doc="A code that was listed.",
)
MARKED = schema(
    {"name": "pin", "type": "string", "doc": "Whose.", "x-classification": "identifier"},
    name="gov.interior.civil.Moved",
    doc="Somebody moved.",
)


@pytest.fixture
def instance():
    """An instance with a topic of personal data."""
    return FakeInstance(datetime(2026, 11, 22, tzinfo=UTC))


async def test_nothing_is_asked_where_linting_is_off(service):
    """As in a registry that only takes the place of Confluent's."""
    assert await service.lint(SUBJECT, sent(V1)) == []
    assert (await registered(service, SUBJECT, V1))[0].id == 1


async def test_what_the_house_would_have_otherwise_is_told_and_kept():
    """A warning is no refusal; each names its field and its rule."""
    service = await started(linting=Linting(mode="warn"))
    told = await service.lint(SUBJECT, sent(V1))
    assert any("code" in each and each.endswith("[doc]") for each in told)
    assert (await registered(service, SUBJECT, V1))[0].id == 1
    assert await service.lint(SUBJECT, sent(GOOD)) == []


async def test_what_the_house_would_have_otherwise_is_refused_where_the_instance_says_so():
    """With every finding; nothing is written, and what keeps the rules is."""
    service = await started(linting=Linting(mode="refuse"))
    with pytest.raises(SchemaInvalid, match=r"registry\.lint is refuse.*\[doc\]") as refused:
        await service.register(SUBJECT, sent(V1))
    assert refused.value.code == "lint_refused"
    assert service.subjects(deleted=True) == []
    assert (await registered(service, SUBJECT, GOOD))[0].id == 1


async def test_a_schema_that_stands_there_is_not_refused_afterwards():
    """Who publishes with it goes on; checks and lookups ask nothing of the house."""
    service = await started(MemoryLog([record(SUBJECT, 1, 1, V1)]), linting=Linting(mode="refuse"))
    assert (await registered(service, SUBJECT, V1))[0].id == 1
    assert (await service.lookup(SUBJECT, sent(V1))).id == 1
    assert await service.check(SUBJECT, sent(V1), LATEST) == []


async def test_a_schema_that_is_none_is_refused_before_it_is_linted():
    """The reason is that it cannot be read."""
    service = await started(linting=Linting(mode="refuse"))
    for work in (service.register(SUBJECT, sent("{")), service.lint(SUBJECT, sent("{"))):
        with pytest.raises(SchemaInvalid, match="is not JSON") as refused:
            await work
        assert refused.value.code == "schema_invalid"


@pytest.mark.parametrize("subject", [PERSONAL, f":.here:{PERSONAL}"])
async def test_fields_of_a_topic_of_personal_data_are_marked(instance, subject):
    """The directory says which topics those are; in every context."""
    service = await started(linting=Linting(instance.directory, mode="refuse"))
    unmarked = MARKED.replace(', "x-classification": "identifier"', "")
    with pytest.raises(SchemaInvalid, match=r"\[classification\]"):
        await service.register(subject, sent(unmarked))
    assert (await registered(service, subject, MARKED))[0].version == 1


@pytest.mark.parametrize("subject", ["gov.none.v1-value", RESIDENCE_TOPIC, f"{RESIDENCE_TOPIC}-key", "-value"])
async def test_a_subject_of_no_topic_is_judged_by_its_schema_alone(instance, subject):
    """What the directory does not know it says nothing about."""
    service = await started(linting=Linting(instance.directory, mode="refuse"))
    assert (await registered(service, subject, GOOD))[0].version == 1


async def test_the_directory_of_today_is_asked(instance):
    """A topic that comes to carry personal data is held to it from then on."""
    service = await started(linting=Linting(instance.directory, mode="warn"))

    def not_personal(content):
        for member in content["members"]:
            for subsystem in member["subsystems"]:
                for topic in subsystem.get("topics", []):
                    topic["personal"] = False

    unmarked = MARKED.replace(', "x-classification": "identifier"', "").replace('"pin"', '"code"')
    assert any("[classification]" in each for each in await service.lint(PERSONAL, sent(unmarked)))
    instance.edit(not_personal)
    assert await service.lint(PERSONAL, sent(unmarked)) == []
