"""The lookup provider's HTTP interface: POST /v1/lookups, for gateways only (spec 6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from exchange.connect import metrics
from exchange.connect.grant import Grant, UsedGrants, verify_grant
from exchange.connect.ports import AdapterContext
from exchange.connect.provider import LookupTable
from exchange.errors import AccessDenied, AdapterError, ExchangeError, TransportError
from exchange.ids import AgencyId, Identifier
from exchange.transport.http import Credentials, TransactionWindow
from exchange.transport.web import Call, Readiness, SignedEndpoints, malformed, operational_routes

log = structlog.get_logger()


class _Individual(msgspec.Struct, forbid_unknown_fields=True):
    scheme: str
    value: str


class LookupRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What a gateway sends: the grant, whose record, which of the granted fields."""

    grant: str
    individual: _Individual
    fields: list[str]


def provider_app(
    table: LookupTable, agency: AgencyId, context: AdapterContext, not_ready: Readiness = lambda: None
) -> Starlette:
    """The application of one service; its problems say `hop: provider`."""
    credentials = Credentials(agency, context.signer)
    window = TransactionWindow(context.clock.now())
    signed = SignedEndpoints("provider", context.directory, credentials, context.clock, window)
    lookups = _lookups(table, context, UsedGrants())
    return Starlette(routes=[Route("/v1/lookups", signed(lookups), methods=["POST"]), *operational_routes(not_ready)])


def _lookups(table: LookupTable, context: AdapterContext, used: UsedGrants) -> Callable[[Call], Awaitable[Response]]:
    async def lookups(call: Call) -> Response:
        try:
            return await _answer(call, table, context, used)
        except AdapterError as error:
            metrics.ERRORS.labels(error.code).inc()
            log.error("lookup_failed", service=str(table.id), code=error.code, reason=error.message)
            raise TransportError("the register cannot be read now", code=error.code) from None
        except ExchangeError as error:
            metrics.LOOKUPS.labels(str(table.id), error.code).inc()
            log.info("lookup_refused", service=str(table.id), code=error.code, transaction=call.sender.transaction_id)
            raise

    return lookups


async def _answer(call: Call, table: LookupTable, context: AdapterContext, used: UsedGrants) -> Response:
    """Steps in the order of spec 6; the request's signature was verified before."""
    request = _parse(call.body)
    now = context.clock.now()
    grant = verify_grant(
        request.grant,
        service=table.id,
        sender=call.sender.agency,
        transaction_id=call.sender.transaction_id,
        directory=context.directory(),
        now=now,
    )
    used.use(grant, now)
    _require_granted(request, grant)
    data = await table.find(Identifier(request.individual.scheme, request.individual.value), request.fields)
    metrics.LOOKUPS.labels(str(table.id), "answered").inc()
    return Response(msgspec.json.encode({"data": data}), media_type="application/json")


def _parse(body: bytes) -> LookupRequest:
    try:
        request = msgspec.json.decode(body, type=LookupRequest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise malformed("expected {grant, individual: {scheme, value}, fields}") from None
    if not request.fields:
        raise malformed("fields is empty: name at least one")
    return request


def _require_granted(request: LookupRequest, grant: Grant) -> None:
    for field in request.fields:
        if field not in grant.fields:
            raise AccessDenied(f"field {field[:100]} is not in the grant", code="field_not_granted")
