"""The records of `_schemas`: byte for byte what Confluent's registry writes and reads."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.registry.entities import Config, Metadata, Reference, Rule, RuleSet, SchemaVersion
from exchange.registry.records import (
    ConfigRecord,
    ContextRecord,
    LeaderRecord,
    ModeRecord,
    SchemaRecord,
    SubjectDeleted,
    SubjectsCleared,
    encode_config,
    encode_context,
    encode_leader,
    encode_mode,
    encode_subject_deleted,
    encode_subjects_cleared,
    encode_version,
    parse_record,
    schema_key,
)

AVRO = SchemaVersion("orders-value", 3, 17, '{"type":"string"}')
PROTO = SchemaVersion(
    "p-value",
    1,
    2,
    'syntax = "proto3";',
    schema_type="PROTOBUF",
    references=(Reference("o", "o", 1),),
)
DESCRIBED = SchemaVersion(
    ":.ctx:d-value",
    1,
    3,
    '"int"',
    deleted=True,
    metadata=Metadata(tags={"**.a": ["PII"]}, properties={"owner": "a"}, sensitive=["owner"]),
    rule_set=RuleSet(domain_rules=[Rule(name="r", type="CEL", mode="WRITE", expr="true")]),
)


@pytest.mark.parametrize(
    ("version", "key", "value"),
    [
        (
            AVRO,
            b'{"keytype":"SCHEMA","subject":"orders-value","version":3,"magic":1}',
            b'{"subject":"orders-value","version":3,"id":17,"schema":"{\\"type\\":\\"string\\"}","deleted":false}',
        ),
        (
            PROTO,
            b'{"keytype":"SCHEMA","subject":"p-value","version":1,"magic":1}',
            b'{"subject":"p-value","version":1,"id":2,"schemaType":"PROTOBUF","references":[{"name":"o","subject":"o",'
            b'"version":1}],"schema":"syntax = \\"proto3\\";","deleted":false}',
        ),
        (
            DESCRIBED,
            b'{"keytype":"SCHEMA","subject":":.ctx:d-value","version":1,"magic":1}',
            b'{"subject":":.ctx:d-value","version":1,"id":3,"metadata":{"tags":{"**.a":["PII"]},"properties":{"owner":'
            b'"a"},"sensitive":["owner"]},"ruleSet":{"domainRules":[{"name":"r","kind":"TRANSFORM","mode":"WRITE",'
            b'"type":"CEL","expr":"true","disabled":false}]},"schema":"\\"int\\"","deleted":true}',
        ),
    ],
)
def test_a_version_is_written_as_confluent_writes_it(version, key, value):
    """Compaction compares keys byte for byte: the order of members is part of the format."""
    assert encode_version(version) == (key, value)
    assert schema_key(version.subject, version.version) == key
    assert parse_record(key, value) == SchemaRecord(version.subject, version.version, version)


@pytest.mark.parametrize(
    ("subject", "config", "key", "value"),
    [
        (
            None,
            Config(compatibility_level="FULL"),
            b'{"keytype":"CONFIG","subject":null,"magic":0}',
            b'{"compatibilityLevel":"FULL"}',
        ),
        (
            "a",
            Config(compatibility_level="NONE", normalize=True, alias="b"),
            b'{"keytype":"CONFIG","subject":"a","magic":0}',
            b'{"subject":"a","alias":"b","normalize":true,"compatibilityLevel":"NONE"}',
        ),
        ("a", None, b'{"keytype":"CONFIG","subject":"a","magic":0}', None),
    ],
)
def test_a_configuration_is_written_as_confluent_writes_it(subject, config, key, value):
    """Null for all subjects; a null value takes it back."""
    assert encode_config(subject, config) == (key, value)
    assert parse_record(key, value) == ConfigRecord(subject, config)


@pytest.mark.parametrize(
    ("written", "key", "value", "change"),
    [
        (
            encode_mode(None, "READONLY"),
            b'{"keytype":"MODE","subject":null,"magic":0}',
            b'{"mode":"READONLY"}',
            ModeRecord(None, "READONLY"),
        ),
        (
            encode_mode("a", "IMPORT"),
            b'{"keytype":"MODE","subject":"a","magic":0}',
            b'{"subject":"a","mode":"IMPORT"}',
            ModeRecord("a", "IMPORT"),
        ),
        (
            encode_mode("a", None),
            b'{"keytype":"MODE","subject":"a","magic":0}',
            None,
            ModeRecord("a", None),
        ),
        (
            encode_subject_deleted("a", 4),
            b'{"keytype":"DELETE_SUBJECT","subject":"a","magic":0}',
            b'{"subject":"a","version":4}',
            SubjectDeleted("a", 4),
        ),
        (
            encode_subjects_cleared("a"),
            b'{"keytype":"CLEAR_SUBJECT","subject":"a","magic":0}',
            b'{"subject":"a"}',
            SubjectsCleared("a"),
        ),
        (
            encode_subjects_cleared(None),
            b'{"keytype":"CLEAR_SUBJECT","subject":null,"magic":0}',
            b"{}",
            SubjectsCleared(None),
        ),
        (
            encode_context(".c"),
            b'{"keytype":"CONTEXT","tenant":"default","context":".c","magic":0}',
            b'{"tenant":"default","context":".c"}',
            ContextRecord(".c", exists=True),
        ),
        (
            encode_context(".c", exists=False),
            b'{"keytype":"CONTEXT","tenant":"default","context":".c","magic":0}',
            None,
            ContextRecord(".c", exists=False),
        ),
        (
            encode_leader(LeaderRecord("http://a", {".": 7})),
            b'{"keytype":"NOOP","magic":0}',
            b'{"leader":"http://a","ids":{".":7}}',
            LeaderRecord("http://a", {".": 7}),
        ),
    ],
)
def test_the_other_records_are_written_as_confluent_writes_them(written, key, value, change):
    """Modes, deletions, contexts and what announces a leader."""
    assert written == (key, value)
    assert parse_record(key, value) == change


metadata = st.none() | st.builds(
    Metadata,
    st.none() | st.dictionaries(st.text(), st.lists(st.text(), max_size=3), max_size=2),
    st.none() | st.dictionaries(st.text(), st.text(), max_size=2),
    st.none() | st.lists(st.text(), max_size=2),
)
references = st.lists(st.builds(Reference, st.text(), st.text(), st.integers(1, 9)), max_size=2).map(tuple)


@given(
    st.builds(
        SchemaVersion,
        st.text(),
        st.integers(1, 2**31 - 1),
        st.integers(0, 2**31 - 1),
        st.text(),
        deleted=st.booleans(),
        schema_type=st.sampled_from(["AVRO", "JSON"]),
        references=references,
        metadata=metadata,
    )
)
def test_a_version_that_was_written_is_read_again(version):
    """Whatever its subject and text hold, and with the guid it had."""
    read = parse_record(*encode_version(version))
    assert read == SchemaRecord(version.subject, version.version, version)
    assert read.value.guid == version.guid


def test_a_deletion_of_a_subject_is_read_and_its_own_tombstone_changes_nothing():
    """It names the last version that goes."""
    key = b'{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}'
    assert parse_record(key, b'{"subject":"s","version":4}') == SubjectDeleted("s", 4)
    assert parse_record(key, None) is None
    assert parse_record(b'{"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}', None) is None


def test_confluents_own_noop_announces_nobody():
    """Its value is null, or something that is not ours."""
    assert parse_record(b'{"keytype":"NOOP","magic":0}', None) == LeaderRecord()
    assert parse_record(b'{"keytype":"NOOP","magic":0}', b"{}") == LeaderRecord()


def test_a_version_that_is_taken_away_is_a_tombstone():
    """The key alone says which."""
    assert parse_record(encode_version(AVRO)[0], None) == SchemaRecord("orders-value", 3, None)


def test_members_that_are_not_known_are_passed_over():
    """Later versions of Confluent's registry write more."""
    key, value = encode_version(AVRO)
    more = json.loads(value) | {"guid": "x", "ruleSet": None, "metadata": None, "ts": 1, "offset": 3, "md5": "x"}
    assert parse_record(key, json.dumps(more).encode()) == SchemaRecord("orders-value", 3, AVRO)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (None, b"{}", "truncated"),
        (b"x", b"{}", "malformed"),
        (b"{}", b"{}", "keytype"),
        (b'{"keytype":"SCHEMA"}', b"{}", "names no subject"),
        (b'{"keytype":"WHAT","subject":"s"}', b"{}", "'WHAT' is no kind of record"),
        (b'{"keytype":"SCHEMA","subject":"s","version":1}', b"{}", "required field `subject`"),
        (encode_version(AVRO)[0], encode_version(PROTO)[1], "key and value disagree"),
        (b'{"keytype":"CONFIG","subject":"s"}', b'{"compatibilityLevel":"UP"}', "'UP' is no compatibility level"),
        (b'{"keytype":"MODE","subject":"s"}', b'{"mode":"ASLEEP"}', "'ASLEEP' is no mode"),
        (b'{"keytype":"MODE","subject":"s"}', b"{}", "required field `mode`"),
        (b'{"keytype":"DELETE_SUBJECT","subject":"s"}', b"{}", "required field `version`"),
        (b'{"keytype":"DELETE_SUBJECT"}', b'{"version":1}', "names no subject"),
        (b'{"keytype":"NOOP"}', b'{"ids":[]}', "Expected `object`"),
        (b'{"keytype":' + b"[" * 200_000, b"{}", "deep|depth|Expected"),
        (b'{"keytype":"NOOP","subject":"\xed\xa0\x80"}', None, "utf-8"),
    ],
)
def test_garbage_is_refused_with_its_reason(key, value, reason):
    """One ValueError, whatever the bytes."""
    with pytest.raises(ValueError, match=reason):
        parse_record(key, value)


@given(st.none() | st.binary(max_size=100), st.none() | st.binary(max_size=100))
def test_random_bytes_are_a_record_or_refused(key, value):
    """Nothing else is ever raised."""
    try:
        parse_record(key, value)
    except ValueError as error:
        assert str(error) != ""  # noqa: PT017


@given(
    st.sampled_from(["SCHEMA", "CONFIG", "MODE", "DELETE_SUBJECT", "CLEAR_SUBJECT", "CONTEXT", "NOOP", "X"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["subject", "version", "id", "schema", "mode", "ids", "leader", "references", "metadata"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ),
)
def test_any_json_in_a_record_is_read_or_refused(kind, value):
    """Known members of the wrong kind are garbage too."""
    key = json.dumps({"keytype": kind, "subject": "s", "version": 1, "magic": 1}).encode()
    try:
        parse_record(key, json.dumps(value).encode())
    except ValueError as error:
        assert str(error) != ""  # noqa: PT017
