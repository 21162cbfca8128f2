"""Whether a schema may follow the versions of its subject, by the configuration that holds there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

from exchange.avro import Schema, check_compatibility
from exchange.registry.entities import Config, Metadata, SchemaVersion
from exchange.registry.parsing import Parsed, Parser
from exchange.registry.verdict import messages

_T = TypeVar("_T")
_RESERVED = "confluent:reserved"
_CACHED_VERDICTS = 1 << 18
"""Characters of messages that are kept."""


class _Bounded(Generic[_T]):
    """What was worked out, the least recently used gone first; `limit` bounds the sum of the weights."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._kept: OrderedDict[object, tuple[_T, int]] = OrderedDict()

    def get(self, key: object) -> _T | None:
        """What was kept under a key."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: object, value: _T, weight: int) -> None:
        """Keep a value."""
        if key in self._kept:
            return
        self._kept[key] = (value, weight)
        self._weight += weight
        while self._weight > self._limit:
            _, (_, gone) = self._kept.popitem(last=False)
            self._weight -= gone


class Checker:
    """Compares schemas; verdicts are kept, for the same question is asked again by every process that starts."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._verdicts: _Bounded[list[str]] = _Bounded(_CACHED_VERDICTS)

    async def verdict(
        self, new: Parsed, metadata: Metadata | None, earlier: Sequence[SchemaVersion], config: Config
    ) -> list[str]:
        """Why `new` may not follow `earlier` (oldest first, none deleted), as lines; empty if it may.

        Raises SchemaInvalid where an earlier version that counts cannot be read.
        """
        level = config.compatibility_level or "NONE"
        lines = _reserved(new.schema, metadata, earlier) if config.validate_fields else []
        concerned = _concerned(metadata, earlier, config, level)
        compared = await self._compared(new, concerned, level) if concerned else []
        if not lines and not compared:
            return []
        basis = f"{{validateFields: '{str(bool(config.validate_fields)).lower()}', compatibility: '{level}'}}"
        return [*lines, *compared[:-1], basis, *compared[-1:]]

    async def _compared(self, new: Parsed, concerned: Sequence[SchemaVersion], level: str) -> list[str]:
        key = (new.schema.canonical, level, tuple((each.subject, each.version, each.id) for each in concerned))
        known = self._verdicts.get(key)
        if known is None:
            size = len(new.text) + sum(len(each.text) for each in concerned)
            schemas = [(await self._parser.parse_kept(each)).schema for each in concerned]
            found = await self._parser.away(size, check_compatibility, new.schema, schemas, level)
            known = messages(found, concerned, level)
            self._verdicts.put(key, known, 500 + len(new.schema.canonical) + sum(map(len, known)))
        return list(known)


def _concerned(
    metadata: Metadata | None, earlier: Sequence[SchemaVersion], config: Config, level: str
) -> Sequence[SchemaVersion]:
    """The earlier versions that count: of the same compatibility group, and only the newest unless all do."""
    if level == "NONE":
        return []
    group = config.compatibility_group
    if group is not None:
        earlier = [each for each in earlier if _property(each.metadata, group) == _property(metadata, group)]
    return earlier if level.endswith("_TRANSITIVE") else earlier[-1:]


def _property(metadata: Metadata | None, name: str) -> str | None:
    return ((metadata and metadata.properties) or {}).get(name)


def _reserved(schema: Schema, metadata: Metadata | None, earlier: Sequence[SchemaVersion]) -> list[str]:
    """Reserved names (a property of the metadata) may not become fields, nor cease to be reserved."""
    now = _names(metadata)
    before = _names(earlier[-1].metadata) if earlier else []
    fields = schema.field_names()
    return [
        f"The new schema has reserved field {name} removed from its metadata which is present in the old schema's "
        "metadata."
        for name in before
        if name not in now
    ] + [f"The new schema has field that conflicts with the reserved field {name}." for name in now if name in fields]


def _names(metadata: Metadata | None) -> list[str]:
    return [each.strip() for each in (_property(metadata, _RESERVED) or "").split(",") if each.strip()]
