"""How a schema and its references are written in an answer: as they are kept, or as the query asks."""

from __future__ import annotations

import msgspec

from exchange.registry.entities import Reference, SchemaVersion
from exchange.registry.http.answers import VersionAnswer, described, unplaced
from exchange.registry.http.request import ApiRequest
from exchange.registry.service import RegistryService
from exchange.registry.subjects import in_context_of


async def formatted(request: ApiRequest, service: RegistryService, version: SchemaVersion) -> str:
    """The text of a version in the `format` that is asked for."""
    wanted = request.option("format").strip()
    return await service.formatted(version, wanted) if wanted else version.text


async def described_as(request: ApiRequest, service: RegistryService, version: SchemaVersion) -> VersionAnswer:
    """A version with its place, as the query asks."""
    return described(_referring(request, version), await formatted(request, service, version))


async def unplaced_as(request: ApiRequest, service: RegistryService, version: SchemaVersion) -> VersionAnswer:
    """A schema without its place, as the query asks."""
    return unplaced(_referring(request, version), await formatted(request, service, version))


def _referring(request: ApiRequest, version: SchemaVersion) -> SchemaVersion:
    """The references as they came, or (`referenceFormat=qualified`) each with its context."""
    if not version.references or request.option("referenceFormat").lower() != "qualified":
        return version
    qualified = [
        Reference(each.name, in_context_of(version.subject, str(each.subject)), each.version)
        for each in version.references
    ]
    return msgspec.structs.replace(version, references=tuple(qualified))
