"""The log over HTTP: its files as C2SP tlog-tiles serves them, and proofs for those who do not read tiles.

GET /checkpoint                                     the signed note
GET /tile/<L>/<N>[.p/<W>]  /tile/entries/<N>[...]   hash tiles, entry bundles
GET /v1/receipts/proof?leaf=<hex>                   tlog-proof; 202 not yet covered; 404 not known (yet)
GET /v1/proofs/inclusion?leaf=<hex>[&size=<n>]      {"index", "size", "path": [base64]}; also ?index=<n>
GET /v1/proofs/consistency?old=<n>[&new=<n>]        {"old", "new", "path": [base64]}
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exchange.audit.store import LogStore
from exchange.errors import AuditError, ExchangeError, ProofInvalid
from exchange.merkle import TlogProof, parse_decimal
from exchange.transport.web import Readiness, malformed, operational_routes, problem_response

HOP = "audit"
_LEAF = re.compile(r"[0-9a-f]{64}")
_TEXT = "text/plain; charset=utf-8"
_IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}
_FRESH = {"cache-control": "no-cache, max-age=0"}


def create_app(store: LogStore, is_pending: Callable[[bytes], bool], not_ready: Readiness) -> Starlette:
    """The application over one log; `is_pending` tells leaves that the next checkpoint will cover."""
    served = _Endpoints(store, is_pending)
    routes = [
        Route("/checkpoint", served.checkpoint),
        Route("/tile/{path:path}", served.tile),
        Route("/v1/receipts/proof", served.receipt_proof),
        Route("/v1/proofs/inclusion", served.inclusion),
        Route("/v1/proofs/consistency", served.consistency),
        *operational_routes(not_ready),
    ]
    return Starlette(routes=routes, exception_handlers={ExchangeError: _problem})


class _Endpoints:
    def __init__(self, store: LogStore, is_pending: Callable[[bytes], bool]) -> None:
        self._store = store
        self._is_pending = is_pending

    async def checkpoint(self, _: Request) -> Response:
        return Response(self._store.published.note, media_type=_TEXT, headers=_FRESH)

    async def tile(self, request: Request) -> Response:
        try:
            data = self._store.tile(f"tile/{request.path_params['path']}")
        except ProofInvalid as error:
            return PlainTextResponse(f"{error.message}\n", 404)
        if data is None:
            return PlainTextResponse("no such tile\n", 404)
        return Response(data, media_type="application/octet-stream", headers=_IMMUTABLE)

    async def receipt_proof(self, request: Request) -> Response:
        leaf = _leaf(request)
        published = self._store.published
        index = self._store.find(leaf)
        if index is not None and index < published.size:
            path = self._store.inclusion(index, published.size)
            proof = TlogProof(index, tuple(path), published.note).encode()
            return Response(proof, media_type=_TEXT, headers=_FRESH)
        if index is not None or self._is_pending(leaf):
            return Response(b'{"status":"pending"}', 202, media_type="application/json", headers={"retry-after": "1"})
        raise _not_found(leaf)

    async def inclusion(self, request: Request) -> Response:
        size = _number(request, "size", self._store.published.size)
        index = self._index(request)
        return _json({"index": index, "size": size, "path": _base64(_within(self._store.inclusion, index, size))})

    async def consistency(self, request: Request) -> Response:
        old, new = _number(request, "old"), _number(request, "new", self._store.published.size)
        return _json({"old": old, "new": new, "path": _base64(_within(self._store.consistency, old, new))})

    def _index(self, request: Request) -> int:
        if "index" in request.query_params:
            return _number(request, "index")
        leaf = _leaf(request)
        index = self._store.find(leaf)
        if index is None:
            raise _not_found(leaf)
        return index


def _leaf(request: Request) -> bytes:
    text = request.query_params.get("leaf", "")
    if _LEAF.fullmatch(text) is None:
        raise malformed("expected leaf=<64 hexadecimal digits>, the hash of a leaf")
    return bytes.fromhex(text)


def _number(request: Request, name: str, default: int | None = None) -> int:
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    try:
        return parse_decimal(text or "")
    except ProofInvalid:
        raise malformed(f"expected {name}=<decimal number>") from None


def _within(prove: Callable[[int, int], list[bytes]], first: int, second: int) -> list[bytes]:
    try:
        return prove(first, second)
    except ProofInvalid as error:
        raise malformed(error.message) from None


def _not_found(leaf: bytes) -> ExchangeError:
    return AuditError(f"the log has no leaf {leaf.hex()} (yet)", code="receipt_not_found")


def _base64(path: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(each).decode("ascii") for each in path]


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json", headers=_FRESH)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ExchangeError)  # noqa: S101  (the handler of this class)
    return problem_response(error, HOP)
