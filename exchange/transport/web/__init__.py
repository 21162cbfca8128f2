"""Serving HTTP: the server, problems, health and metrics, and endpoints that only agencies may call."""

from exchange.transport.ports import free_port
from exchange.transport.web.problem import (
    MEDIA_TYPE,
    malformed,
    problem_body,
    problem_response,
    read_body,
    status_of,
)
from exchange.transport.web.server import Readiness, operational_routes, serve
from exchange.transport.web.signed import Call, SignedEndpoints, http_request

__all__ = [
    "MEDIA_TYPE",
    "Call",
    "Readiness",
    "SignedEndpoints",
    "free_port",
    "http_request",
    "malformed",
    "operational_routes",
    "problem_body",
    "problem_response",
    "read_body",
    "serve",
    "status_of",
]
