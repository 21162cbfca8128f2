"""Soft and permanent deletes, and what comes back after them, as Confluent's own tests have them."""

import pytest

from tests.clients.rest import EACH_OF_TEN, ONE, TWO, Refused, record


@pytest.fixture
def two(registry):
    """A subject `s` with two versions."""
    registry.register("s", EACH_OF_TEN[0])
    registry.register("s", EACH_OF_TEN[1])
    return registry


def test_a_deleted_version_is_gone(two):
    """Deleting answers the number; then version and lookup find nothing, unless deleted ones are asked for."""
    assert two.delete("subjects", "s", "versions", 2) == 2
    assert two.get("subjects", "s", "versions") == [1]
    assert two.get("subjects", "s", "versions", 2) == Refused(404, 40402, "Version 2 not found.")
    assert two.lookup("s", EACH_OF_TEN[1]) == Refused(404, 40403, "Schema not found")
    shown = two.get("subjects", "s", "versions", 2, deleted=True)
    assert (shown["version"], shown["deleted"]) == (2, True)


def test_the_id_of_a_deleted_version_still_resolves(two):
    """Records that were written with the id can still be read."""
    two.delete("subjects", "s", "versions", 2)
    assert two.get("schemas", "ids", 2)["schema"] == EACH_OF_TEN[1]


def test_the_id_of_a_permanently_deleted_version_is_gone(two):
    """After the permanent delete of its last place an id is 40403."""
    two.delete("subjects", "s", "versions", 2)
    two.delete("subjects", "s", "versions", 2, permanent=True)
    assert two.get("schemas", "ids", 2)[:2] == (404, 40403)


def test_latest_goes_back(two):
    """After the delete of the newest version the one before is the latest."""
    assert two.delete("subjects", "s", "versions", "latest") == 2
    assert two.get("subjects", "s", "versions", "latest")["schema"] == EACH_OF_TEN[0]
    assert two.delete("subjects", "s", "versions", "latest") == 1
    assert two.get("subjects", "s", "versions", "latest") == Refused(404, 40401, "Subject 's' not found.")


def test_latest_stays_where_an_older_version_goes(two):
    """The delete of an older version leaves the latest as it is."""
    two.delete("subjects", "s", "versions", 1)
    assert two.get("subjects", "s", "versions", "latest")["version"] == 2


def test_a_subject_without_versions_is_not_found(two):
    """A subject whose versions are all deleted is 40401."""
    two.delete("subjects", "s", "versions", 2)
    two.delete("subjects", "s", "versions", 1)
    assert two.get("subjects", "s", "versions")[:2] == (404, 40401)


def test_registering_after_a_delete_gives_the_id_and_a_new_version(two):
    """The same schema comes back with its id as a new version, once."""
    two.delete("subjects", "s", "versions", 2)
    two.delete("subjects", "s", "versions", 1)
    assert two.register("s", EACH_OF_TEN[0]) == 1
    assert two.register("s", EACH_OF_TEN[0]) == 1
    assert two.get("subjects", "s", "versions") == [3]


def test_a_version_number_comes_back_after_a_permanent_delete(two):
    """The number of a version that was deleted for good is given again."""
    for query in ({}, {"permanent": True}):
        two.delete("subjects", "s", "versions", 2, **query)
    two.delete("subjects", "s", "versions", "latest")
    assert two.register("s", EACH_OF_TEN[0]) == 1
    assert two.get("subjects", "s", "versions") == [2]


def test_a_version_is_deleted_softly_first(two):
    """A permanent delete of a live version is 40407; a second soft delete is 40406."""
    assert two.delete("subjects", "s", "versions", 2, permanent=True) == Refused(
        404, 40407, "Subject 's' Version 2 was not deleted first before being permanently deleted"
    )
    two.delete("subjects", "s", "versions", 2)
    assert two.delete("subjects", "s", "versions", 2) == Refused(
        404, 40406, "Subject 's' Version 2 was soft deleted.Set permanent=true to delete permanently"
    )


def test_a_permanently_deleted_version_is_gone_for_good(two):
    """It is not found even among the deleted ones, and cannot be deleted again."""
    two.delete("subjects", "s", "versions", 2)
    assert two.delete("subjects", "s", "versions", 2, permanent=True) == 2
    assert two.get("subjects", "s", "versions", 2, deleted=True)[:2] == (404, 40402)
    assert two.delete("subjects", "s", "versions", 2, permanent=True)[:2] == (404, 40402)


def test_deletes_of_what_is_not_there(two):
    """No such version is 40402, no such subject 40401, no version at all 42202."""
    assert two.delete("subjects", "s", "versions", 3)[:2] == (404, 40402)
    assert two.delete("subjects", "none", "versions", 1)[:2] == (404, 40401)
    assert two.delete("subjects", "s", "versions", "first")[:2] == (422, 42202)


def test_a_deleted_subject_is_gone(two):
    """Deleting a subject answers its versions; then it is not found, except by a lookup among deleted ones."""
    assert two.delete("subjects", "s") == [1, 2]
    assert two.get("subjects", "s", "versions", "latest")[:2] == (404, 40401)
    assert two.lookup("s", EACH_OF_TEN[0])[:2] == (404, 40401)
    assert [two.lookup("s", each, deleted=True)["version"] for each in EACH_OF_TEN[:2]] == [1, 2]


def test_a_subject_is_deleted_softly_first(two):
    """A permanent delete of a live subject is 40405; a second soft delete is 40404."""
    assert two.delete("subjects", "s", permanent=True) == Refused(
        404, 40405, "Subject 's' was not deleted first before being permanently deleted"
    )
    two.delete("subjects", "s")
    assert two.delete("subjects", "s") == Refused(
        404, 40404, "Subject 's' was soft deleted.Set permanent=true to delete permanently"
    )


def test_a_permanently_deleted_subject_is_gone_for_good(two):
    """Its versions are answered once more; then it is not found even among deleted ones."""
    two.delete("subjects", "s")
    assert two.delete("subjects", "s", permanent=True) == [1, 2]
    assert two.lookup("s", EACH_OF_TEN[0], deleted=True)[:2] == (404, 40401)
    assert two.get("subjects", deleted=True) == []


def test_a_delete_of_no_subject(registry):
    """A subject that is not there cannot be deleted: 40401."""
    assert registry.delete("subjects", "none") == Refused(404, 40401, "Subject 'none' not found.")


def test_a_deleted_subject_can_be_registered_anew(two):
    """The schemas come back with their ids as new versions; the old versions stay away."""
    two.delete("subjects", "s")
    assert [two.register("s", each) for each in EACH_OF_TEN[:2]] == [1, 2]
    assert two.get("subjects", "s", "versions") == [3, 4]
    assert two.get("subjects", "s", "versions", 1)[:2] == (404, 40402)


def test_a_lookup_prefers_the_newest_place(two):
    """A schema that was deleted and registered anew is found at its new version."""
    two.delete("subjects", "s", "versions", 1)
    assert two.lookup("s", EACH_OF_TEN[0], deleted=True)["version"] == 1
    two.register("s", EACH_OF_TEN[0])
    for deleted in (True, False):
        assert two.lookup("s", EACH_OF_TEN[0], deleted=deleted)["version"] == 3


def test_a_deleted_version_no_longer_holds_a_schema_back(registry):
    """Compatibility is looked at with live versions alone."""
    registry.register("s", ONE)
    registry.register("s", TWO)
    changed = record("f1", ("f2", "int", 0))
    assert registry.check("s", changed, "latest") == {"is_compatible": False}
    assert registry.register("s", changed)[:2] == (409, 409)
    registry.delete("subjects", "s", "versions", "latest")
    assert registry.check("s", changed, "latest") == {"is_compatible": True}
    registry.register("s", changed)
    assert registry.lookup("s", changed)["version"] == 3


def test_the_level_of_a_deleted_subject_is_gone(registry):
    """The delete of a subject takes its level along, and leaves that of all."""
    registry.level("FULL")
    registry.level("BACKWARD", "s")
    registry.register("s", ONE)
    registry.delete("subjects", "s")
    registry.delete("subjects", "s", permanent=True)
    assert registry.get("config", "s")[:2] == (404, 40408)
    assert registry.get("config") == {"compatibilityLevel": "FULL"}


def test_the_level_of_a_subject_outlives_a_version(registry):
    """The delete of one of two versions leaves the subject's level."""
    registry.level("BACKWARD", "s")
    registry.register("s", ONE)
    registry.register("s", TWO)
    registry.delete("subjects", "s", "versions", 1)
    assert registry.get("config", "s") == {"compatibilityLevel": "BACKWARD"}
