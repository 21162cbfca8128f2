"""The console over HTTP: one page, its style sheet, and the same figures as JSON. No script anywhere.

Every answer carries a content security policy under which a script that slipped into a label could not run.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchange.console.model import Page
from exchange.console.page import render_page
from exchange.transport.web import Readiness, operational_routes

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#12908a" stroke-width="2" '
    b'stroke-linecap="round" stroke-linejoin="round"><path d="M2 5h11l-3-3M14 11H3l3 3"/></svg>'
)


def build_app(
    pages: Callable[[], Page], refresh_seconds: int, not_ready: Readiness = lambda: None, version: str | None = None
) -> Starlette:
    """The application; `pages()` gives the figures as of now, `refresh_seconds` how often a browser asks again."""
    style = files(__package__).joinpath("page.css").read_bytes()

    async def page(request: Request) -> Response:
        live = request.query_params.get("live") != "off"
        headers = {"cache-control": "no-store"} | ({"refresh": str(refresh_seconds)} if live else {})
        text = render_page(pages(), live=live, refresh_seconds=refresh_seconds, version=version)
        return Response(text, media_type="text/html", headers=headers)

    async def throughput(_: Request) -> Response:
        return Response(
            msgspec.json.encode(pages()), media_type="application/json", headers={"cache-control": "no-store"}
        )

    async def css(_: Request) -> Response:
        return Response(style, media_type="text/css", headers={"cache-control": "max-age=60"})

    async def icon(_: Request) -> Response:
        return Response(_ICON, media_type="image/svg+xml", headers={"cache-control": "max-age=3600"})

    routes = [
        Route("/", page),
        Route("/api/throughput.json", throughput),
        Route("/page.css", css),
        Route("/icon.svg", icon),
        *operational_routes(not_ready),
    ]
    return Starlette(routes=routes, middleware=[Middleware(SecurityHeaders)])


class SecurityHeaders:
    """Adds the security headers to every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await self._app(scope, receive, send_with_headers)
