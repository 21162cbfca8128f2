"""Serving an ASGI application on granian, inside the process's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from granian.constants import Interfaces
from granian.server.embed import Server
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from exchange.errors import SettingsError
from exchange.transport.ports import why_taken

Readiness = Callable[[], str | None]
"""None when ready; else, in one line, what is missing."""


def operational_routes(not_ready: Readiness = lambda: None) -> list[Route]:
    """`/healthz` (the process lives), `/readyz` (it can do its work), `/metrics` (Prometheus text)."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        missing = not_ready()
        return PlainTextResponse("ready\n") if missing is None else PlainTextResponse(f"{missing}\n", 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


@asynccontextmanager
async def serve(app: ASGIApp, listen: str) -> AsyncIterator[None]:
    """Serve `app` at `listen` (HOST:PORT) while the block runs; raises SettingsError where the port is taken."""
    host, _, port = listen.rpartition(":")
    _require_free(host, int(port))
    server = Server(app, address=host, port=int(port), interface=Interfaces.ASGI, log_enabled=False)
    running = asyncio.create_task(server.serve())
    try:
        await _accepting(host, int(port), running)
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await running


def _require_free(host: str, port: int) -> None:
    reason = why_taken(host, port)
    if reason is not None:
        raise SettingsError(f"cannot listen at {host}:{port}: {reason}; end what uses it, or set another address")


async def _accepting(host: str, port: int, running: asyncio.Task[None]) -> None:
    while not running.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        await writer.wait_closed()
        return
    await running
