"""A schema registry in memory: what a publisher resolves with and a subscriber loads from."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.avro import RegisteredSchema, Schema
from exchange.errors import PeerUnreachable, SchemaNotFound


class FakeRegistry:
    """The registry itself: ids by subject; `away` makes every question fail as a registry that is down does."""

    def __init__(self) -> None:
        self.away = 0
        self._by_id: dict[int, RegisteredSchema] = {}
        self._by_subject: dict[tuple[str, Schema], RegisteredSchema] = {}

    def register(self, subject: str, text: str) -> RegisteredSchema:
        """Register a schema under a subject; the same schema has one id everywhere."""
        schema = Schema.parse(text)
        same = next((each for each in self._by_id.values() if each.schema == schema), None)
        registered = same or RegisteredSchema(len(self._by_id) + 1, schema)
        self._by_id[registered.id] = self._by_subject[(subject, schema)] = registered
        return registered

    def cache(self) -> FakeSchemaCache:
        """A client's view, empty at first."""
        return FakeSchemaCache(self)

    def ask(self) -> None:
        """Answer, or be away."""
        if self.away:
            self.away -= 1
            raise PeerUnreachable("the registry does not answer")

    def by_id(self, schema_id: int) -> RegisteredSchema | None:
        """What is registered under a number."""
        self.ask()
        return self._by_id.get(schema_id)

    def by_subject(self, subject: str, schema: Schema) -> RegisteredSchema | None:
        """What is registered under a subject."""
        self.ask()
        return self._by_subject.get((subject, schema))


class FakeSchemaCache:
    """Behaves as `exchange.registry.SchemaCache` does."""

    def __init__(self, registry: FakeRegistry) -> None:
        self._registry = registry
        self._known: dict[int, RegisteredSchema] = {}

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """The schema, where it was loaded."""
        return self._known.get(schema_id)

    async def load(self, ids: Iterable[int]) -> None:
        """Fetch what is missing."""
        for schema_id in ids:
            found = self._registry.by_id(schema_id)
            if found is not None:
                self._known[schema_id] = found

    async def resolve(self, subject: str, schema_text: str) -> RegisteredSchema:
        """The registered schema of a text."""
        found = self._registry.by_subject(subject, Schema.parse(schema_text))
        if found is None:
            raise SchemaNotFound(f"the schema is not registered under {subject}")
        self._known[found.id] = found
        return found
