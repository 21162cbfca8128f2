"""Errors as RFC 9457 problems: the one table from error codes to HTTP statuses (spec 5)."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from exchange.errors import (
    AccessDenied,
    ConsentError,
    ExchangeError,
    IdentifierError,
    LookupFailed,
    SchemaError,
    SchemaNotFound,
    SchemaNotOwned,
    SettingsError,
    TransportError,
    TrustError,
)

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[ExchangeError], int], ...] = (
    (TrustError, 401),
    (AccessDenied, 403),
    (SchemaNotOwned, 403),
    (SchemaNotFound, 404),
    (ConsentError, 409),
    (SchemaError, 422),
    (IdentifierError, 422),
    (SettingsError, 422),
    (LookupFailed, 502),
    (TransportError, 503),
    (ExchangeError, 500),
)
_STATUS_OF_CODE = {
    "request_malformed": 400,
    "directory_expired": 503,
    "individual_not_found": 404,
    "consent_not_found": 404,
    "receipt_not_found": 404,
    "consent_view_stale": 503,
    "cap_exceeded": 429,
    "body_too_large": 413,
    "provider_timeout": 504,
    "audit_unavailable": 503,
    "key_unavailable": 503,
}


def status_of(error: ExchangeError) -> int:
    """The HTTP status of an error: by its code where that has one of its own, else by its class."""
    if error.code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[error.code]
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def problem_body(error: ExchangeError, hop: str, transaction_id: str | None = None) -> bytes:
    """The problem document: never a stack, a name or a value from the data. `receipt` where the refusal has one."""
    problem = {
        "type": f"urn:exchange:problem:{error.code}",
        "title": error.code.replace("_", " "),
        "status": status_of(error),
        "detail": error.message,
        "code": error.code,
        "hop": error.hop or hop,
        "transaction_id": transaction_id,
        "retriable": error.retriable,
    }
    return msgspec.json.encode(problem if error.receipt is None else {**problem, "receipt": error.receipt})


def problem_response(error: ExchangeError, hop: str, transaction_id: str | None = None) -> Response:
    """A response that carries `error`; `hop` is `consumer`, `gateway` or `provider`."""
    return Response(problem_body(error, hop, transaction_id), status_of(error), media_type=MEDIA_TYPE)


def malformed(message: str) -> ExchangeError:
    """A request that is not what the interface takes: 400."""
    return ExchangeError(message, code="request_malformed")


async def read_body(request: Request, limit: int = 1 << 20) -> bytes:
    """The whole body; raises an error of code `body_too_large` past `limit` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise ExchangeError(f"the body is larger than {limit} bytes", code="body_too_large")
        parts.append(part)
    return b"".join(parts)
