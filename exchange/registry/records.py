"""Records of the topic `_schemas`, in Confluent's own JSON, so that the two registries can take each other's place.

    {"keytype":"SCHEMA","subject":S,"version":V,"magic":1}   {"subject":S,"version":V,"id":I,"schema":T,"deleted":B}
    {"keytype":"CONFIG","subject":S or null,"magic":0}       {"subject":S,"compatibilityLevel":L}
    {"keytype":"MODE","subject":S or null,"magic":0}         {"subject":S,"mode":M}
    {"keytype":"DELETE_SUBJECT","subject":S,"magic":0}       {"subject":S,"version":V}
    {"keytype":"CLEAR_SUBJECT","subject":S or null,"magic":0}   {"subject":S}
    {"keytype":"CONTEXT","tenant":"default","context":C,"magic":0}   {"tenant":"default","context":C}
    {"keytype":"NOOP","magic":0}                             {"leader":URL,"ids":{CONTEXT:I}}

A null value takes the key's record away. The order of a key's members is Confluent's: compaction compares bytes. The
value of NOOP is ours (Confluent ignores it): which replica writes, and the highest id ever given in each context, which
would otherwise be lost with a deleted schema.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from exchange.avro import LEVELS
from exchange.registry.entities import AVRO, Config, Metadata, Reference, RuleSet, SchemaVersion

MODES = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD")


class SchemaRecord(msgspec.Struct, frozen=True):
    """A subject's version was written, or taken away for good (`value` None)."""

    subject: str
    version: int
    value: SchemaVersion | None


class ConfigRecord(msgspec.Struct, frozen=True):
    """The configuration of a subject, or of all (`subject` None), was set, or taken back (`config` None)."""

    subject: str | None
    config: Config | None


class ModeRecord(msgspec.Struct, frozen=True):
    """The mode of a subject, or of all (`subject` None), was set, or taken back (`mode` None)."""

    subject: str | None
    mode: str | None


class SubjectDeleted(msgspec.Struct, frozen=True):
    """Every version of a subject up to `version` was deleted."""

    subject: str
    version: int


class SubjectsCleared(msgspec.Struct, frozen=True):
    """What was deleted of a subject, of a context, or (None) of all, was taken away for good."""

    subject: str | None


class ContextRecord(msgspec.Struct, frozen=True):
    """A context came to be, or (`exists` False) ended."""

    context: str
    exists: bool


class LeaderRecord(msgspec.Struct, frozen=True):
    """Which replica writes (its URL), and the highest id ever given, by context."""

    leader: str | None = None
    ids: dict[str, int] = {}


Change = SchemaRecord | ConfigRecord | ModeRecord | SubjectDeleted | SubjectsCleared | ContextRecord | LeaderRecord


class _Key(msgspec.Struct):
    keytype: str
    subject: str | None = None
    version: int = 0
    context: str = ""


class _Value(msgspec.Struct, rename="camel"):
    subject: str
    version: int
    id: int
    schema: str
    deleted: bool = False
    schema_type: str | None = AVRO
    references: tuple[Reference, ...] | None = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None


class _Mode(msgspec.Struct):
    mode: str


class _Deleted(msgspec.Struct):
    version: int


_key, _value, _config = msgspec.json.Decoder(_Key), msgspec.json.Decoder(_Value), msgspec.json.Decoder(Config)
_mode, _deleted, _leader = (
    msgspec.json.Decoder(_Mode),
    msgspec.json.Decoder(_Deleted),
    msgspec.json.Decoder(LeaderRecord),
)
_encode = msgspec.json.encode
Written = tuple[bytes, bytes | None]


def schema_key(subject: str, version: int) -> bytes:
    """The key of a version."""
    return _encode({"keytype": "SCHEMA", "subject": subject, "version": version, "magic": 1})


def encode_version(version: SchemaVersion) -> Written:
    """The key and value of a version."""
    value: dict[str, Any] = {"subject": version.subject, "version": version.version, "id": version.id}
    if version.schema_type != AVRO:
        value["schemaType"] = version.schema_type
    described = {"references": version.references, "metadata": version.metadata, "ruleSet": version.rule_set}
    value |= {name: each for name, each in described.items() if each}
    value |= {"schema": version.text, "deleted": version.deleted}
    return schema_key(version.subject, version.version), _encode(value)


def encode_config(subject: str | None, config: Config | None) -> Written:
    """The key and value of a configuration; None takes it back."""
    key = _encode({"keytype": "CONFIG", "subject": subject, "magic": 0})
    return key, None if config is None else _encode(_of(subject) | msgspec.to_builtins(config))


def encode_mode(subject: str | None, mode: str | None) -> Written:
    """The key and value of a mode; None takes it back."""
    key = _encode({"keytype": "MODE", "subject": subject, "magic": 0})
    return key, None if mode is None else _encode(_of(subject) | {"mode": mode})


def encode_subject_deleted(subject: str, version: int) -> Written:
    """The key and value that delete a subject's versions up to `version`."""
    key = _encode({"keytype": "DELETE_SUBJECT", "subject": subject, "magic": 0})
    return key, _encode({"subject": subject, "version": version})


def encode_subjects_cleared(subject: str | None) -> Written:
    """The key and value that take away for good what was deleted."""
    key = _encode({"keytype": "CLEAR_SUBJECT", "subject": subject, "magic": 0})
    return key, _encode(_of(subject))


def encode_context(context: str, exists: bool = True) -> Written:
    """The key and value of a context."""
    value = {"tenant": "default", "context": context}
    return _encode({"keytype": "CONTEXT", **value, "magic": 0}), _encode(value) if exists else None


def encode_leader(record: LeaderRecord) -> Written:
    """The key and value by which a replica announces that it writes."""
    return _encode({"keytype": "NOOP", "magic": 0}), _encode(record)


def parse_record(key: bytes | None, value: bytes | None) -> Change | None:
    """What a record says; None for what changes nothing. Raises ValueError for garbage, saying why."""
    try:
        return _parse(_key.decode(key or b""), value)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("JSON nested too deep") from None


def _parse(key: _Key, value: bytes | None) -> Change | None:
    parser = _PARSERS.get(key.keytype)
    if parser is None:
        raise ValueError(f"{key.keytype!r} is no kind of record")
    change: Change | None = parser(key, value)
    return change


def _schema(key: _Key, value: bytes | None) -> SchemaRecord:
    subject, version = _named(key), key.version
    if not value:
        return SchemaRecord(subject, version, None)
    raw = _value.decode(value)
    if (raw.subject, raw.version) != (subject, version) or not 1 <= version < 2**31 or not 0 <= raw.id < 2**31:
        raise ValueError("key and value disagree, or a number is out of range")
    kept = SchemaVersion(
        subject,
        version,
        raw.id,
        raw.schema,
        raw.deleted,
        raw.schema_type or AVRO,
        raw.references or (),
        raw.metadata,
        raw.rule_set,
    )
    return SchemaRecord(subject, version, kept)


def _deleted_subject(key: _Key, value: bytes | None) -> SubjectDeleted | None:
    return SubjectDeleted(_named(key), _deleted.decode(value).version) if value else None


def _configured(key: _Key, value: bytes | None) -> ConfigRecord:
    config = _config.decode(value) if value else None
    if config is not None and config.compatibility_level not in (None, *LEVELS):
        raise ValueError(f"{config.compatibility_level!r} is no compatibility level")
    return ConfigRecord(key.subject, config)


def _mode_set(key: _Key, value: bytes | None) -> ModeRecord:
    mode = _mode.decode(value).mode if value else None
    if mode not in (None, *MODES):
        raise ValueError(f"{mode!r} is no mode")
    return ModeRecord(key.subject, mode)


def _named(key: _Key) -> str:
    if key.subject is None:
        raise ValueError("the key names no subject")
    return sys.intern(key.subject)  # one text for a subject, however many versions it has


def _of(subject: str | None) -> dict[str, Any]:
    return {} if subject is None else {"subject": subject}


_PARSERS: dict[str, Any] = {
    "SCHEMA": _schema,
    "CONFIG": _configured,
    "MODE": _mode_set,
    "DELETE_SUBJECT": _deleted_subject,
    "CLEAR_SUBJECT": lambda key, value: SubjectsCleared(key.subject) if value else None,
    "CONTEXT": lambda key, value: ContextRecord(key.context, bool(value)),
    "NOOP": lambda key, value: _leader.decode(value) if value else LeaderRecord(),
}
