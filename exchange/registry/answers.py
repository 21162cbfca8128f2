"""How the registry answers over HTTP: Confluent's media type, bodies and error codes."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from exchange.errors import (
    ExchangeError,
    RequestRefused,
    SchemaIncompatible,
    SchemaNotFound,
    SchemaNotOwned,
    TransportError,
    TrustError,
)
from exchange.registry.records import SchemaVersion

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"

_BY_CODE = {
    "subject_not_found": (404, 40401),
    "version_not_found": (404, 40402),
    "level_not_configured": (404, 40408),
    "version_invalid": (422, 42202),
    "level_invalid": (422, 42203),
    "subject_invalid": (422, 42208),
    "record_too_large": (422, 42209),
    "body_too_large": (422, 42209),
    "directory_expired": (503, 50301),
    "registry_not_ready": (503, 50301),
}
_BY_CLASS: tuple[tuple[type[ExchangeError], int, int], ...] = (
    (RequestRefused, 401, 40101),
    (TrustError, 401, 40101),
    (SchemaNotOwned, 403, 40301),
    (SchemaNotFound, 404, 40403),
    (SchemaIncompatible, 409, 409),
    (TransportError, 500, 50001),
    (ExchangeError, 422, 42201),
)
_MESSAGES = {
    "record_too_large": "Register operation failed because schema is too large",
    "body_too_large": "Register operation failed because schema is too large",
}


def answer(content: Any, status: int = 200) -> Response:
    """A response with a JSON body."""
    return Response(msgspec.json.encode(content), status, media_type=MEDIA_TYPE)


def schema_text(version: SchemaVersion) -> Response:
    """A response whose body is the schema itself."""
    return Response(version.text, media_type=MEDIA_TYPE)


def refuse(status: int, error_code: int, message: str) -> Response:
    """An error as Confluent writes it: `error_code` and `message`."""
    return answer({"error_code": error_code, "message": message}, status)


def refuse_error(error: ExchangeError) -> Response:
    """The response for an error of the exchange: by its code where that has one of its own, else by its class."""
    status, number = _BY_CODE.get(error.code) or next((s, n) for kind, s, n in _BY_CLASS if isinstance(error, kind))
    return refuse(status, number, _MESSAGES.get(error.code, error.message))


def version_body(version: SchemaVersion) -> dict[str, Any]:
    """A version with its subject, number, id and schema; `schemaType` only where it is not Avro."""
    body: dict[str, Any] = {"subject": version.subject, "version": version.version, "id": version.id}
    return body | schema_body(version)


def schema_body(version: SchemaVersion) -> dict[str, Any]:
    """A schema without its place."""
    body: dict[str, Any] = {"schema": version.text}
    if version.schema_type != "AVRO":
        body["schemaType"] = version.schema_type
    if version.references:
        body["references"] = version.references
    return body
