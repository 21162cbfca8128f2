"""Configurations, modes and contexts over HTTP."""

from __future__ import annotations

import msgspec

from exchange.registry import subjects
from exchange.registry.entities import ConfigUpdate
from exchange.registry.http.answers import Answer, answer, updated
from exchange.registry.http.request import ApiRequest
from exchange.registry.http.writes import Writes
from exchange.registry.service import RegistryService

CONTEXTS_LIMIT = 20_000
"""The most contexts in an answer."""


class ModeUpdate(msgspec.Struct):
    """The body of a change of mode."""

    mode: str | None = None


class SettingRoutes:
    """`/config`, `/mode` and `/contexts`."""

    def __init__(self, service: RegistryService, writes: Writes) -> None:
        self._service = service
        self._writes = writes

    async def config(self, request: ApiRequest) -> Answer:
        """GET /config and /config/{subject}"""
        return answer(self._service.config(request.setting, request.flag("defaultToGlobal")))

    async def set_config(self, request: ApiRequest) -> Answer:
        """PUT /config and /config/{subject}"""
        subject, update = request.setting, await request.read(ConfigUpdate)

        async def execute() -> Answer:
            return updated(await self._service.set_config(subject, update))

        return await self._writes.run(request, subject, execute)

    async def delete_config(self, request: ApiRequest) -> Answer:
        """DELETE /config and /config/{subject}"""
        subject = request.setting

        async def execute() -> Answer:
            return answer(await self._service.delete_config(subject))

        return await self._writes.run(request, subject, execute)

    async def mode(self, request: ApiRequest) -> Answer:
        """GET /mode and /mode/{subject}"""
        return answer({"mode": self._service.mode(request.setting, request.flag("defaultToGlobal"))})

    async def set_mode(self, request: ApiRequest) -> Answer:
        """PUT /mode and /mode/{subject}"""
        subject, force = request.setting, request.flag("force")
        wanted = (await request.read(ModeUpdate)).mode or ""

        async def execute() -> Answer:
            await self._service.set_mode(subject, wanted, force)
            return answer({"mode": wanted})

        return await self._writes.run(request, subject, execute)

    async def delete_mode(self, request: ApiRequest) -> Answer:
        """DELETE /mode and /mode/{subject}"""
        subject, recursive = request.setting, request.flag("recursive")

        async def execute() -> Answer:
            return answer({"mode": await self._service.delete_mode(subject, recursive)})

        return await self._writes.run(request, subject, execute)

    async def contexts(self, request: ApiRequest) -> Answer:
        """GET /contexts"""
        return answer(request.page(self._service.contexts(request.option("contextPrefix")), CONTEXTS_LIMIT))

    async def delete_context(self, request: ApiRequest) -> Answer:
        """DELETE /contexts/{context}"""
        context = subjects.normalized_context(request.text("context"))

        async def execute() -> Answer:
            await self._service.delete_context(context)
            return Answer(b"", 204)

        return await self._writes.run(request, None, execute)
