"""Schemas that were fetched from the registry, kept: what every publisher and subscriber reads them from."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from exchange.avro import RegisteredSchema, Schema
from exchange.errors import SchemaError, SchemaNotFound
from exchange.registry.client import RegistryClient


class SchemaCache:
    """Schemas by id, and ids by subject and schema: at most `limit` of each, the least recently used go first."""

    def __init__(self, client: RegistryClient, limit: int = 10_000) -> None:
        self._client = client
        self._limit = limit
        self._schemas: OrderedDict[int, RegisteredSchema] = OrderedDict()
        self._resolved: OrderedDict[tuple[str, bytes], RegisteredSchema] = OrderedDict()
        self._loading: dict[int, asyncio.Task[None]] = {}

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """The schema of an id that was loaded; None otherwise."""
        found = self._schemas.get(schema_id)
        if found is not None:
            self._schemas.move_to_end(schema_id)
        return found

    async def load(self, ids: Iterable[int]) -> None:
        """Fetch those that are missing. An id the registry does not know, or not as Avro, stays missing.

        Raises PeerUnreachable.
        """
        missing = {each for each in ids if each not in self._schemas}
        tasks = [self._loading.get(each) or self._begin(each) for each in missing]
        for outcome in await asyncio.gather(*map(asyncio.shield, tasks), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def resolve(self, subject: str, schema_text: str) -> RegisteredSchema:
        """The registered schema of a text; raises SchemaNotFound (registered first), SchemaInvalid, PeerUnreachable."""
        schema = Schema.parse(schema_text)
        known = self._resolved.get((subject, schema.canonical))
        if known is not None:
            self._resolved.move_to_end((subject, schema.canonical))
            return known
        found = RegisteredSchema(await self._id_of(subject, schema_text), schema)
        self._keep(self._resolved, (subject, schema.canonical), found)
        self._keep(self._schemas, found.id, found)
        return found

    async def _id_of(self, subject: str, text: str) -> int:
        try:
            return (await self._client.lookup(subject, text)).id
        except SchemaNotFound:
            raise SchemaNotFound(
                f"the schema is not registered under {subject}: its owner registers it first "
                "(`exchange schema register FILE --topic TOPIC`)"
            ) from None

    def _begin(self, schema_id: int) -> asyncio.Task[None]:
        task = asyncio.create_task(self._fetch(schema_id))
        self._loading[schema_id] = task
        task.add_done_callback(lambda _: self._loading.pop(schema_id, None))
        return task

    async def _fetch(self, schema_id: int) -> None:
        try:
            self._keep(self._schemas, schema_id, await self._client.schema(schema_id))
        except SchemaError:
            return

    def _keep(self, cache: OrderedDict[Any, RegisteredSchema], key: Any, schema: RegisteredSchema) -> None:
        cache[key] = schema
        if len(cache) > self._limit:
            cache.popitem(last=False)
