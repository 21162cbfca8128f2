"""The records of `_schemas`: byte for byte what Confluent's registry writes and reads."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.registry.records import (
    LevelRecord,
    SchemaRecord,
    SchemaVersion,
    SubjectDeleted,
    encode_level,
    encode_version,
    parse_record,
)

AVRO = SchemaVersion("orders-value", 3, 17, '{"type":"string"}')
PROTO = SchemaVersion(
    "p-value",
    1,
    2,
    'syntax = "proto3";',
    schema_type="PROTOBUF",
    references=({"name": "o", "subject": "o", "version": 1},),
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
    ],
)
def test_a_version_is_written_as_confluent_writes_it(version, key, value):
    """Compaction compares keys byte for byte: the order of members is part of the format."""
    assert encode_version(version) == (key, value)
    assert parse_record(key, value) == SchemaRecord(version.subject, version.version, version)


@pytest.mark.parametrize(
    ("subject", "level", "key", "value"),
    [
        (None, "FULL", b'{"keytype":"CONFIG","subject":null,"magic":0}', b'{"compatibilityLevel":"FULL"}'),
        ("a", "NONE", b'{"keytype":"CONFIG","subject":"a","magic":0}', b'{"compatibilityLevel":"NONE"}'),
        ("a", None, b'{"keytype":"CONFIG","subject":"a","magic":0}', None),
    ],
)
def test_a_level_is_written_as_confluent_writes_it(subject, level, key, value):
    """Null for all subjects; a null value takes it back."""
    assert encode_level(subject, level) == (key, value)
    assert parse_record(key, value) == LevelRecord(subject, level)


@given(
    st.builds(
        SchemaVersion,
        st.text(),
        st.integers(1, 2**31 - 1),
        st.integers(0, 2**31 - 1),
        st.text(),
        deleted=st.booleans(),
        schema_type=st.sampled_from(["AVRO", "JSON"]),
    )
)
def test_a_version_that_was_written_is_read_again(version):
    """Whatever its subject and text hold."""
    assert parse_record(*encode_version(version)) == SchemaRecord(version.subject, version.version, version)


@pytest.mark.parametrize("kind", ["NOOP", "MODE", "CONTEXT", "CLEAR_SUBJECT"])
def test_kinds_that_change_nothing_here_are_passed_over(kind):
    """They are Confluent's own business, and no garbage."""
    assert parse_record(json.dumps({"keytype": kind, "subject": "s", "magic": 0}).encode(), b"anything") is None


def test_a_deletion_of_a_subject_names_its_last_version():
    """Its own tombstone changes nothing."""
    key = b'{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}'
    assert parse_record(key, b'{"subject":"s","version":4}') == SubjectDeleted("s", 4)
    assert parse_record(key, None) is None


def test_a_version_that_is_taken_away_is_a_tombstone():
    """The key alone says which."""
    assert parse_record(encode_version(AVRO)[0], None) == SchemaRecord("orders-value", 3, None)


def test_members_that_are_not_known_are_passed_over():
    """Later versions of Confluent's registry write more."""
    key, value = encode_version(AVRO)
    more = json.loads(value) | {"guid": "x", "ruleSet": None, "metadata": {"tags": {}}, "ts": 1}
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
        (b'{"keytype":"CONFIG","subject":"s"}', b"{}", "required field `compatibilityLevel`"),
        (b'{"keytype":"DELETE_SUBJECT","subject":"s"}', b"{}", "required field `subject`"),
        (b'{"keytype":' + b"[" * 200_000, b"{}", "deep|depth|Expected"),
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
