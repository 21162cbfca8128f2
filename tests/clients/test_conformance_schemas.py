"""Registering, reading and looking up, as Confluent's own tests have it: statuses, codes, bodies."""

import pytest

from tests.clients.rest import EACH_OF_TEN, JSON, ONE, OTHER, TWO, Refused, record


def test_versions_of_no_subject(registry):
    """A subject that is not there is 40401, with its name."""
    assert registry.get("subjects", "s", "versions") == Refused(404, 40401, "Subject 's' not found.")


def test_an_empty_registry_has_no_subjects(registry):
    """The list of subjects is empty, not missing."""
    assert registry.get("subjects") == []


def test_ids_and_versions_count_up(registry):
    """Ids are given in order over all subjects, versions in order within one."""
    assert [registry.register("s1", each) for each in EACH_OF_TEN[:3]] == [1, 2, 3]
    assert [registry.register("s2", each) for each in EACH_OF_TEN[3:5]] == [4, 5]
    assert registry.get("subjects", "s1", "versions") == [1, 2, 3]
    assert registry.get("subjects", "s2", "versions") == [1, 2]


def test_registering_answers_with_the_version(registry):
    """The answer carries id, version, guid and schema, as since 8.0."""
    body = registry.post("subjects", "s", "versions", body={"schema": ONE})
    assert (body["id"], body["version"], body["schema"], len(body["guid"])) == (1, 1, ONE, 36)
    assert registry.post("subjects", "s", "versions", body={"schema": ONE}) == body


def test_registering_anew_gives_the_same_id(registry):
    """What is registered already is answered with its id, in any version."""
    ids = [registry.register("s", each) for each in EACH_OF_TEN]
    assert [registry.register("s", each) for each in EACH_OF_TEN] == ids
    assert registry.get("subjects", "s", "versions") == list(range(1, 11))


def test_an_earlier_version_is_answered_before_compatibility(registry):
    """A schema that could no longer follow is still answered where it is there already."""
    registry.level("NONE", "s")
    ids = [registry.register("s", ONE), registry.register("s", OTHER)]
    registry.level("FULL_TRANSITIVE", "s")
    assert [registry.register("s", ONE), registry.register("s", OTHER)] == ids


def test_one_schema_has_one_id(registry):
    """The same schema under two subjects has one id."""
    assert registry.register("s1", ONE) == registry.register("s2", ONE) == 1


def test_two_subjects_number_their_versions_each(registry):
    """A schema that is version 2 of one subject is version 1 of another, with the same id."""
    registry.level("NONE")
    assert [registry.register("s1", ONE), registry.register("s1", OTHER)] == [1, 2]
    assert registry.register("s2", OTHER) == 2
    assert registry.lookup("s1", OTHER)["version"] == 2
    assert registry.lookup("s2", OTHER)["version"] == 1


def test_a_schema_by_id(registry):
    """An id is answered with its schema; the subject and version only where the subject was asked for."""
    registry.register("s", ONE)
    plain = registry.get("schemas", "ids", 1)
    assert plain["schema"] == ONE
    assert "subject" not in plain
    named = registry.get("schemas", "ids", 1, subject="s")
    assert (named["schema"], named["subject"], named["version"]) == (ONE, "s", 1)


@pytest.mark.parametrize("stated", [{}, {"schemaType": "AVRO"}, {"schemaType": None}])
def test_a_schema_is_avro_without_saying(registry, stated):
    """Avro is meant where no type is given; an answer says AVRO or nothing."""
    assert registry.register("s", ONE, **stated) == 1
    for body in (registry.get("schemas", "ids", 1), registry.get("subjects", "s", "versions", 1)):
        assert body.get("schemaType", "AVRO") == "AVRO"


@pytest.mark.parametrize("path", [("100",), ("100", "schema")])
def test_no_such_id(registry, path):
    """An id that was never given is 40403, with its number."""
    assert registry.get("schemas", "ids", *path) == Refused(404, 40403, "Schema 100 not found")


@pytest.mark.parametrize("path", ["subjects", "versions"])
def test_places_of_no_such_id(registry, path):
    """The subjects and versions of an id that was never given are 40403."""
    assert registry.get("schemas", "ids", 100, path) == Refused(404, 40403, "Schema not found")


def test_an_id_that_is_no_number(registry):
    """A path that no id can have is 404, with a JSON body."""
    assert registry.get("schemas", "ids", "first") == Refused(404, 404, "HTTP 404 Not Found")


def test_the_schema_alone_by_id(registry):
    """`/schema` is the schema itself, not a string that holds it."""
    registry.register("s", ONE)
    assert registry.raw("GET", "schemas", "ids", 1, "schema").text == ONE


def test_the_highest_id_is_told_where_asked(registry):
    """`maxId` is there with `fetchMaxId` alone."""
    for each in EACH_OF_TEN[:3]:
        registry.register("s", each)
    assert "maxId" not in registry.get("schemas", "ids", 1)
    assert registry.get("schemas", "ids", 1, fetchMaxId=True)["maxId"] == 3


def test_an_unknown_format_is_passed_over(registry):
    """A format that Avro does not have leaves the schema as it is."""
    registry.register("s", ONE)
    assert registry.get("schemas", "ids", 1, format="bad-format")["schema"] == ONE


def test_a_schema_by_guid(registry):
    """A guid is answered with its schema, and with its id in each context."""
    registry.register("s", ONE)
    guid = registry.get("schemas", "ids", 1)["guid"]
    found = registry.get("schemas", "guids", guid)
    assert (found["schema"], found["guid"]) == (ONE, guid)
    assert registry.get("schemas", "guids", guid, "ids") == [{"context": ".", "id": 1}]


def test_guids_are_of_the_schema(registry):
    """The same schema has one guid everywhere, another schema another."""
    for subject, schema in (("s", ONE), ("s", TWO), (":.ctx:s", ONE)):
        registry.register(subject, schema)
    first, second = (registry.get("schemas", "ids", each)["guid"] for each in (1, 2))
    assert first != second
    assert registry.get("schemas", "ids", 1, subject=":.ctx:s")["guid"] == first


def test_no_such_guid(registry):
    """A guid that no schema has is 40403, with the guid."""
    guid = "b6dfc5e8-0000-0000-0000-000000000000"
    assert registry.get("schemas", "guids", guid) == Refused(404, 40403, f"Schema {guid} not found")


def test_a_version(registry):
    """A version is answered by number, by `latest` and by -1, with subject, id, guid and schema."""
    registry.register("s", ONE)
    registry.register("s", TWO)
    first = registry.get("subjects", "s", "versions", 1)
    assert (first["subject"], first["version"], first["id"], first["schema"]) == ("s", 1, 1, ONE)
    assert len(first["guid"]) == 36
    latest = registry.get("subjects", "s", "versions", "latest")
    assert (latest["version"], latest["schema"]) == (2, TWO)
    assert registry.get("subjects", "s", "versions", -1) == latest


def test_the_schema_alone_of_a_version(registry):
    """`/schema` is the schema itself, of a number and of the latest."""
    registry.register("s", ONE)
    registry.register("s", TWO)
    assert registry.raw("GET", "subjects", "s", "versions", 1, "schema").text == ONE
    assert registry.raw("GET", "subjects", "s", "versions", "latest", "schema").text == TWO


def test_no_such_version(registry):
    """A number that no version has is 40402; of a subject that is not there, 40401."""
    registry.register("s", ONE)
    assert registry.get("subjects", "s", "versions", 200) == Refused(404, 40402, "Version 200 not found.")
    assert registry.get("subjects", "none", "versions", 1) == Refused(404, 40401, "Subject 'none' not found.")
    assert registry.get("subjects", "none", "versions", "latest")[:2] == (404, 40401)


@pytest.mark.parametrize("version", ["0", "-2", "earliest", "1.5", str(2**31)])
def test_an_invalid_version(registry, version):
    """What no version can be is 42202, with what one can be."""
    registry.register("s", ONE)
    refused = registry.get("subjects", "s", "versions", version)
    assert refused[:2] == (422, 42202)
    assert refused.message == (
        f"The specified version '{version}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"'
    )


def test_a_lookup(registry):
    """A schema that a subject has is answered with its place."""
    registry.register("s", ONE)
    found = registry.lookup("s", ONE)
    assert (found["subject"], found["version"], found["id"], found["schema"]) == ("s", 1, 1, ONE)


def test_a_lookup_that_finds_nothing(registry):
    """A schema that a subject lacks is 40403; a subject that is not there is 40401."""
    registry.register("s", ONE)
    assert registry.lookup("s", TWO) == Refused(404, 40403, "Schema not found")
    assert registry.lookup("none", ONE) == Refused(404, 40401, "Subject 'none' not found.")


def test_a_lookup_of_what_is_no_schema(registry):
    """A schema that cannot be parsed is 42201 in a lookup too."""
    registry.register("s", ONE)
    assert registry.lookup("s", "{}")[:2] == (422, 42201)


def test_the_types(registry):
    """Avro is what there is."""
    assert registry.get("schemas", "types") == ["AVRO"]


@pytest.mark.parametrize("kind", ["JSON", "PROTOBUF", "XML"])
def test_other_types(registry, kind):
    """A type that the registry does not have is 42201, with its name."""
    refused = registry.register("s", "{}", schemaType=kind)
    assert refused[:2] == (422, 42201)
    assert f"Invalid schema type {kind}" in refused.message


def test_whitespace_makes_no_other_schema(registry):
    """The same schema with other whitespace has the same id; a plain type is answered as its name."""
    spaced = '{   "type":   "string"}'
    assert registry.register("s", spaced) == registry.register("s", spaced) == registry.register("s", '"string"') == 1
    assert registry.lookup("s", spaced)["id"] == 1
    assert registry.get("schemas", "ids", 1)["schema"] == '"string"'


def test_a_doc_makes_another_schema(registry):
    """A documented schema is another than the same one without."""
    assert registry.register("s", ONE) == 1
    assert registry.register("s", record("f1", doc="says what it is")) == 2


@pytest.mark.parametrize(
    "schema",
    [
        "non-avro schema string",
        "{}",
        '{"type":"record","name":"r","fields":[{"name":"f","type":"str"}]}',
        record(("f", "string", None)),
        record(("f", "int", "foo")),
        '{"type":"enum","name":"e","symbols":["A","A"]}',
        '{"type":"fixed","name":"f","size":-1}',
        '["string","string"]',
        record("f", "f"),
        record("f", namespace="a-bad.namespace"),
    ],
)
def test_an_invalid_schema(registry, schema):
    """What is no Avro schema is 42201, and nothing is registered."""
    refused = registry.register("s", schema)
    assert refused[:2] == (422, 42201)
    assert refused.message
    assert registry.get("subjects") == []


@pytest.mark.parametrize("body", [{"schema": ""}, {"schema": "  "}, {}, {"schema": None}])
def test_no_schema(registry, body):
    """A request without a schema is 42201."""
    refused = registry.post("subjects", "s", "versions", body=body)
    assert refused == Refused(422, 42201, "Empty schema")


@pytest.mark.parametrize("subject", ["\rbad\nsubject\t", "a\x00b", "__GLOBAL"])
def test_an_invalid_subject(registry, subject):
    """Control characters and the reserved name are no subject: 42208."""
    assert registry.register(subject, ONE)[:2] == (422, 42208)


@pytest.mark.parametrize("subject", ["a/b", "a b", "a?b", "a#b", "a%2Fb", "ж-value", "a+b", "a:b"])
def test_a_subject_is_quoted_in_a_path(registry, subject):
    """A subject may have any other character."""
    assert registry.register(subject, ONE) == 1
    assert registry.get("subjects") == [subject]
    assert registry.get("subjects", subject, "versions") == [1]
    assert registry.get("subjects", subject, "versions", 1)["subject"] == subject


def test_metadata_finds_the_latest_that_has_it(registry):
    """`/metadata` answers the newest version whose properties have every key and value asked for."""
    for version, schema in enumerate(EACH_OF_TEN[:3], 1):
        registry.register("s", schema, metadata={"properties": {"major": str((version + 1) // 2), "all": "yes"}})
    assert registry.get("subjects", "s", "metadata", key="major", value="1")["version"] == 2
    assert registry.get("subjects", "s", "metadata", key=["major", "all"], value=["2", "yes"])["version"] == 3
    assert registry.get("subjects", "s", "metadata", key="major", value="9") == Refused(404, 40403, "Schema not found")
    assert registry.get("subjects", "no", "metadata", key="major", value="1")[:2] == (404, 40401)


def test_answers_are_of_confluents_type(registry):
    """Without a wish of the client the answer has the registry's own media type."""
    assert registry.raw("GET", "subjects").headers["content-type"].startswith(JSON)


def test_a_schema_with_the_wrong_version_is_refused(registry):
    """A version that is given must be the next one."""
    registry.register("s", ONE)
    refused = registry.register("s", TWO, version=3)
    assert refused == Refused(422, 42201, "Version is not one more than previous version")
    assert registry.register("s", TWO, version=2) == 2
