"""Modes: what may be written when, as Confluent's own tests have it."""

import json

import pytest

from tests.clients.rest import ONE, OTHER, TWO, Refused

NO_MODE = (404, 40409)


def test_the_mode_of_all_is_readwrite(registry):
    """Without any setting writes are taken."""
    assert registry.get("mode") == {"mode": "READWRITE"}


@pytest.mark.parametrize("mode", ["READONLY", "READWRITE", "READONLY_OVERRIDE", "IMPORT", "FORWARD"])
def test_a_mode_is_set(registry, mode):
    """Each mode can be set; the request comes back as the answer."""
    assert registry.mode(mode) == {"mode": mode}
    assert registry.get("mode") == {"mode": mode}


def test_a_mode_is_taken_in_any_case(registry):
    """`readonly` is READONLY."""
    registry.mode("readonly")
    assert registry.get("mode") == {"mode": "READONLY"}


def test_an_unknown_mode(registry):
    """What is no mode is 42204, for all and for a subject."""
    for subject in ((), ("s",)):
        refused = registry.mode("SOMETIMES", *subject)
        assert refused[:2] == (422, 42204)
        assert refused.message.startswith("Invalid mode. Valid values are READWRITE, READONLY, ")


def test_a_subject_without_a_mode(registry):
    """A subject that has none is 40409, unless the mode of all will do."""
    assert registry.get("mode", "s") == Refused(404, 40409, "Subject 's' does not have subject-level mode configured")
    assert registry.get("mode", "s", defaultToGlobal=True) == {"mode": "READWRITE"}


def test_the_mode_of_a_subject_is_its_own(registry):
    """The mode of a subject goes before that of all, until it is deleted."""
    registry.mode("READONLY")
    registry.mode("READWRITE", "s")
    assert registry.get("mode", "s") == {"mode": "READWRITE"}
    assert registry.register("s", ONE) == 1
    assert registry.delete("mode", "s") == {"mode": "READWRITE"}
    assert registry.get("mode", "s", defaultToGlobal=True) == {"mode": "READONLY"}


def test_the_override_goes_before_every_mode(registry):
    """READONLY_OVERRIDE of all holds for subjects that have a mode of their own."""
    registry.mode("READWRITE", "s")
    registry.mode("READONLY_OVERRIDE")
    assert registry.get("mode", "s") == {"mode": "READONLY_OVERRIDE"}
    assert registry.register("s", ONE)[:2] == (422, 42205)


def test_nothing_is_written_in_readonly(registry):
    """Registering, deleting and configuring are 42205; reading goes on."""
    registry.register("s", ONE)
    registry.mode("READONLY")
    refused = registry.register("s", TWO)
    assert refused[:2] == (422, 42205)
    assert refused.message.startswith("Subject s ")
    assert refused.message.endswith("is in read-only mode")
    assert registry.delete("subjects", "s")[:2] == (422, 42205)
    assert registry.delete("subjects", "s", "versions", 1)[:2] == (422, 42205)
    assert registry.level("NONE", "s")[:2] == (422, 42205)
    assert registry.get("subjects", "s", "versions") == [1]
    assert registry.check("s", TWO) == {"is_compatible": True}


def test_what_is_there_is_answered_in_readonly(registry):
    """Registering what is registered writes nothing: its id is answered."""
    registry.register("s", ONE)
    registry.mode("READONLY")
    assert registry.register("s", ONE) == 1


def test_an_id_may_be_given_in_import_alone(registry):
    """A given id is 42205 in READWRITE and taken in IMPORT."""
    refused = registry.register("s", ONE, version=1, id=1)
    assert refused[:2] == (422, 42205)
    assert refused.message.endswith("is not in import mode")
    registry.mode("IMPORT")
    assert registry.register("s", ONE, version=1, id=77) == 77
    assert registry.get("schemas", "ids", 77)["schema"] == ONE


def test_an_id_must_be_given_in_import(registry):
    """Registering a new schema without an id is 42205 in IMPORT; a known one is answered."""
    registry.mode("IMPORT")
    refused = registry.register("s", ONE)
    assert refused[:2] == (422, 42205)
    assert refused.message.endswith("is not in read-write mode")
    registry.register("s", ONE, version=1, id=1)
    assert registry.register("s", ONE) == 1


def test_an_id_is_never_given_to_another_schema(registry):
    """An import of another schema with an id that is taken is 42205, in the same subject and in another."""
    registry.mode("IMPORT")
    registry.register("s1", ONE, version=1, id=1)
    for subject, version in (("s1", 2), ("s2", 1)):
        refused = registry.register(subject, TWO, version=version, id=1)
        assert refused[:2] == (422, 42205)
        assert refused.message.startswith("Overwrite new schema with id 1 ")


def test_one_schema_may_be_imported_as_two_versions(registry):
    """The same schema and id make version 1 and version 2."""
    registry.mode("IMPORT")
    assert [registry.register("s", ONE, version=each, id=1) for each in (1, 2, 1)] == [1, 1, 1]
    assert registry.get("subjects", "s", "versions") == [1, 2]


def test_one_schema_may_be_imported_with_two_ids(registry):
    """What another registry held twice comes over twice."""
    decimal = {"type": "bytes", "scale": 4, "precision": 17, "logicalType": "decimal"}
    turned = dict(sorted(decimal.items()))
    texts = [
        json.dumps({"type": "record", "name": "r", "fields": [{"name": "f", "type": ["null", each]}]})
        for each in (decimal, turned, turned)
    ]
    registry.mode("IMPORT")
    for version, text in enumerate(texts, 1):
        assert registry.register("s", text, version=version, id=version * 100) == version * 100
    assert registry.get("subjects", "s", "versions") == [1, 2, 3]
    assert registry.register("other", texts[0], version=1, id=400) == 400
    assert registry.lookup("other", texts[0])["version"] == 1


def test_an_import_is_not_checked_for_compatibility(registry):
    """Versions come over as they were."""
    registry.mode("IMPORT")
    registry.register("s", ONE, version=1, id=1)
    assert registry.register("s", OTHER, version=2, id=2) == 2


def test_ids_go_on_behind_imported_ones(registry):
    """After an import the next id is greater than every imported one."""
    registry.mode("IMPORT")
    registry.register("s", ONE, version=1, id=100)
    registry.mode("READWRITE")
    assert registry.register("s", TWO) == 101


def test_import_needs_an_empty_place(registry):
    """IMPORT is 42205 where there are schemas, unless it is forced."""
    registry.register("s", ONE)
    expected = Refused(422, 42205, "Cannot import since found existing subjects")
    assert registry.mode("IMPORT") == expected
    assert registry.mode("IMPORT", "s") == expected
    assert registry.mode("IMPORT", "s", force=True) == {"mode": "IMPORT"}
    assert registry.mode("IMPORT", force=True) == {"mode": "IMPORT"}


def test_import_after_a_delete_may_give_another_id(registry):
    """Where all was deleted, the same schema may be imported with another id."""
    registry.register("s", ONE)
    registry.delete("subjects", "s")
    assert registry.mode("IMPORT") == {"mode": "IMPORT"}
    assert registry.register("s", ONE, version=1, id=2) == 2
    assert registry.get("subjects", "s", "versions", 1)["id"] == 2


def test_the_mode_of_all_is_deleted(registry):
    """Its delete answers what it was; then READWRITE holds."""
    registry.mode("READONLY")
    assert registry.delete("mode") == {"mode": "READONLY"}
    assert registry.get("mode") == {"mode": "READWRITE"}


def test_a_delete_of_no_mode(registry):
    """A subject without a mode has none to delete: 404."""
    assert registry.delete("mode", "s")[0] == 404


def test_the_default_context_has_the_mode_of_all(registry):
    """`:.:` and the mode of all are one."""
    registry.mode("IMPORT")
    assert registry.get("mode", ":.:", defaultToGlobal=True) == {"mode": "IMPORT"}
    registry.mode("READONLY", ":.:")
    assert registry.get("mode", defaultToGlobal=True) == {"mode": "READONLY"}
    assert registry.delete("mode", ":.:") == {"mode": "READONLY"}
    assert registry.get("mode", defaultToGlobal=True) == {"mode": "READWRITE"}


def test_a_context_has_a_mode(registry):
    """A mode of `:.ctx:` holds for its subjects alone."""
    registry.mode("READONLY", ":.ctx:")
    assert registry.register(":.ctx:s", ONE)[:2] == (422, 42205)
    assert registry.register("s", ONE) == 1
