"""What Confluent's newest releases do besides, as their own tests have it."""

import pytest

from tests.clients.rest import ONE, TWO_WITHOUT_DEFAULT, record

NO_MODE = (404, 40409)
SUBRECORD = record("field2", name="Subrecord", namespace="otherns")
REFERRER = record(("field1", "otherns.Subrecord"), name="MyRecord", namespace="ns")


def reference(subject="my_reference", name="otherns.Subrecord", version=1):
    """One entry of `references`."""
    return {"name": name, "subject": subject, "version": version}


def test_the_global_context_is_behind_all(registry):
    """A level of `:.__GLOBAL:` holds where nothing else is set."""
    registry.register("s", ONE)
    assert registry.register("s", TWO_WITHOUT_DEFAULT)[:2] == (409, 409)
    registry.level("NONE", ":.__GLOBAL:")
    assert registry.get("config", defaultToGlobal=True)["compatibilityLevel"] == "NONE"
    assert registry.register("s", TWO_WITHOUT_DEFAULT) == 2


def test_the_mode_of_the_global_context_is_behind_all(registry):
    """A mode of `:.__GLOBAL:` holds where nothing else is set."""
    registry.mode("READONLY", ":.__GLOBAL:")
    assert registry.get("mode", defaultToGlobal=True) == {"mode": "READONLY"}
    assert registry.register("s", ONE)[:2] == (422, 42205)


def test_a_member_is_cleared_with_null(registry):
    """A null takes a member away and leaves the others."""
    registry.put("config", body={"compatibilityGroup": "application.version", "validateFields": True})
    assert registry.put("config", body={"compatibilityGroup": None}) == {"validateFields": True}
    assert registry.get("config") == {"compatibilityLevel": "BACKWARD", "validateFields": True}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (".prod", [".prod", ".prod-eu"]),
        (".prod-eu", [".prod-eu"]),
        (".", [".", ".dev", ".prod", ".prod-eu", ".staging"]),
        ("", [".", ".dev", ".prod", ".prod-eu", ".staging"]),
        (".s", [".staging"]),
        (".PROD", []),
        (".none", []),
    ],
)
def test_contexts_by_prefix(registry, prefix, expected):
    """`contextPrefix` keeps the contexts that start with it, case by case."""
    for context in (".prod", ".prod-eu", ".staging", ".dev"):
        registry.register(f":{context}:s", ONE)
    assert registry.get("contexts", contextPrefix=prefix) == expected
    assert registry.get("contexts", contextPrefix=prefix, offset=0, limit=1) == expected[:1]


@pytest.mark.parametrize("recursive", [True, False])
def test_the_modes_under_a_context_go_with_it_where_asked(registry, recursive):
    """A recursive delete of a context's mode takes those of its subjects along, and no other context's."""
    for subject in (":.ctx:", ":.ctx:s1", ":.ctx:s2", ":.other:s"):
        registry.mode("READONLY", subject)
    assert registry.delete("mode", ":.ctx:", recursive=recursive) == {"mode": "READONLY"}
    assert registry.get("mode", ":.ctx:")[:2] == NO_MODE
    for subject in (":.ctx:s1", ":.ctx:s2"):
        mode = registry.get("mode", subject)
        assert mode[:2] == NO_MODE if recursive else mode == {"mode": "READONLY"}
    assert registry.get("mode", ":.other:s") == {"mode": "READONLY"}


def test_the_modes_of_subjects_go_with_that_of_all_where_asked(registry):
    """A recursive delete of the mode of all takes those of the subjects along."""
    registry.mode("READONLY")
    registry.mode("READONLY", "s")
    assert registry.delete("mode", recursive=True) == {"mode": "READONLY"}
    assert registry.get("mode") == {"mode": "READWRITE"}
    assert registry.get("mode", "s")[:2] == NO_MODE


def test_a_reference_without_a_context_is_of_the_same_one(registry):
    """An unqualified reference of a qualified subject means the same context; it is answered as it came."""
    registry.register(":.ctx:my_reference", SUBRECORD)
    assert registry.register(":.ctx:my_referrer", REFERRER, references=[reference()]) == 2
    body = registry.get("subjects", ":.ctx:my_referrer", "versions", 1)
    assert body["references"] == [reference()]
    qualified = registry.get("subjects", ":.ctx:my_referrer", "versions", 1, referenceFormat="qualified")
    assert qualified["references"] == [reference(":.ctx:my_reference")]
    assert registry.get("subjects", ":.ctx:my_reference", "versions", 1, "referencedby") == [2]


def test_a_given_version_is_noted_in_the_metadata(registry):
    """`confluent:version` makes the same schema a version of its own; without it the first is found."""
    registry.register("s", ONE)
    assert registry.register("s", ONE, version=-1) == 1
    assert registry.register("s", ONE, version=2) == 2
    latest = registry.get("subjects", "s", "versions", "latest")
    assert (latest["version"], latest["metadata"]["properties"]) == (2, {"confluent:version": "2"})
    assert registry.lookup("s", ONE)["version"] == 1
    stated = {"properties": {"confluent:version": "2"}}
    assert registry.lookup("s", ONE, metadata=stated)["version"] == 2
