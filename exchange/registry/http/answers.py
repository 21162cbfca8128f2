"""What the registry answers over HTTP: Confluent's bodies, statuses and error codes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from exchange.errors import (
    ExchangeError,
    PeerUnreachable,
    RequestRefused,
    SchemaIncompatible,
    SchemaNotFound,
    SchemaNotOwned,
    TransportError,
    TrustError,
)
from exchange.registry.entities import Config, Metadata, Reference, RuleSet, SchemaVersion

_BY_CODE = {
    "request_malformed": (400, 400),
    "path_not_found": (404, 404),
    "method_not_allowed": (405, 405),
    "not_acceptable": (406, 406),
    "media_type_unsupported": (415, 415),
    "body_missing": (422, 422),
    "subject_not_found": (404, 40401),
    "version_not_found": (404, 40402),
    "subject_soft_deleted": (404, 40404),
    "subject_not_soft_deleted": (404, 40405),
    "version_soft_deleted": (404, 40406),
    "version_not_soft_deleted": (404, 40407),
    "level_not_configured": (404, 40408),
    "mode_not_configured": (404, 40409),
    "version_invalid": (422, 42202),
    "level_invalid": (422, 42203),
    "mode_invalid": (422, 42204),
    "operation_not_permitted": (422, 42205),
    "reference_exists": (422, 42206),
    "id_mismatch": (422, 42207),
    "subject_invalid": (422, 42208),
    "record_too_large": (422, 42209),
    "body_too_large": (422, 42209),
    "rules_invalid": (422, 42210),
    "context_not_empty": (422, 42211),
    "broker_unreachable": (500, 50002),
    "forwarding_failed": (500, 50003),
    "leader_unknown": (500, 50004),
    "internal": (500, 50001),
    "directory_expired": (503, 50301),
    "registry_not_ready": (503, 50301),
}
_BY_CLASS: tuple[tuple[type[ExchangeError], int, int], ...] = (
    (RequestRefused, 401, 40101),
    (TrustError, 401, 40101),
    (SchemaNotOwned, 403, 40301),
    (SchemaNotFound, 404, 40403),
    (SchemaIncompatible, 409, 409),
    (PeerUnreachable, 500, 50003),
    (TransportError, 500, 50001),
    (ExchangeError, 422, 42201),
)
_MESSAGES = {
    "record_too_large": "Register operation failed because schema is too large",
    "body_too_large": "Register operation failed because schema is too large",
}
Header = tuple[bytes, bytes]


class Answer(NamedTuple):
    """An answer's body, status, and headers beside those of every answer."""

    body: bytes
    status: int = 200
    headers: tuple[Header, ...] = ()


class VersionAnswer(msgspec.Struct, rename="camel", omit_defaults=True):
    """A schema, and as far as it is asked for where it is."""

    subject: str | None = None
    version: int | None = None
    id: int | None = None
    guid: str | None = None
    schema_type: str | None = None
    references: Sequence[Reference] | None = None
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    schema: str | None = None
    deleted: bool | None = None
    max_id: int | None = None
    aliases: Sequence[str] | None = None
    warnings: Sequence[str] | None = None


class ErrorAnswer(msgspec.Struct):
    """An error as Confluent writes it."""

    error_code: int
    message: str


_encode = msgspec.json.Encoder().encode


def answer(content: Any) -> Answer:
    """An answer of JSON."""
    return Answer(_encode(content))


def described(version: SchemaVersion, text: str | None = None) -> VersionAnswer:
    """A version with its subject, number and id; `text` where the schema is written otherwise than it is kept."""
    made = unplaced(version, text)
    made.subject, made.version, made.id = version.subject, version.version, version.id
    return made


def registered(version: SchemaVersion) -> VersionAnswer:
    """A version without its subject."""
    made = unplaced(version)
    made.version, made.id, made.deleted = version.version, version.id, None
    return made


def unplaced(version: SchemaVersion, text: str | None = None) -> VersionAnswer:
    """A schema without its place."""
    return VersionAnswer(
        guid=_guid(version),
        schema_type=version.schema_type,
        references=version.references or None,
        metadata=version.metadata,
        rule_set=version.rule_set,
        schema=version.text if text is None else text,
        deleted=version.deleted or None,
    )


def _guid(version: SchemaVersion) -> str:
    is_plain = not version.references and version.metadata is None and version.rule_set is None
    return _plain_guid(version.text) if is_plain else version.guid


@lru_cache(maxsize=4096)
def _plain_guid(text: str) -> str:
    return SchemaVersion("", 0, 0, text).guid


def updated(config: Config) -> Answer:
    """What is configured after a change: the level goes by another name than where it is read."""
    content = msgspec.to_builtins(config)
    level = content.pop("compatibilityLevel", None)
    return answer(content if level is None else {**content, "compatibility": level})


def refusal(error: ExchangeError) -> Answer:
    """The answer to what was refused: by the error's code where that has one of its own, else by its class."""
    status, number = _BY_CODE.get(error.code) or next((s, n) for kind, s, n in _BY_CLASS if isinstance(error, kind))
    return Answer(_encode(ErrorAnswer(number, _MESSAGES.get(error.code, error.message))), status)
