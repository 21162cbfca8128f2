"""The gateway's HTTP interface: lookups and consents for agencies, health and metrics for operators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from exchange.consent import Changed, StoredConsent, consent_content
from exchange.gateway.consents import Consents
from exchange.gateway.lookup import Lookups
from exchange.gateway.messages import ConsentSelector, parse_consent_request, parse_selector
from exchange.gateway.ports import Receipt
from exchange.transport.http import VerifiedRequest
from exchange.transport.web import Call, Readiness, SignedEndpoints, operational_routes

Handler = Callable[[Call], Awaitable[Response]]


def build_app(lookups: Lookups, consents: Consents, signed: SignedEndpoints, not_ready: Readiness) -> Starlette:
    """`/v1/lookups`, `/v1/consents…`, `/healthz`, `/readyz`, `/metrics`."""
    handlers: dict[str, Handler] = {
        "/v1/lookups": _lookup(lookups),
        "/v1/consents": _give(consents),
        "/v1/consents/withdraw": _change(consents.withdraw),
        "/v1/consents/pause": _change(consents.pause),
        "/v1/consents/resume": _change(consents.resume),
        "/v1/consents/show": _show(consents),
    }
    routes = [Route(path, signed(handler), methods=["POST"]) for path, handler in handlers.items()]
    return Starlette(routes=[*routes, *operational_routes(not_ready)])


def _lookup(lookups: Lookups) -> Handler:
    async def handle(call: Call) -> Response:
        released = await lookups.answer(call.sender, call.body)
        return _json({"data": released.data, "receipt": released.receipt})

    return handle


def _give(consents: Consents) -> Handler:
    async def handle(call: Call) -> Response:
        return _changed(await consents.give(call.sender, parse_consent_request(call.body)))

    return handle


def _change(act: Callable[[VerifiedRequest, ConsentSelector], Awaitable[Changed]]) -> Handler:
    async def handle(call: Call) -> Response:
        return _changed(await act(call.sender, parse_selector(call.body)))

    return handle


def _show(consents: Consents) -> Handler:
    async def handle(call: Call) -> Response:
        return _consent(consents.show(call.sender, parse_selector(call.body)), None)

    return handle


def _changed(changed: Changed) -> Response:
    return _consent(changed.consent, changed.receipt)


def _consent(consent: StoredConsent, receipt: Receipt | None) -> Response:
    return _json({"consent": consent_content(consent.record), "digest": consent.digest, "receipt": receipt})


def _json(content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
