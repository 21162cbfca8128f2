"""HTTP between agencies: the client, and RFC 9421 signatures in the profile of spec 5."""

from exchange.transport.http.client import HttpClient
from exchange.transport.http.response import HttpResponse
from exchange.transport.http.signatures import (
    Credentials,
    HttpRequest,
    TransactionWindow,
    VerifiedRequest,
    authority_of,
    content_digest,
    sign_request,
    sign_response,
    verify_request,
    verify_response,
)

__all__ = [
    "Credentials",
    "HttpClient",
    "HttpRequest",
    "HttpResponse",
    "TransactionWindow",
    "VerifiedRequest",
    "authority_of",
    "content_digest",
    "sign_request",
    "sign_response",
    "verify_request",
    "verify_response",
]
