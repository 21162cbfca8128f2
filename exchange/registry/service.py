"""The registry itself: what each request means, whatever carries it. Reads never wait for writes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

import msgspec
import structlog

from exchange.avro import LEVELS, Incompatibility, Schema, check_compatibility
from exchange.errors import SchemaIncompatible, SchemaInvalid, SchemaNotFound, TransportError
from exchange.registry.metrics import REGISTRATIONS
from exchange.registry.ports import SchemaStore
from exchange.registry.records import SchemaVersion, encode_level, encode_version
from exchange.registry.verdict import messages, refusal
from exchange.registry.view import DEFAULT_LEVEL, View

log = structlog.get_logger()
_T = TypeVar("_T")

LATEST = -1
"""The version number that means the newest one."""

_CONTROL = {*map(chr, range(32)), *map(chr, range(127, 160))}


class RegistryService:
    """The state machine over `_schemas`: one writer, answers from memory, ids given once ever."""

    def __init__(self, store: SchemaStore) -> None:
        self._store = store
        self._view = View()
        self._ready = False
        self._writing = asyncio.Lock()
        self._indexing = asyncio.Lock()

    async def start(self) -> None:
        """Become the writer and catch up; raises BrokerUnreachable or SettingsError."""
        await self._store.start(self._view.apply)
        self._ready = True

    async def close(self) -> None:
        """Finish the write under way, then stop."""
        self._ready = False
        async with self._writing:
            await self._store.close()

    async def wait_stopped(self) -> None:
        """Return only by raising what the process must end for, e.g. PublisherFenced."""
        try:
            await self._store.wait_stopped()
        finally:
            self._ready = False

    def not_ready(self) -> str | None:
        """None once caught up; before that and after a stop, what is missing."""
        return None if self._ready else "the registry has not read its topic yet"

    def require_ready(self) -> None:
        """Raises TransportError of code `registry_not_ready`."""
        missing = self.not_ready()
        if missing is not None:
            raise TransportError(missing, code="registry_not_ready")

    # ------------------------------------------------------------------ reads

    def subjects(self) -> list[str]:
        """Every subject with a version."""
        return self._view.subjects()

    def by_id(self, schema_id: int) -> SchemaVersion:
        """The schema of an id; raises SchemaNotFound."""
        found = self._view.by_id(schema_id)
        if found is None:
            raise SchemaNotFound(f"Schema {schema_id} not found")
        return found

    def places(self, schema_id: int) -> list[SchemaVersion]:
        """Every subject and version with this id; raises SchemaNotFound."""
        self.by_id(schema_id)
        return self._view.places(schema_id)

    def versions(self, subject: str) -> list[SchemaVersion]:
        """A subject's versions, oldest first; raises SchemaNotFound of code `subject_not_found`."""
        found = self._view.versions(subject)
        if not found:
            raise SchemaNotFound(f"Subject '{subject}' not found.", code="subject_not_found")
        return found

    def version(self, subject: str, number: int) -> SchemaVersion:
        """One version, or the newest (LATEST); raises SchemaNotFound."""
        known = self.versions(subject)
        if number == LATEST:
            return known[-1]
        found = self._view.version(subject, number)
        if found is None:
            raise SchemaNotFound(f"Version {number} not found.", code="version_not_found")
        return found

    async def lookup(self, subject: str, text: str, schema_type: str | None = None) -> SchemaVersion:
        """The version of a subject that holds this schema; raises SchemaNotFound or SchemaInvalid."""
        self.versions(subject)
        schema = await self._parse(subject, text, schema_type)
        found = await self._find(subject, schema)
        if found is None:
            raise SchemaNotFound("Schema not found")
        return found

    async def check(self, subject: str, text: str, number: int | None, schema_type: str | None = None) -> list[str]:
        """Why a schema may not follow a version (None: all that its level concerns), as lines; empty if it may.

        Raises SchemaInvalid, or SchemaNotFound for a version that is not there (but LATEST of no subject is fine).
        """
        schema = await self._parse(subject, text, schema_type)
        if number is None or number == LATEST:
            earlier = self._view.versions(subject)
            earlier = earlier if number is None else earlier[-1:]
        else:
            earlier = [self.version(subject, number)]
        return await self._verdict(subject, schema, earlier)

    def level(self, subject: str | None, default_to_global: bool = False) -> str:
        """The level set for a subject, or for all (None); raises SchemaNotFound of code `level_not_configured`."""
        if subject is None:
            return self._view.level(None) or DEFAULT_LEVEL
        found = self._view.effective_level(subject) if default_to_global else self._view.level(subject)
        if found is None:
            raise SchemaNotFound(
                f"Subject '{subject}' does not have subject-level compatibility configured", code="level_not_configured"
            )
        return found

    # ------------------------------------------------------------------ writes

    async def register(self, subject: str, text: str, schema_type: str | None = None) -> int:
        """The id of a schema in a subject, new or not. Raises SchemaInvalid, SchemaIncompatible or TransportError."""
        _check_subject(subject)
        schema = await self._parse(subject, text, schema_type)
        found = await self._find(subject, schema)
        if found is not None:
            return found.id
        return await self._write(lambda: self._register(subject, schema))

    async def set_level(self, subject: str | None, level: str) -> str:
        """Set the level of a subject or of all (None), in any case; raises SchemaInvalid of code `level_invalid`."""
        if subject is not None:
            _check_subject(subject)
        if level.upper() not in LEVELS:
            raise SchemaInvalid(_LEVEL_INVALID, code="level_invalid")
        await self._write_level(subject, level.upper())
        return level.upper()

    async def delete_level(self, subject: str | None) -> str:
        """Take a level back, and say which it was; raises SchemaNotFound of code `subject_not_found`."""
        was = self._view.level(subject)
        if was is None and subject is not None:
            raise SchemaNotFound(f"Subject '{subject}' not found.", code="subject_not_found")
        if was is not None:
            await self._write_level(subject, None)
        return was or DEFAULT_LEVEL

    async def _write_level(self, subject: str | None, level: str | None) -> None:
        await self._write(lambda: self._store.append(*encode_level(subject, level)))

    async def _write(self, decide: Callable[[], Awaitable[_T]]) -> _T:
        """Decide and append, alone and with everything applied: nothing can come between decision and record.

        A write whose outcome is unknown is settled and decided anew, once: what it wrote is then found.
        """
        async with self._writing:
            try:
                await self._store.prepare()
                return await decide()
            except TransportError as error:
                if not error.retriable:
                    raise
                log.warning("registry_write_repeated", reason=error.message)
            await self._store.prepare()
            return await decide()

    async def _register(self, subject: str, schema: Schema) -> int:
        found = await self._find(subject, schema)
        if found is not None:
            return found.id
        lines = await self._verdict(subject, schema, self._view.versions(subject))
        if lines:
            raise SchemaIncompatible(refusal(subject, lines))
        digest = _digest(schema)
        known = self._view.id_of(digest)
        schema_id = self._view.next_id() if known is None else known
        version = SchemaVersion(subject, self._view.next_version(subject), schema_id, _kept_text(schema))
        # SIGKILL before the append commits: the id was never answered and is given to the next; after: it is taken.
        await self._store.append(*encode_version(version))
        self._view.index({schema_id: digest})
        REGISTRATIONS.inc()
        return schema_id

    async def _find(self, subject: str, schema: Schema) -> SchemaVersion | None:
        async with self._indexing:
            unindexed = self._view.unindexed()
            if unindexed:
                self._view.index(await asyncio.to_thread(_digests, unindexed))
        return self._view.find(subject, _digest(schema))

    async def _verdict(self, subject: str, schema: Schema, earlier: Sequence[SchemaVersion]) -> list[str]:
        level = self._view.effective_level(subject)
        if level == "NONE" or not earlier:
            return []
        found = await asyncio.to_thread(_compare, schema, earlier, level)
        return messages(found, earlier, level)

    async def _parse(self, subject: str, text: str, schema_type: str | None) -> Schema:
        if schema_type not in (None, "AVRO"):
            raise SchemaInvalid(f"Invalid schema type {schema_type}")
        try:
            return await asyncio.to_thread(Schema.parse, text)
        except SchemaInvalid as error:
            raise SchemaInvalid(_invalid(subject, text, error)) from None


_LEVEL_INVALID = (
    "Invalid compatibility level. Valid values are none, backward, forward, full, "
    "backward_transitive, forward_transitive, and full_transitive"
)
_parsed = lru_cache(maxsize=256)(Schema.parse)


def _compare(schema: Schema, earlier: Sequence[SchemaVersion], level: str) -> list[Incompatibility]:
    transitive = level.endswith("_TRANSITIVE")
    concerned = earlier if transitive else earlier[-1:]
    found = check_compatibility(schema, [_parsed(each.text) for each in concerned], level)
    skipped = len(earlier) - len(concerned)
    return [replace(each, earlier=each.earlier + skipped) for each in found]


def _digest(schema: Schema) -> bytes:
    return hashlib.sha256(schema.canonical).digest()


def _digests(texts: dict[int, str]) -> dict[int, bytes]:
    return {schema_id: _digest_of(text) for schema_id, text in texts.items()}


def _digest_of(text: str) -> bytes:
    """A schema that is not ours to read (another kind, references) is only ever equal to its own text."""
    try:
        return _digest(Schema.parse(text))
    except SchemaInvalid:
        return hashlib.sha256(b"text\x00" + text.encode("utf-8", "surrogatepass")).digest()


def _kept_text(schema: Schema) -> str:
    """The text as it came; `{"type": "string"}` is kept as `"string"`."""
    return msgspec.json.encode(schema.raw).decode() if isinstance(schema.raw, str) else schema.text


def _check_subject(subject: str) -> None:
    if not subject or any(each in _CONTROL for each in subject):
        raise SchemaInvalid(f"The specified subject '{subject}' is not a valid subject.", code="subject_invalid")


def _invalid(subject: str, text: str, error: SchemaInvalid) -> str:
    shown = text if len(text) <= 1000 else text[:1000] + "..."
    return (
        f"Invalid schema {{subject={subject},version=0,id=-1,schemaType=AVRO,references=[],metadata=null,ruleSet=null,"
        f"schema={shown}}} with refs [] of type AVRO, details: {error.message}"
    )
