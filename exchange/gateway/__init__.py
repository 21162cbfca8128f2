"""The gateway: lookups, decided and recorded before anything is released, and the consent API (spec 6, 7)."""

from exchange.gateway.app import build_app
from exchange.gateway.caps import CapCounters
from exchange.gateway.client import ConsentResult, ConsentSubject, GatewayClient, LookupResult
from exchange.gateway.grant import Grant, sign_grant
from exchange.gateway.ports import AuditTrail, Provider, ProviderAnswer, Question
from exchange.gateway.provider import FAILURES
from exchange.gateway.service import GatewayContext, GatewayService

__all__ = [
    "FAILURES",
    "AuditTrail",
    "CapCounters",
    "ConsentResult",
    "ConsentSubject",
    "GatewayClient",
    "GatewayContext",
    "GatewayService",
    "Grant",
    "LookupResult",
    "Provider",
    "ProviderAnswer",
    "Question",
    "build_app",
    "sign_grant",
]
