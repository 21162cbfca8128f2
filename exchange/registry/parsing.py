"""Schemas as the registry reads them: with what they refer to, parsed once, off the event loop where they are large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from exchange.avro import ParsedSchemas, Schema
from exchange.errors import SchemaInvalid
from exchange.registry.entities import AVRO, LATEST, Metadata, Reference, RuleSet, SchemaVersion, content_md5
from exchange.registry.state import State
from exchange.registry.subjects import in_context_of

_T = TypeVar("_T")
_LARGE = 16 << 10
"""A text of more characters is worked on in a thread, so that reads go on."""
_REMEMBERED = 1 << 18
"""Characters of schemas that are kept as they were read; read, they take some twenty times as much."""
_DEEPEST = 200
"""How far references are followed."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A schema that was read: the form in which its text is kept, and its references with their versions."""

    schema: Schema
    text: str
    references: tuple[Reference, ...] = ()

    def digest(self, references: Sequence[Reference], metadata: Metadata | None, rule_set: RuleSet | None) -> bytes:
        """What tells this schema from others however its text is written, with all that is said about it."""
        return content_md5(self.schema.canonical.decode("utf-8", "surrogatepass"), references, metadata, rule_set)


class Parser:
    """Reads schemas in the light of the state, which holds what they refer to."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._schemas = ParsedSchemas(_REMEMBERED)
        self._large = asyncio.Semaphore(1)

    async def parse(
        self, subject: str, text: str, references: Sequence[Reference], *, normalize: bool = False
    ) -> Parsed:
        """A new schema of a subject; raises SchemaInvalid. `normalize` writes it in Confluent's normal form."""
        try:
            settled = tuple(self._settled(subject, each) for each in references)
            referenced = self._referenced(subject, settled)
            parsed = await self._read(text, settled, referenced)
            if not normalize:
                return parsed
            normal = await self.away(len(text), parsed.schema.normalized_text)
            return await self._read(normal, tuple(sorted(set(settled), key=_place)), referenced)
        except SchemaInvalid as error:
            raise SchemaInvalid(_invalid(subject, text, error)) from None

    async def parse_kept(self, version: SchemaVersion) -> Parsed:
        """A version that is there, whose defaults nobody looks at again; raises SchemaInvalid where it is not Avro."""
        if version.schema_type != AVRO:
            raise SchemaInvalid(f"version {version.version} of {version.subject} is no Avro schema")
        referenced = self._referenced(version.subject, version.references)
        return await self._read(version.text, version.references, referenced, kept=True)

    async def away(self, size: int, work: Callable[..., _T], *arguments: object) -> _T:
        """Do work on texts of so many characters: here where it is quick, else in a thread, one at a time."""
        if size <= _LARGE:
            return work(*arguments)
        async with self._large:
            return await asyncio.to_thread(work, *arguments)

    async def _read(
        self, text: str, references: tuple[Reference, ...], referenced: dict[str, str], kept: bool = False
    ) -> Parsed:
        texts = list(referenced.values())
        schema = await self.away(len(text) + sum(map(len, texts)), self._schemas.parse, text, texts, not kept)
        return Parsed(schema, _kept(schema), references)

    def _settled(self, subject: str, reference: Reference) -> Reference:
        """A reference that says everything, its version known and there."""
        if reference.name is None or reference.subject is None or reference.version is None:
            raise SchemaInvalid("Invalid schema reference")
        found = self._find(subject, reference)
        if found is None or found.deleted:
            raise _no_reference(subject, reference)
        return Reference(reference.name, reference.subject, found.version)

    def _find(self, subject: str, reference: Reference) -> SchemaVersion | None:
        there = in_context_of(subject, str(reference.subject))
        if reference.version == LATEST:
            return self._state.latest(there)
        return self._state.version(there, reference.version or 0)

    def _referenced(self, subject: str, references: Sequence[Reference]) -> dict[str, str]:
        """The texts that a schema needs, by name, what is needed first comes first; deleted ones still serve."""
        needed: dict[str, str] = {}
        self._gather(subject, references, (), set(), needed)
        return needed

    def _gather(
        self,
        subject: str,
        references: Sequence[Reference],
        inside: tuple[str, ...],
        done: set[str],
        needed: dict[str, str],
    ) -> None:
        """Each place is read once, on however many ways it is reached."""
        for reference in references:
            found = self._find(subject, reference)
            if found is None:
                raise _no_reference(subject, reference)
            place = f"{found.subject} version {found.version}"
            if place in inside:
                raise SchemaInvalid(f"the references run in a circle: {' -> '.join([*inside, place])}")
            if len(inside) == _DEEPEST:
                raise SchemaInvalid(f"references are nested more than {_DEEPEST} deep, at {place}")
            if place not in done:
                self._gather(found.subject, found.references, (*inside, place), done, needed)
                done.add(place)
            needed.setdefault(str(reference.name), found.text)


def _no_reference(subject: str, reference: Reference) -> SchemaInvalid:
    there = in_context_of(subject, str(reference.subject))
    return SchemaInvalid(f'No schema reference found for subject "{there}" and version {reference.version}')


def _place(reference: Reference) -> tuple[str, str, int]:
    return str(reference.name), str(reference.subject), reference.version or 0


def _kept(schema: Schema) -> str:
    """The text as it came; `{"type": "string"}` is kept as `"string"`."""
    return msgspec.json.encode(schema.raw).decode() if isinstance(schema.raw, str) else schema.text


def _invalid(subject: str, text: str, error: SchemaInvalid) -> str:
    shown = text if len(text) <= 1000 else text[:1000] + "..."
    return (
        f"Invalid schema {{subject={subject},version=0,id=-1,schemaType=AVRO,references=[],metadata=null,ruleSet=null,"
        f"schema={shown}}} with refs [] of type AVRO, details: {error.message}"
    )
