"""A schema as it would be registered under a subject, and whether it stands there already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from exchange.errors import SchemaInvalid
from exchange.registry.entities import (
    AVRO,
    Config,
    Metadata,
    Reference,
    RuleSet,
    SchemaRequest,
    SchemaVersion,
    content_md5,
    merged_metadata,
    merged_rules,
)
from exchange.registry.parsing import Parsed, Parser
from exchange.registry.state import State
from exchange.registry.subjects import context_of

_T = TypeVar("_T")
_VERSION = "confluent:version"
_AT_ONCE = 20
"""How many schemas are digested before reads get their turn."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schema that was read, with all that would be kept of it."""

    subject: str
    parsed: Parsed
    metadata: Metadata | None
    rule_set: RuleSet | None

    def digest(self, references: tuple[Reference, ...] | None = None) -> bytes:
        """What its id goes by; with other `references`, what it would be with those."""
        return self.parsed.digest(
            self.parsed.references if references is None else references, self.metadata, self.rule_set
        )

    def content(self) -> bytes:
        """The MD5 of what would be kept."""
        return content_md5(self.parsed.text, self.parsed.references, self.metadata, self.rule_set)


class Candidates:
    """Reads requests, and finds what they ask for among what is there."""

    def __init__(self, state: State, parser: Parser) -> None:
        self._state = state
        self._parser = parser
        self._indexing = asyncio.Lock()

    async def read(
        self, subject: str, request: SchemaRequest, normalize: bool, previous: SchemaVersion | None = None
    ) -> Candidate:
        """The candidate of a request; an empty schema is that of the `previous` version. Raises SchemaInvalid."""
        if request.schema_type not in (None, AVRO):
            raise SchemaInvalid(f"Invalid schema type {request.schema_type}")
        text, references = request.schema, request.references or ()
        if text is None or not text.strip():
            if previous is None:
                raise SchemaInvalid("Empty schema")
            text, references = previous.text, previous.references
        normalize = normalize or bool(self._state.config_in_scope(subject).normalize)
        parsed = await self._parser.parse(subject, text, references, normalize=normalize)
        return Candidate(subject, parsed, request.metadata, request.rule_set)

    def sent_again(
        self, subject: str, request: SchemaRequest, normalize: bool, deleted: bool = False
    ) -> SchemaVersion | None:
        """The newest version that has the very text, references, metadata and rules of a request, found unread."""
        normalize = normalize or bool(self._state.config_in_scope(subject).normalize)
        if request.schema is None or request.schema_type not in (None, AVRO) or normalize:
            return None
        content = content_md5(request.schema, request.references or (), request.metadata, request.rule_set)
        schema_id = self._state.index(context_of(subject)).id_of_content(content)
        if schema_id is None:
            return None
        return next((each for each in self._state.versions(subject, deleted)[::-1] if each.id == schema_id), None)

    async def find(
        self, candidate: Candidate, deleted: bool = False, latest_only: bool = False
    ) -> SchemaVersion | None:
        """The newest version of the candidate's subject that is this schema, however its text is written."""
        index = self._state.index(context_of(candidate.subject))
        digest = cache(candidate.digest)
        versions = self._state.versions(candidate.subject, deleted)
        versions = versions[-1:] if latest_only else versions[::-1]
        wanted = index.id_of_content(candidate.content())
        exact = next((each for each in versions if each.id == wanted), None)
        for version in versions if exact is None else [exact]:
            references = candidate.parsed.references or version.references
            if version is exact or await self._digest_of(version) in (
                digest(references),
                _noted(candidate, version).digest(references) if names_its_version(version.metadata) else b"",
            ):
                return version
        return None

    async def away(self, candidate: Candidate, work: Callable[..., _T], *arguments: object) -> _T:
        """Do work on a candidate: in a thread where it is large."""
        return await self._parser.away(len(candidate.parsed.text), work, *arguments)

    async def complete_index(self, context: str) -> None:
        """Work out the canonical digests of a context's schemas that are not known yet, a few at a time."""
        async with self._indexing:
            index = self._state.index(context)
            while not index.is_complete:
                for version in index.unindexed(_AT_ONCE):
                    await self._digest_of(version)
                await asyncio.sleep(0)

    async def _digest_of(self, version: SchemaVersion) -> bytes:
        index = self._state.index(context_of(version.subject))
        known = index.digest(version.id)
        if known is None:
            known = await self._worked_out(version)
            index.learn({version.id: known})
        return known

    async def _worked_out(self, version: SchemaVersion) -> bytes:
        """A schema that is not ours to read (another kind) is only ever equal to its own text."""
        try:
            parsed = await self._parser.parse_kept(version)
        except SchemaInvalid:
            return version.content
        return parsed.digest(version.references, version.metadata, version.rule_set)


def populated(candidate: Candidate, config: Config, previous: SchemaVersion | None) -> Candidate:
    """The candidate with the metadata and rules that its configuration and the version before it give."""
    metadata = candidate.metadata or (previous.metadata if previous else None)
    metadata = merged_metadata(merged_metadata(config.default_metadata, metadata), config.override_metadata)
    rules = candidate.rule_set or (previous.rule_set if previous else None)
    rules = merged_rules(merged_rules(config.default_rule_set, rules), config.override_rule_set)
    return replace(candidate, metadata=metadata, rule_set=rules)


def noting(candidate: Candidate, version: int | str) -> Candidate:
    """The candidate with the number of its version noted in its metadata."""
    note = Metadata(properties={_VERSION: str(version)})
    return replace(candidate, metadata=merged_metadata(candidate.metadata, note))


def names_its_version(metadata: Metadata | None) -> bool:
    """Whether the metadata note the version's number."""
    return _VERSION in ((metadata and metadata.properties) or {})


def _noted(candidate: Candidate, version: SchemaVersion) -> Candidate:
    """The candidate with the note of its version that `version` has: who registers anew does not send it."""
    if names_its_version(candidate.metadata):
        return candidate
    return noting(candidate, ((version.metadata and version.metadata.properties) or {})[_VERSION])
