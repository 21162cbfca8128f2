"""The registry's HTTP interface: Confluent Schema Registry's routes over RegistryService, as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog
from prometheus_client import Counter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from exchange.errors import ExchangeError, SchemaInvalid
from exchange.registry import subjects
from exchange.registry.http.answers import Answer, Header, refusal
from exchange.registry.http.check_routes import CheckRoutes
from exchange.registry.http.negotiation import V1, answered_in, is_read
from exchange.registry.http.request import ApiRequest, unknown_path
from exchange.registry.http.routing import Route, Router, decoded, malformed, segments_of
from exchange.registry.http.schema_routes import SchemaRoutes
from exchange.registry.http.server_routes import ServerRoutes
from exchange.registry.http.setting_routes import SettingRoutes
from exchange.registry.http.subject_routes import SubjectRoutes
from exchange.registry.http.writes import Forwarding, Writes
from exchange.registry.metrics import REQUESTS
from exchange.registry.ports import Authenticator
from exchange.registry.service import RegistryService
from exchange.transport.web import operational_routes

log = structlog.get_logger()
Handler = Callable[[ApiRequest], Awaitable[Answer]]
_OPERATIONAL = (b"/healthz", b"/readyz", b"/metrics")


def build_app(
    service: RegistryService,
    authenticator: Authenticator,
    replicas: Forwarding | None = None,
    kafka_cluster: str = "",
) -> ASGIApp:
    """The application; `authenticator` admits or refuses each write, reading is open.

    `replicas` has writes done by the one that writes; without it this process does. `kafka_cluster` is the id that
    `/v1/metadata/id` tells.
    """
    writes = Writes(service, authenticator, replicas)
    router: Router[Handler] = Router()
    for method, pattern, handler in (
        *_server_routes(ServerRoutes(kafka_cluster)),
        *_subject_routes(SubjectRoutes(service, writes)),
        *_schema_routes(SchemaRoutes(service)),
        *_check_routes(CheckRoutes(service)),
        *_setting_routes(SettingRoutes(service, writes)),
    ):
        router.add(method, pattern, handler)
    return _App(service, router)


_Routes = tuple[tuple[str, str, Handler], ...]


def _server_routes(server: ServerRoutes) -> _Routes:
    return (
        ("GET", "/", server.root),
        ("POST", "/", server.root),
        ("GET", "/contexts/{context}", server.root),
        ("POST", "/contexts/{context}", server.root),
        ("GET", "/v1/metadata/id", server.identity),
        ("GET", "/v1/metadata/version", server.version),
    )


def _subject_routes(subject: SubjectRoutes) -> _Routes:
    return (
        ("GET", "/subjects", subject.subjects),
        ("POST", "/subjects/{subject}", subject.lookup),
        ("DELETE", "/subjects/{subject}", subject.delete),
        ("GET", "/subjects/{subject}/metadata", subject.latest_with_metadata),
        ("GET", "/subjects/{subject}/versions", subject.versions),
        ("POST", "/subjects/{subject}/versions", subject.register),
        ("GET", "/subjects/{subject}/versions/{version}", subject.version),
        ("DELETE", "/subjects/{subject}/versions/{version}", subject.delete_version),
        ("GET", "/subjects/{subject}/versions/{version}/schema", subject.version_text),
        ("GET", "/subjects/{subject}/versions/{version}/referencedby", subject.referenced_by),
    )


def _schema_routes(schema: SchemaRoutes) -> _Routes:
    return (
        ("GET", "/schemas", schema.schemas),
        ("GET", "/schemas/types", schema.types),
        ("GET", "/schemas/ids/{id}", schema.schema),
        ("GET", "/schemas/ids/{id}/schema", schema.text),
        ("GET", "/schemas/ids/{id}/subjects", schema.subjects),
        ("GET", "/schemas/ids/{id}/versions", schema.versions),
        ("GET", "/schemas/guids/{guid}", schema.by_guid),
        ("GET", "/schemas/guids/{guid}/ids", schema.ids_of_guid),
    )


def _check_routes(check: CheckRoutes) -> _Routes:
    return (
        ("POST", "/compatibility/subjects/{subject}/versions", check.with_all),
        ("POST", "/compatibility/subjects/{subject}/versions/{version}", check.with_version),
    )


def _setting_routes(setting: SettingRoutes) -> _Routes:
    return (
        ("GET", "/config", setting.config),
        ("PUT", "/config", setting.set_config),
        ("DELETE", "/config", setting.delete_config),
        ("GET", "/config/{subject}", setting.config),
        ("PUT", "/config/{subject}", setting.set_config),
        ("DELETE", "/config/{subject}", setting.delete_config),
        ("GET", "/mode", setting.mode),
        ("PUT", "/mode", setting.set_mode),
        ("DELETE", "/mode", setting.delete_mode),
        ("GET", "/mode/{subject}", setting.mode),
        ("PUT", "/mode/{subject}", setting.set_mode),
        ("DELETE", "/mode/{subject}", setting.delete_mode),
        ("GET", "/contexts", setting.contexts),
        ("DELETE", "/contexts/{context}", setting.delete_context),
    )


class _App:
    """Routes, negotiates, and answers every error in the same way. What is not the interface's goes to Starlette."""

    def __init__(self, service: RegistryService, router: Router[Handler]) -> None:
        self._service = service
        self._router = router
        self._operational = Starlette(routes=list(operational_routes(service.not_ready)))
        self._counters: dict[tuple[str, int], Counter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["raw_path"] in _OPERATIONAL:
            await self._operational(scope, receive, send)
            return
        accept, content_type = _headers(scope)
        media = answered_in(accept)
        answer = await self._answer(scope, receive, media is not None, content_type)
        await _send(send, answer, media or V1, bodiless=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive, acceptable: bool, content_type: bytes) -> Answer:
        pattern = ""
        try:
            context, segments = _path(scope["raw_path"])
            route, values = self._found(segments)
            pattern = route.pattern
            request = ApiRequest(scope, receive, values, context, self._service.alias)
            answer = await self._handled(route, request, scope["method"], acceptable, content_type)
        except ExchangeError as error:
            answer = refusal(error)
        except ClientDisconnect:  # or a body that is not framed as it says: then someone still listens
            answer = refusal(malformed())
        except Exception:
            log.exception("registry_request_failed", route=pattern)
            answer = refusal(ExchangeError("Error in the backend data store", code="internal"))
        if pattern:
            self._count(pattern, answer.status)
        return answer

    def _found(self, segments: list[str]) -> tuple[Route[Handler], Mapping[str, str]]:
        found = self._router.find(segments)
        if found is None:
            raise unknown_path()
        return found

    async def _handled(
        self, route: Route[Handler], request: ApiRequest, method: str, acceptable: bool, content_type: bytes
    ) -> Answer:
        handler = route.by_method.get("GET" if method == "HEAD" else method)
        if handler is None:
            return _without_handler(route, method)
        if content_type and not is_read(content_type):
            raise ExchangeError("HTTP 415 Unsupported Media Type", code="media_type_unsupported")
        if not acceptable:
            raise ExchangeError("HTTP 406 Not Acceptable", code="not_acceptable")
        self._service.require_ready()
        return await handler(request)

    def _count(self, pattern: str, status: int) -> None:
        counter = self._counters.get((pattern, status))
        if counter is None:
            counter = self._counters[pattern, status] = REQUESTS.labels(pattern, str(status))
        counter.inc()


def _path(raw: bytes) -> tuple[str | None, list[str]]:
    """The context that the path's prefix says, and the segments after it."""
    segments = segments_of(raw.decode(errors="replace"))  # the server lets nothing through that is not UTF-8
    if len(segments) < 3 or segments[0] != "contexts":
        return None, segments
    try:
        return subjects.normalized_context(decoded(segments[1])), segments[2:]
    except SchemaInvalid as error:
        raise malformed(error.message) from None


def _headers(scope: Scope) -> tuple[bytes, bytes]:
    accept, content_type = b"", b""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = b"%b,%b" % (accept, value) if accept else value
        elif name == b"content-type":
            content_type = value
    return accept, content_type


def _without_handler(route: Route[Handler], method: str) -> Answer:
    allow: tuple[Header, ...] = ((b"allow", route.allowed.encode()),)
    if method == "OPTIONS":
        return Answer(b"", headers=allow)
    refused = refusal(ExchangeError("HTTP 405 Method Not Allowed", code="method_not_allowed"))
    return refused._replace(headers=allow)


async def _send(send: Send, answer: Answer, media: bytes, bodiless: bool) -> None:
    headers = [*answer.headers]
    if answer.status != 204:
        headers += ((b"content-type", media), (b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})
