"""The registry as others in the exchange use it: a client of its HTTP interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from exchange.avro import RegisteredSchema, Schema
from exchange.clock import Clock
from exchange.errors import (
    ExchangeError,
    PeerUnreachable,
    RequestRefused,
    SchemaIncompatible,
    SchemaInvalid,
    SchemaNotFound,
    SchemaNotOwned,
)
from exchange.ids import uuid7
from exchange.registry.entities import Reference
from exchange.transport.http import Credentials, HttpClient, HttpResponse

_T = TypeVar("_T")
_HEADERS = {
    "accept": "application/vnd.schemaregistry.v1+json",
    "content-type": "application/vnd.schemaregistry.v1+json",
}
_LINTED = {**_HEADERS, "exchange-lint": "warn"}
_KINDS: dict[int, type[ExchangeError]] = {
    401: RequestRefused,
    403: SchemaNotOwned,
    404: SchemaNotFound,
    409: SchemaIncompatible,
    422: SchemaInvalid,
}


class Registration(msgspec.Struct, frozen=True):
    """A version of a subject, as the registry tells it."""

    subject: str
    version: int
    id: int
    schema: str
    references: tuple[Reference, ...] = ()


class Registered(msgspec.Struct, frozen=True):
    """What became of a registration: the schema's id and version, and what the house would have otherwise."""

    id: int
    version: int = 0
    warnings: list[str] = []


class _Error(msgspec.Struct):
    message: str


class _Text(msgspec.Struct):
    schema: str


class _Check(msgspec.Struct):
    is_compatible: bool
    messages: list[str] = []


class _Level(msgspec.Struct):
    compatibilityLevel: str = ""  # noqa: N815  (Confluent's name)


class RegistryClient:
    """Asks one registry. Reads need no `credentials`; writes are signed with them (spec 5).

    Every method raises PeerUnreachable (retriable) where no usable answer came.
    """

    def __init__(
        self,
        http: HttpClient,
        url: str,
        clock: Clock,
        credentials: Credentials | None = None,
        new_id: Callable[[], str] = uuid7,
    ) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._clock = clock
        self._credentials = credentials
        self._new_id = new_id

    async def schema(self, schema_id: int) -> RegisteredSchema:
        """The schema of an id, with what it refers to written out.

        Raises SchemaNotFound, or SchemaInvalid where it is not Avro as we read it.
        """
        answer = await self._send("GET", f"/schemas/ids/{schema_id}?format=resolved")
        return RegisteredSchema(schema_id, Schema.parse(self._as(answer, _Text).schema))

    async def lookup(self, subject: str, text: str) -> Registration:
        """The version of a subject that holds this schema; raises SchemaNotFound or SchemaInvalid."""
        answer = await self._send("POST", f"/subjects/{_path(subject)}", {"schema": text})
        return self._as(answer, Registration)

    async def version(self, subject: str, number: int | None = None, *, resolved: bool = False) -> Registration:
        """One version of a subject, or the newest (None); `resolved` has what it refers to written out.

        Raises SchemaNotFound.
        """
        form = "?format=resolved" if resolved else ""
        answer = await self._send("GET", f"/subjects/{_path(subject)}/versions/{number or 'latest'}{form}")
        return self._as(answer, Registration)

    async def versions(self, subject: str) -> list[int]:
        """The numbers of a subject's versions, oldest first; raises SchemaNotFound."""
        return self._as(await self._send("GET", f"/subjects/{_path(subject)}/versions"), list[int])

    async def subjects(self) -> list[str]:
        """Every subject."""
        return self._as(await self._send("GET", "/subjects"), list[str])

    async def check(self, subject: str, text: str) -> list[str]:
        """Why a schema may not be the subject's next version, as lines; empty if it may. Raises SchemaInvalid."""
        Schema.parse(text)  # the registry lists what is wrong with a schema among the reasons
        path = f"/compatibility/subjects/{_path(subject)}/versions?verbose=true"
        verdict = self._as(await self._send("POST", path, {"schema": text}), _Check)
        return [] if verdict.is_compatible else verdict.messages or ["the registry gives no reason"]

    async def level(self, subject: str) -> str:
        """The compatibility level that holds for a subject."""
        answer = await self._send("GET", f"/config/{_path(subject)}?defaultToGlobal=true")
        return self._as(answer, _Level).compatibilityLevel

    async def register(self, subject: str, text: str, references: Sequence[Reference] = ()) -> Registered:
        """The id and version of a schema in a subject, new or not, with warnings where the house would have it other.

        Raises SchemaInvalid, SchemaIncompatible, SchemaNotOwned or RequestRefused.
        """
        content = {"schema": text, "references": references} if references else {"schema": text}
        answer = await self._send_signed("POST", f"/subjects/{_path(subject)}/versions", content, _LINTED)
        return self._as(answer, Registered)

    async def set_level(self, subject: str, level: str) -> None:
        """Set a subject's compatibility level; raises as `register` does."""
        await self._send_signed("PUT", f"/config/{_path(subject)}", {"compatibility": level})

    async def _send(
        self, method: str, path: str, content: Any = None, headers: Mapping[str, str] = _HEADERS
    ) -> HttpResponse:
        body = b"" if content is None else msgspec.json.encode(content)
        try:
            return self._checked(await self._http.send(method, self._url + path, body, headers))
        except PeerUnreachable as error:
            raise self._unreachable(error.message) from None

    async def _send_signed(
        self, method: str, path: str, content: Any, headers: Mapping[str, str] = _HEADERS
    ) -> HttpResponse:
        if self._credentials is None:
            return await self._send(method, path, content, headers)
        body = msgspec.json.encode(content)
        try:
            answer = await self._http.send_signed(
                method, self._url + path, body, self._credentials, self._new_id(), self._clock, headers
            )
            return self._checked(answer)
        except PeerUnreachable as error:
            raise self._unreachable(error.message) from None

    def _checked(self, answer: HttpResponse) -> HttpResponse:
        if answer.status < 300:
            return answer
        try:
            message = msgspec.json.decode(answer.body, type=_Error).message
        except (msgspec.DecodeError, UnicodeError):
            raise PeerUnreachable(f"it answers {answer.status} without an error of a schema registry") from None
        if answer.status not in _KINDS:
            raise PeerUnreachable(f"it answers {answer.status}: {message}")
        raise _KINDS[answer.status](message)

    def _as(self, answer: HttpResponse, kind: type[_T]) -> _T:
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise self._unreachable(f"it answers what no schema registry does: {error}") from None

    def _unreachable(self, reason: str) -> PeerUnreachable:
        return PeerUnreachable(
            f"the schema registry at {self._url} does not serve: {reason}; start it (`exchange registry`), or correct "
            "the directory's registry_url"
        )


def _path(subject: str) -> str:
    return quote(subject, safe="")
