"""Schemas over HTTP: all of them, by id, and by what identifies their content everywhere."""

from __future__ import annotations

from exchange.registry.entities import AVRO, SchemaVersion
from exchange.registry.http.answers import Answer, VersionAnswer, answer, described
from exchange.registry.http.formats import formatted, unplaced_as
from exchange.registry.http.request import ApiRequest
from exchange.registry.service import RegistryService

SEARCH_LIMIT = 1_000
"""The most schemas in an answer."""
PLACES_LIMIT = 20_000
"""The most subjects and versions of one schema in an answer."""


class SchemaRoutes:
    """`/schemas` and below."""

    def __init__(self, service: RegistryService) -> None:
        self._service = service

    async def schemas(self, request: ApiRequest) -> Answer:
        """GET /schemas"""
        aliases = request.flag("aliases")
        found = self._service.schemas(
            request.prefix(""),
            deleted=request.flag("deleted"),
            latest_only=request.flag("latestOnly"),
            rule_type=request.option("ruleType") or None,
            aliases=aliases,
        )
        return answer([self._listed(each, aliases) for each in request.page(found, SEARCH_LIMIT)])

    async def types(self, request: ApiRequest) -> Answer:
        """GET /schemas/types"""
        return answer([AVRO])

    async def schema(self, request: ApiRequest) -> Answer:
        """GET /schemas/ids/{id}"""
        within = request.within
        found = self._service.by_id(request.schema_id, within)
        made = await unplaced_as(request, self._service, found)
        if within is not None:
            made.subject, made.version = found.subject, found.version
        if request.flag("fetchMaxId"):
            made.max_id = self._service.highest_id(found.subject)
        return answer(made)

    async def text(self, request: ApiRequest) -> Answer:
        """GET /schemas/ids/{id}/schema"""
        found = self._service.by_id(request.schema_id, request.within)
        return Answer((await formatted(request, self._service, found)).encode("utf-8", "surrogatepass"))

    async def subjects(self, request: ApiRequest) -> Answer:
        """GET /schemas/ids/{id}/subjects"""
        found = dict.fromkeys(each.subject for each in self._places(request))
        return answer(request.page(found, PLACES_LIMIT))

    async def versions(self, request: ApiRequest) -> Answer:
        """GET /schemas/ids/{id}/versions"""
        found = request.page(self._places(request), PLACES_LIMIT)
        return answer([{"subject": each.subject, "version": each.version} for each in found])

    async def by_guid(self, request: ApiRequest) -> Answer:
        """GET /schemas/guids/{guid}"""
        found = self._service.by_guid(request.text("guid"))
        return answer(await unplaced_as(request, self._service, found))

    async def ids_of_guid(self, request: ApiRequest) -> Answer:
        """GET /schemas/guids/{guid}/ids"""
        found = self._service.ids_of(request.text("guid"))
        return answer([{"context": context, "id": schema_id} for context, schema_id in found])

    def _places(self, request: ApiRequest) -> list[SchemaVersion]:
        return self._service.places(request.schema_id, request.within, request.flag("deleted"))

    def _listed(self, version: SchemaVersion, aliases: bool) -> VersionAnswer:
        made = described(version)
        if aliases:
            made.aliases = self._service.aliases_of(version.subject) or None
        return made
