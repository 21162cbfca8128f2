"""The registry's HTTP interface: Confluent Schema Registry's routes over RegistryService."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.errors import ExchangeError, SchemaInvalid, SchemaNotFound
from exchange.registry.answers import answer, refuse, refuse_error, schema_body, schema_text, version_body
from exchange.registry.metrics import REQUESTS
from exchange.registry.ports import Authenticator
from exchange.registry.service import LATEST, RegistryService
from exchange.transport.web import http_request, operational_routes, read_body

log = structlog.get_logger()
_T = TypeVar("_T")
Handler = Callable[[Request], Awaitable[Response]]
BODY_LIMIT = 8 << 20
"""The most bytes a request's body may have."""


class _SchemaRequest(msgspec.Struct):
    schema: str | None = None
    schemaType: str | None = None  # noqa: N815  (Confluent's name)
    references: list[object] | None = None


class _LevelRequest(msgspec.Struct):
    compatibility: str | None = None


def build_app(service: RegistryService, authenticator: Authenticator) -> Starlette:
    """The application; `authenticator` admits or refuses each write, reading is open."""
    api = _Api(service, authenticator)
    paths: list[tuple[str, str, Handler]] = [
        ("GET", "/", api.root),
        ("GET", "/schemas/types", api.types),
        ("GET", "/schemas/ids/{id}", api.schema_by_id),
        ("GET", "/schemas/ids/{id}/schema", api.text_by_id),
        ("GET", "/schemas/ids/{id}/subjects", api.subjects_by_id),
        ("GET", "/schemas/ids/{id}/versions", api.versions_by_id),
        ("GET", "/subjects", api.subjects),
        ("POST", "/subjects/{subject}", api.lookup),
        ("GET", "/subjects/{subject}/versions", api.versions),
        ("POST", "/subjects/{subject}/versions", api.register),
        ("GET", "/subjects/{subject}/versions/{version}", api.version),
        ("GET", "/subjects/{subject}/versions/{version}/schema", api.version_text),
        ("POST", "/compatibility/subjects/{subject}/versions/{version}", api.check),
        ("POST", "/compatibility/subjects/{subject}/versions", api.check),
        ("GET", "/config", api.level),
        ("PUT", "/config", api.set_level),
        ("DELETE", "/config", api.delete_level),
        ("GET", "/config/{subject}", api.level),
        ("PUT", "/config/{subject}", api.set_level),
        ("DELETE", "/config/{subject}", api.delete_level),
        ("GET", "/mode", api.mode),
    ]
    routes = [*operational_routes(service.not_ready), *_by_path(paths, service)]
    return Starlette(routes=routes, exception_handlers={HTTPException: _plain_refusal})


class _Api:
    def __init__(self, service: RegistryService, authenticator: Authenticator) -> None:
        self._service = service
        self._authenticator = authenticator

    async def root(self, _: Request) -> Response:
        return answer({})

    async def types(self, _: Request) -> Response:
        return answer(["AVRO"])

    async def mode(self, _: Request) -> Response:
        return answer({"mode": "READWRITE"})

    async def schema_by_id(self, request: Request) -> Response:
        return answer(schema_body(self._service.by_id(_id(request))))

    async def text_by_id(self, request: Request) -> Response:
        return schema_text(self._service.by_id(_id(request)))

    async def subjects_by_id(self, request: Request) -> Response:
        return answer(sorted({each.subject for each in self._service.places(_id(request))}))

    async def versions_by_id(self, request: Request) -> Response:
        places = self._service.places(_id(request))
        return answer([{"subject": each.subject, "version": each.version} for each in places])

    async def subjects(self, _: Request) -> Response:
        return answer(self._service.subjects())

    async def versions(self, request: Request) -> Response:
        return answer([each.version for each in self._service.versions(_subject(request))])

    async def version(self, request: Request) -> Response:
        return answer(version_body(self._service.version(_subject(request), _version(request))))

    async def version_text(self, request: Request) -> Response:
        return schema_text(self._service.version(_subject(request), _version(request)))

    async def lookup(self, request: Request) -> Response:
        wanted = _schema_request(await read_body(request, BODY_LIMIT))
        found = await self._service.lookup(_subject(request), _text(wanted), wanted.schemaType)
        return answer(version_body(found))

    async def register(self, request: Request) -> Response:
        body = await self._admitted(request, _subject(request))
        wanted = _schema_request(body)
        schema_id = await self._service.register(_subject(request), _text(wanted), wanted.schemaType)
        return answer({"id": schema_id})

    async def check(self, request: Request) -> Response:
        wanted = _schema_request(await read_body(request, BODY_LIMIT))
        number = _version(request) if "version" in request.path_params else None
        lines = await self._service.check(_subject(request), _text(wanted), number, wanted.schemaType)
        body: dict[str, object] = {"is_compatible": not lines}
        if _flag(request, "verbose"):
            body["messages"] = lines
        return answer(body)

    async def level(self, request: Request) -> Response:
        level = self._service.level(request.path_params.get("subject"), _flag(request, "defaultToGlobal"))
        return answer({"compatibilityLevel": level})

    async def set_level(self, request: Request) -> Response:
        subject = request.path_params.get("subject")
        wanted = _decode(await self._admitted(request, subject), _LevelRequest)
        return answer({"compatibility": await self._service.set_level(subject, wanted.compatibility or "")})

    async def delete_level(self, request: Request) -> Response:
        subject = request.path_params.get("subject")
        await self._admitted(request, subject)
        return answer({"compatibilityLevel": await self._service.delete_level(subject)})

    async def _admitted(self, request: Request, subject: str | None) -> bytes:
        body = await read_body(request, BODY_LIMIT)
        self._authenticator.admit(http_request(request, body), subject)
        return body


def _by_path(paths: list[tuple[str, str, Handler]], service: RegistryService) -> list[Route]:
    """One route a path, so that a method it has not is answered 405."""
    handlers: dict[str, dict[str, Handler]] = {}
    for method, path, handler in paths:
        handlers.setdefault(path, {})[method] = handler
    return [Route(path, _endpoint(path, each, service), methods=list(each)) for path, each in handlers.items()]


def _endpoint(path: str, handlers: dict[str, Handler], service: RegistryService) -> Handler:
    async def endpoint(request: Request) -> Response:
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        response = await _answered(handler, request, service)
        REQUESTS.labels(path, str(response.status_code)).inc()
        return response

    return endpoint


async def _answered(handler: Handler, request: Request, service: RegistryService) -> Response:
    try:
        service.require_ready()
        return await handler(request)
    except ExchangeError as error:
        return refuse_error(error)
    except Exception:
        log.exception("registry_request_failed", path=request.url.path)
        return refuse(500, 50001, "Error in the backend data store")


async def _plain_refusal(_: Request, error: Exception) -> Response:
    """404 and 405 of the router, in JSON as everything else."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    phrases = {404: "HTTP 404 Not Found", 405: "HTTP 405 Method Not Allowed"}
    return refuse(status, status, phrases.get(status, f"HTTP {status}"))


def _subject(request: Request) -> str:
    return str(request.path_params["subject"])


def _id(request: Request) -> int:
    text = request.path_params["id"]
    if not text.isascii() or not text.isdigit():
        raise SchemaNotFound("HTTP 404 Not Found")
    return int(text[:12])


def _version(request: Request) -> int:
    text = request.path_params["version"]
    if text in ("latest", "-1"):
        return LATEST
    if text.isascii() and text.isdigit() and 1 <= int(text[:12]) < 2**31:
        return int(text[:12])
    raise SchemaInvalid(
        f"The specified version '{text}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"',
        code="version_invalid",
    )


def _schema_request(body: bytes) -> _SchemaRequest:
    wanted = _decode(body, _SchemaRequest)
    if wanted.references:
        raise SchemaInvalid("Schema references are not taken yet: write the referenced types into the schema")
    return wanted


def _text(wanted: _SchemaRequest) -> str:
    if not wanted.schema:
        raise SchemaInvalid("Empty schema")
    return wanted.schema


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SchemaInvalid(f"The request's body is not what this route takes: {error}") from None


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"
