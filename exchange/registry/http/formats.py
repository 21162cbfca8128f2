"""How a schema's text is written in an answer: as it is kept, or as the query's `format` asks."""

from __future__ import annotations

from exchange.registry.entities import SchemaVersion
from exchange.registry.http.request import ApiRequest
from exchange.registry.service import RegistryService


async def formatted(request: ApiRequest, service: RegistryService, version: SchemaVersion) -> str:
    """The text of a version in the format that is asked for."""
    wanted = request.option("format").strip()
    return await service.formatted(version, wanted) if wanted else version.text
