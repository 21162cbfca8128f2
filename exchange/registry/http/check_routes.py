"""Compatibility over HTTP: whether a schema could be registered, and if not, why."""

from __future__ import annotations

from exchange.errors import SchemaInvalid
from exchange.registry.entities import SchemaRequest
from exchange.registry.http.answers import Answer, answer
from exchange.registry.http.request import ApiRequest
from exchange.registry.service import RegistryService


class CheckRoutes:
    """`/compatibility` and below."""

    def __init__(self, service: RegistryService) -> None:
        self._service = service

    async def with_version(self, request: ApiRequest) -> Answer:
        """POST /compatibility/subjects/{subject}/versions/{version}"""
        return await self._checked(request, request.version)

    async def with_all(self, request: ApiRequest) -> Answer:
        """POST /compatibility/subjects/{subject}/versions"""
        return await self._checked(request, None)

    async def _checked(self, request: ApiRequest, number: int | None) -> Answer:
        wanted = await request.read(SchemaRequest)
        verbose = request.flag("verbose")
        try:
            lines = await self._service.check(request.subject, wanted, number, request.flag("normalize"))
        except SchemaInvalid as error:
            if not verbose or error.code != SchemaInvalid.code:
                raise
            lines = [error.message]
        verdict = {"is_compatible": not lines}
        return answer({**verdict, "messages": lines} if verbose else verdict)
