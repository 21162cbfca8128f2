"""One request of the registry's interface: its path, query and body, read as Confluent's registry reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope

from exchange.errors import ExchangeError, SchemaInvalid
from exchange.registry import subjects
from exchange.registry.entities import LATEST
from exchange.registry.http.routing import malformed
from exchange.transport.http import HttpRequest
from exchange.transport.web import http_request, read_body

_T = TypeVar("_T")
BODY_LIMIT = 8 << 20
"""The most bytes a request's body may have."""
_INTEGER = re.compile("[+-]?[0-9]{1,400}")


class ApiRequest:
    """A request whose route is known.

    `path` holds the route's parameters. `context` is what the path's prefix `/contexts/{context}` says. `alias` tells
    what a name of a subject stands for: mostly for itself.
    """

    __slots__ = ("_alias", "_body", "_context", "_pairs", "_path", "_receive", "_scope")

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        path: Mapping[str, str],
        context: str | None,
        alias: Callable[[str], str],
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._path = path
        self._context = context
        self._alias = alias
        self._pairs: list[tuple[str, str]] | None = None
        self._body: bytes | None = None

    # The path

    def text(self, name: str) -> str:
        """A parameter of the path."""
        return self._path[name]

    @property
    def subject(self) -> str:
        """The subject that the path names, with its context, and for an alias what it stands for."""
        return self._meant(self._path["subject"])

    @property
    def setting(self) -> str | None:
        """Whose configuration or mode the path names: a subject, a context, or None for the whole registry."""
        return self._qualified(self._path.get("subject", "")) or None

    @property
    def schema_id(self) -> int:
        """The id that the path names; no such resource where it is not a number."""
        return _int32(self._path["id"])

    @property
    def version(self) -> int:
        """The version that the path names; raises SchemaInvalid of code `version_invalid`."""
        text = self._path["version"]
        if text.strip().lower() == "latest":
            return LATEST
        try:
            number = _int32(text.strip())
        except ExchangeError:
            number = 0
        if number == LATEST or number > 0:
            return number
        raise SchemaInvalid(
            f"The specified version '{text}' is not a valid version id. "
            'Allowed values are between [1, 2^31-1] and the string "latest"',
            code="version_invalid",
        )

    # The query

    def flag(self, name: str) -> bool:
        """Whether a parameter is `true`; anything else is false."""
        return self._first(name).lower() == "true"

    def integer(self, name: str, default: int) -> int:
        """A number; `default` where it is missing or empty, no such resource where it is not one."""
        text = self._first(name)
        return default if not text.strip() else _int32(text)

    def option(self, name: str, default: str = "") -> str:
        """A text; `default` where it is missing."""
        return self._first(name, default)

    def every(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated."""
        return [value for key, value in self._query() if key == name]

    @property
    def within(self) -> str | None:
        """The subject, or the context, that the query narrows to; None for none."""
        return self._meant(self._first("subject")) or None

    def prefix(self, default: str) -> str:
        """The prefix of subjects that are asked for."""
        if self._context is None:
            return self._first("subjectPrefix", default)
        return self._in_context(self._first("subjectPrefix"))

    def page(self, found: Iterable[_T], limit: int) -> list[_T]:
        """What `offset` and `limit` ask for, at most `limit` of them."""
        start, asked = max(self.integer("offset", 0), 0), self.integer("limit", limit)
        return list(islice(found, start, start + (asked if 0 < asked <= limit else limit)))

    # The body and the rest

    async def body(self) -> bytes:
        """The whole body; raises an error of code `body_too_large` past BODY_LIMIT."""
        if self._body is None:
            self._body = await read_body(Request(self._scope, self._receive), BODY_LIMIT)
        return self._body

    async def read(self, kind: type[_T]) -> _T:
        """The body as JSON of a kind; members that are not known are ignored, numbers may be written as texts."""
        body = await self.body()
        try:
            value = msgspec.json.decode(body, type=kind | None, strict=False) if body.strip() else None
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise malformed(f"The request's body is not what this route takes: {error}") from None
        if value is None:
            raise ExchangeError("The request's body must not be null", code="body_missing")
        return value

    def header(self, name: bytes) -> str:
        """A header's value (`name` in lower case); empty where it is not there."""
        return next((value.decode("latin-1") for key, value in self._scope["headers"] if key == name), "")

    async def signed(self) -> HttpRequest:
        """What a signature covers, and what another replica is sent."""
        return http_request(Request(self._scope), await self.body())

    def _query(self) -> list[tuple[str, str]]:
        if self._pairs is None:
            text = bytes(self._scope["query_string"]).decode("utf-8", "replace")
            self._pairs = parse_qsl(text, keep_blank_values=True) if text else []
        return self._pairs

    def _first(self, name: str, default: str = "") -> str:
        if not self._scope["query_string"]:
            return default
        return next((value for key, value in self._query() if key == name), default)

    def _meant(self, name: str) -> str:
        subject = self._qualified(name)
        meant = self._alias(subject) if subject else subject
        return subject if meant == subject else subjects.in_context_of(subject, meant)

    def _qualified(self, name: str) -> str:
        return subjects.normalized(self._in_context(name))

    def _in_context(self, name: str) -> str:
        if self._context is None or name.startswith((":.", subjects.EVERY_CONTEXT)):
            return name
        return subjects.qualified(self._context, name)


def _int32(text: str) -> int:
    if _INTEGER.fullmatch(text) is None or not -(2**31) <= int(text) < 2**31:
        raise unknown_path()
    return int(text)


def unknown_path() -> ExchangeError:
    """Nothing is there."""
    return ExchangeError("HTTP 404 Not Found", code="path_not_found")
