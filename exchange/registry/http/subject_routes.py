"""Subjects and their versions over HTTP: listing, reading, looking up, registering, deleting."""

from __future__ import annotations

from exchange.registry.entities import SchemaRequest, SchemaVersion
from exchange.registry.http.answers import Answer, answer, registered
from exchange.registry.http.formats import described_as, formatted
from exchange.registry.http.request import ApiRequest
from exchange.registry.http.writes import Writes
from exchange.registry.service import RegistryService
from exchange.registry.subjects import EVERY_CONTEXT

LIST_LIMIT = 20_000
"""The most subjects, and versions of one, in an answer."""


class SubjectRoutes:
    """`/subjects` and below."""

    def __init__(self, service: RegistryService, writes: Writes) -> None:
        self._service = service
        self._writes = writes

    async def subjects(self, request: ApiRequest) -> Answer:
        """GET /subjects"""
        prefix = request.prefix(EVERY_CONTEXT)
        found = self._service.subjects(prefix, request.flag("deleted"), request.flag("deletedOnly"))
        return answer(request.page(found, LIST_LIMIT))

    async def lookup(self, request: ApiRequest) -> Answer:
        """POST /subjects/{subject}"""
        wanted = await request.read(SchemaRequest)
        normalize, deleted = request.flag("normalize"), request.flag("deleted")
        found = await self._service.lookup(request.subject, wanted, normalize, deleted)
        return answer(await described_as(request, self._service, found))

    async def latest_with_metadata(self, request: ApiRequest) -> Answer:
        """GET /subjects/{subject}/metadata"""
        wanted = dict(zip(request.every("key"), request.every("value"), strict=False))
        found = self._service.latest_with_metadata(request.subject, wanted, request.flag("deleted"))
        return answer(await described_as(request, self._service, found))

    async def delete(self, request: ApiRequest) -> Answer:
        """DELETE /subjects/{subject}"""
        subject, permanent = request.subject, request.flag("permanent")

        async def execute() -> Answer:
            return answer(await self._service.delete_subject(subject, permanent))

        return await self._writes.run(request, subject, execute)

    async def versions(self, request: ApiRequest) -> Answer:
        """GET /subjects/{subject}/versions"""
        found = self._service.versions(request.subject, request.flag("deleted"), request.flag("deletedOnly"))
        return answer(request.page(found, LIST_LIMIT))

    async def register(self, request: ApiRequest) -> Answer:
        """POST /subjects/{subject}/versions"""
        subject, normalize = request.subject, request.flag("normalize")
        wanted = await request.read(SchemaRequest)

        async def execute() -> Answer:
            made = registered(await self._service.register(subject, wanted, normalize))
            made.warnings = await self._warnings(request, subject, wanted)
            return answer(made)

        return await self._writes.run(request, subject, execute)

    async def version(self, request: ApiRequest) -> Answer:
        """GET /subjects/{subject}/versions/{version}"""
        found = self._version(request)
        return answer(await described_as(request, self._service, found))

    async def version_text(self, request: ApiRequest) -> Answer:
        """GET /subjects/{subject}/versions/{version}/schema"""
        found = self._version(request)
        return Answer((await formatted(request, self._service, found)).encode("utf-8", "surrogatepass"))

    async def referenced_by(self, request: ApiRequest) -> Answer:
        """GET /subjects/{subject}/versions/{version}/referencedby"""
        found = self._service.referenced_by(request.subject, request.version)
        return answer(request.page(found, LIST_LIMIT))

    async def delete_version(self, request: ApiRequest) -> Answer:
        """DELETE /subjects/{subject}/versions/{version}"""
        subject, number, permanent = request.subject, request.version, request.flag("permanent")

        async def execute() -> Answer:
            return answer(await self._service.delete_version(subject, number, permanent))

        return await self._writes.run(request, subject, execute)

    def _version(self, request: ApiRequest) -> SchemaVersion:
        return self._service.version(request.subject, request.version, request.flag("deleted"))

    async def _warnings(self, request: ApiRequest, subject: str, wanted: SchemaRequest) -> list[str] | None:
        asked = request.header(b"exchange-lint") == "warn" or request.flag("lint")
        return await self._service.lint(subject, wanted) if asked else None
