"""A real little provider over HTTP: it verifies request and grant, and answers from a table in memory.

The grant is verified with joserfc, an implementation that shares no line with the one that makes it.
"""

from __future__ import annotations

import asyncio
import base64
import warnings
from collections.abc import Callable
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import OKPKey
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from exchange.clock import Clock
from exchange.errors import ExchangeError, LookupFailed
from exchange.ids import AgencyId
from exchange.transport.http import Credentials, TransactionWindow
from exchange.transport.web import Call, SignedEndpoints
from exchange.trust import Directory, PublicKey

PEOPLE = {
    "301234567": {"standing": "good", "debt_uzs": 0, "legal_name": "Acme MChJ"},
    "31507850010019": {"region_code": "26", "district_code": "1703", "address": "Navoiy 1"},
}


def grant_claims(grant: str, gateway: PublicKey) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a grant, its signature verified by joserfc."""
    x = base64.urlsafe_b64encode(gateway.raw).decode().rstrip("=")
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # RFC 9864 would rather have it called Ed25519; RFC 8037's name is the profile's
        decoded = jwt.decode(grant, key, algorithms=["EdDSA"])
    return dict(decoded.header), dict(decoded.claims)


class FakeProvider:
    """`app` is what to serve. `behave` replaces how it answers: `(fields) -> dict`, or an error it raises."""

    def __init__(self, agency: Credentials, directory: Callable[[], Directory], clock: Clock) -> None:
        self.grants: list[dict[str, Any]] = []
        self.behave: Callable[[dict[str, Any]], Any] | None = None
        self._agency = agency
        self._directory = directory
        signed = SignedEndpoints("provider", directory, agency, clock, TransactionWindow(clock.now()))
        self.app = Starlette(routes=[Route("/v1/lookups", signed(self._answer), methods=["POST"])])

    async def _answer(self, call: Call) -> Response:
        asked = msgspec.json.decode(call.body)
        gateway = self._directory().agency(AgencyId.parse(str(call.sender.agency)))
        header, claims = grant_claims(asked["grant"], gateway.keys[0].public)
        assert header["typ"] == "exchange-grant+jwt"
        assert claims["jti"] == call.sender.transaction_id
        self.grants.append(claims)
        person = PEOPLE.get(asked["individual"]["value"])
        if person is None:
            raise LookupFailed("no such individual here", code="individual_not_found")
        data = {name: person[name] for name in asked["fields"]}
        if self.behave is not None:
            data = self.behave(data)
            if asyncio.iscoroutine(data):
                data = await data
        if isinstance(data, ExchangeError):
            raise data
        if isinstance(data, bytes):
            return Response(data, media_type="application/json")
        return Response(msgspec.json.encode({"data": data}), media_type="application/json")
