"""Schemas that use the types of other subjects, as Confluent's own tests have them."""

import json

import pytest

from tests.clients.rest import ONE, Refused, record

SUBRECORD = record("field2", name="Subrecord", namespace="otherns")
REFERRER = record(("field1", "otherns.Subrecord"), name="MyRecord", namespace="ns")
RESOLVED = record(("field1", json.loads(SUBRECORD)), name="MyRecord", namespace="ns")


def reference(subject="my_reference", name="otherns.Subrecord", version=1):
    """One entry of `references`."""
    return {"name": name, "subject": subject, "version": version}


@pytest.fixture
def referring(registry):
    """`my_referrer` uses version 1 of `my_reference`."""
    registry.register("my_reference", SUBRECORD)
    registry.register("my_referrer", REFERRER, references=[reference()])
    return registry


def test_a_schema_with_references(referring):
    """It is answered as it came, with its references, by id and by version."""
    for body in (referring.get("schemas", "ids", 2), referring.get("subjects", "my_referrer", "versions", 1)):
        assert (body["schema"], body["references"]) == (REFERRER, [reference()])


def test_a_schema_without_references_names_none(referring):
    """`references` is left out where there are none."""
    assert "references" not in referring.get("schemas", "ids", 1)


def test_who_refers(referring):
    """`referencedby` names the ids that use a version; by pages, and the latest too."""
    assert referring.get("subjects", "my_reference", "versions", 1, "referencedby") == [2]
    assert referring.get("subjects", "my_reference", "versions", "latest", "referencedby") == [2]
    assert referring.get("subjects", "my_reference", "versions", 1, "referencedby", offset=1, limit=1) == []
    assert referring.get("subjects", "my_referrer", "versions", 1, "referencedby") == []


def test_who_refers_to_what_is_not_there(referring):
    """`referencedby` of no version is 40402, of no subject 40401."""
    assert referring.get("subjects", "my_reference", "versions", 2, "referencedby")[:2] == (404, 40402)
    assert referring.get("subjects", "none", "versions", 1, "referencedby")[:2] == (404, 40401)


def test_the_same_schema_with_its_types_written_out_is_found(referring):
    """A lookup with the types in place of references finds the schema that refers."""
    assert referring.lookup("my_referrer", RESOLVED)["id"] == 2


def test_registering_with_types_written_out_gives_the_same_id(referring):
    """A serializer that sends the whole schema gets the id of the one that refers."""
    assert referring.register("my_referrer", RESOLVED) == 2


def test_what_is_referred_to_stays(referring):
    """A version that another uses cannot be deleted: 42206."""
    expected = Refused(
        422,
        42206,
        "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=my_reference,version=1}.",
    )
    assert referring.delete("subjects", "my_reference", "versions", 1) == expected
    assert referring.delete("subjects", "my_reference") == expected


def test_what_is_no_longer_referred_to_may_go(referring):
    """After the delete of what refers, the other may be deleted."""
    assert referring.delete("subjects", "my_referrer", "versions", 1) == 1
    assert referring.get("subjects", "my_reference", "versions", 1, "referencedby") == []
    assert referring.delete("subjects", "my_reference", "versions", 1) == 1


def test_a_deleted_version_cannot_be_referred_to(registry):
    """A reference to a version that is deleted is 42201, softly or for good."""
    registry.register("my_reference", SUBRECORD)
    for query in ({}, {"permanent": True}):
        registry.delete("subjects", "my_reference", "versions", 1, **query)
        assert registry.register("my_referrer", REFERRER, references=[reference()])[:2] == (422, 42201)


def test_a_schema_does_not_come_back_without_what_it_refers_to(referring):
    """Registering a deleted schema anew is 42201 where what it used is gone."""
    referring.delete("subjects", "my_referrer", "versions", 1)
    referring.delete("subjects", "my_reference", "versions", 1)
    referring.delete("subjects", "my_reference", "versions", 1, permanent=True)
    assert referring.register("my_referrer", REFERRER, references=[reference()])[:2] == (422, 42201)


@pytest.mark.parametrize(
    "entry", [reference("badSubject"), reference(version=100), reference(version=0), {"name": "otherns.Subrecord"}]
)
def test_a_reference_to_nothing(registry, entry):
    """A reference to a subject or version that is not there is 42201, and nothing is registered."""
    registry.register("my_reference", SUBRECORD)
    refused = registry.register("my_referrer", ONE, references=[entry])
    assert refused[:2] == (422, 42201)
    assert registry.get("subjects") == ["my_reference"]


def test_a_type_that_no_reference_names(registry):
    """A type that is used without a reference is 42201."""
    registry.register("my_reference", SUBRECORD)
    assert registry.register("my_referrer", REFERRER)[:2] == (422, 42201)
    assert registry.register("my_referrer", REFERRER, references=[])[:2] == (422, 42201)


def test_references_over_several_levels(registry):
    """A schema may use types that use types, also the same one by two ways."""
    currency = '{"type":"enum","name":"Currency","namespace":"myavro.currencies","symbols":["EUR","USD"]}'
    fields = (("buyerId", "long"), ("currency", {"type": "myavro.currencies.Currency"}))
    registry.register("shared", currency)
    shared = [reference("shared", "myavro.currencies.Currency")]
    for number, name in enumerate(("BudgetDecreased", "BudgetUpdated"), 1):
        budget = record(*fields, name=name, namespace="myavro")
        assert registry.register(f"ref{number}", budget, references=shared) == number + 1
    root = '["myavro.BudgetDecreased","myavro.BudgetUpdated"]'
    both = [reference("ref1", "myavro.BudgetDecreased"), reference("ref2", "myavro.BudgetUpdated")]
    assert registry.register("root", root, references=both) == 4
    body = registry.get("schemas", "ids", 4)
    assert (body["schema"], body["references"]) == (root, both)
    resolved = registry.get("schemas", "ids", 4, subject="root", format="resolved")
    assert resolved["guid"] == body["guid"]
    assert [each["name"] for each in json.loads(resolved["schema"])] == ["BudgetDecreased", "BudgetUpdated"]


def test_compatibility_looks_through_references(referring):
    """A change of a type that is used is a change of the schema."""
    changed = record(("field2", "string"), ("field3", "int"), name="Subrecord", namespace="otherns")
    referring.level("NONE", "my_reference")
    referring.register("my_reference", changed)
    checked = referring.check("my_referrer", REFERRER, "latest", references=[reference(version=2)])
    assert checked == {"is_compatible": False}
    assert referring.register("my_referrer", REFERRER, references=[reference(version=2)])[:2] == (409, 409)


def test_a_reference_from_another_context(registry):
    """A schema may use a type of another context by its qualified subject."""
    registry.register(":.ctx:my_reference", SUBRECORD)
    assert registry.register("my_referrer", REFERRER, references=[reference(":.ctx:my_reference")]) == 1
    assert registry.get("subjects", ":.ctx:my_reference", "versions", 1, "referencedby") == [1]
    assert registry.delete("subjects", ":.ctx:my_reference", "versions", 1)[:2] == (422, 42206)


def test_normalizing_takes_the_order_out_of_references(registry):
    """With `normalize` the order of references and of properties, and wrapped types, make no other schema."""
    for number in (1, 2):
        registry.register(f"ref{number}", record(f"field{number}", name=f"Subrecord{number}", namespace="otherns"))
    refs = [reference(f"ref{number}", f"otherns.Subrecord{number}") for number in (1, 2)]
    uses = (("field1", "otherns.Subrecord1"), ("field2", "otherns.Subrecord2"))
    wrapped = record(("field0", {"type": "int"}), *uses, extraMetadata={"a": 1, "b": 2})
    plain = record(("field0", "int"), *uses, extraMetadata={"b": 2, "a": 1})
    assert registry.register("s", wrapped, references=refs, normalize=True) == 3
    assert registry.lookup("s", plain, references=refs[::-1], normalize=True)["version"] == 1


def test_a_schema_cannot_refer_to_itself(registry):
    """What would refer to its own next version is refused: that version is not there."""
    registry.register("s", SUBRECORD)
    assert registry.register("s", REFERRER, references=[reference("s", version=2)])[:2] == (422, 42201)
