"""Records of the topic `_schemas`, in Confluent's own JSON, so that the two registries can take each other's place.

    {"keytype":"SCHEMA","subject":S,"version":V,"magic":1}   {"subject":S,"version":V,"id":I,"schema":T,"deleted":B}
    {"keytype":"CONFIG","subject":S or null,"magic":0}        {"compatibilityLevel":L}
    {"keytype":"DELETE_SUBJECT","subject":S,"magic":0}        {"subject":S,"version":V}

A null value takes the key's record away. The order of a key's members is Confluent's: compaction compares bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec


class SchemaVersion(msgspec.Struct, frozen=True):
    """One version of a subject. `text` is the schema as it came; `references` is kept as it was written."""

    subject: str
    version: int
    id: int
    text: str
    deleted: bool = False
    schema_type: str = "AVRO"
    references: tuple[Any, ...] = ()


class SchemaRecord(msgspec.Struct, frozen=True):
    """A subject's version was written, or taken away for good (`value` None)."""

    subject: str
    version: int
    value: SchemaVersion | None


class LevelRecord(msgspec.Struct, frozen=True):
    """The compatibility level of a subject, or of all (`subject` None), was set, or taken back (`level` None)."""

    subject: str | None
    level: str | None


class SubjectDeleted(msgspec.Struct, frozen=True):
    """Every version of a subject up to `version` was deleted."""

    subject: str
    version: int


Change = SchemaRecord | LevelRecord | SubjectDeleted


class _Key(msgspec.Struct):
    keytype: str
    subject: str | None = None
    version: int = 0


class _Value(msgspec.Struct, rename={"schema_type": "schemaType"}):
    subject: str
    version: int
    id: int
    schema: str
    deleted: bool = False
    schema_type: str = "AVRO"
    references: tuple[Any, ...] = ()


class _Level(msgspec.Struct, rename={"level": "compatibilityLevel"}):
    level: str


class _Deleted(msgspec.Struct):
    subject: str
    version: int


_SILENT = frozenset({"NOOP", "MODE", "CONTEXT", "CLEAR_SUBJECT"})
_key, _value = msgspec.json.Decoder(_Key), msgspec.json.Decoder(_Value)
_level, _deleted = msgspec.json.Decoder(_Level), msgspec.json.Decoder(_Deleted)


def encode_version(version: SchemaVersion) -> tuple[bytes, bytes]:
    """The key and value of a version."""
    key = {"keytype": "SCHEMA", "subject": version.subject, "version": version.version, "magic": 1}
    value: dict[str, Any] = {"subject": version.subject, "version": version.version, "id": version.id}
    if version.schema_type != "AVRO":
        value["schemaType"] = version.schema_type
    if version.references:
        value["references"] = version.references
    value |= {"schema": version.text, "deleted": version.deleted}
    return msgspec.json.encode(key), msgspec.json.encode(value)


def encode_level(subject: str | None, level: str | None) -> tuple[bytes, bytes | None]:
    """The key and value of a compatibility level; None takes it back."""
    key = msgspec.json.encode({"keytype": "CONFIG", "subject": subject, "magic": 0})
    return key, None if level is None else msgspec.json.encode({"compatibilityLevel": level})


def parse_record(key: bytes | None, value: bytes | None) -> Change | None:
    """What a record says; None for kinds that change nothing here. Raises ValueError for garbage, saying why."""
    try:
        return _parse(_key.decode(key or b""), value)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("JSON nested too deep") from None


def _parse(key: _Key, value: bytes | None) -> Change | None:
    if key.keytype in _SILENT:
        return None
    if key.keytype == "CONFIG":
        return LevelRecord(key.subject, _level.decode(value).level if value else None)
    if key.subject is None:
        raise ValueError("the key names no subject")
    if key.keytype == "SCHEMA":
        return _schema_record(key.subject, key.version, value)
    if key.keytype == "DELETE_SUBJECT":
        return SubjectDeleted(key.subject, _deleted.decode(value).version) if value else None
    raise ValueError(f"{key.keytype!r} is no kind of record")


def _schema_record(subject: str, version: int, value: bytes | None) -> SchemaRecord:
    if not value:
        return SchemaRecord(subject, version, None)
    raw = _value.decode(value)
    if (raw.subject, raw.version) != (subject, version) or version < 1 or not 0 <= raw.id < 2**31:
        raise ValueError("key and value disagree, or a number is out of range")
    return SchemaRecord(
        subject,
        version,
        SchemaVersion(subject, version, raw.id, raw.schema, raw.deleted, raw.schema_type, raw.references),
    )
