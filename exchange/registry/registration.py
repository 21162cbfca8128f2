"""Registering: what it takes for a schema to become a subject's next version, and which id it gets.

What may take long (reading, comparing) is done first, in the light of what stands there; the writer then only sees
that this still stands, and decides. Where it does not, all is done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from exchange.errors import SchemaIncompatible, SchemaInvalid
from exchange.registry.candidate import Candidate, Candidates, names_its_version, noting, populated
from exchange.registry.checking import Checker
from exchange.registry.entities import LATEST, Config, Reference, SchemaRequest, SchemaVersion
from exchange.registry.linting import Linting
from exchange.registry.metrics import REGISTRATIONS
from exchange.registry.ports import KeyValue
from exchange.registry.records import encode_context, encode_version, schema_key
from exchange.registry.refusals import not_permitted, require_writable
from exchange.registry.rules import require_valid_rules
from exchange.registry.state import State
from exchange.registry.subjects import context_of, in_context_of, qualified, require_valid
from exchange.registry.verdict import refusal
from exchange.registry.writer import Batch, Writer

_IMPORT = ("IMPORT", "FORWARD")
_NUMBERS = 2**31
"""Ids and versions are Java's ints."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stands under a subject: a registration that was worked out for this holds as long as this does."""

    versions: tuple[SchemaVersion, ...]
    config: Config
    mode: str

    @property
    def live(self) -> list[SchemaVersion]:
        return [each for each in self.versions if not each.deleted]


class Registration:
    """Registers schemas."""

    def __init__(
        self, state: State, candidates: Candidates, checker: Checker, linting: Linting, writer: Writer
    ) -> None:
        self._state = state
        self._candidates = candidates
        self._checker = checker
        self._linting = linting
        self._writer = writer

    async def register(self, subject: str, request: SchemaRequest, normalize: bool) -> SchemaVersion:
        """The version that holds the schema, new or not.

        Raises SchemaInvalid, SchemaIncompatible, SchemaNotFound or TransportError.
        """
        require_valid(subject)
        require_valid_rules(request.rule_set)
        if request.version in (None, 0) and _id_of(request) is None:
            again = self._candidates.sent_again(subject, request, normalize)
            if again is not None:
                return again
        while True:
            standing = self._standing(subject)
            plain = await self._candidates.read(subject, request, normalize, _previous(standing))
            described = _described(plain, standing)
            for each in (plain, described):
                found = await self._found(each, request)
                if found is not None:
                    return found
            candidate = _numbered(described, request, standing)
            require_mode(subject, standing.mode, request)
            await self._candidates.away(candidate, self._linting.require, subject, candidate.parsed.schema)
            await self._require_compatible(candidate, standing)
            await self._candidates.complete_index(context_of(subject))
            decide = partial(self._decide, candidate, standing, request)
            registered = await self._writer.submit(subject, decide)
            if registered is not None:
                return registered

    def _standing(self, subject: str) -> _Standing:
        return _Standing(
            tuple(self._state.versions(subject, deleted=True)),
            self._state.config_in_scope(subject),
            self._state.mode_in_scope(subject),
        )

    async def _found(self, candidate: Candidate, request: SchemaRequest) -> SchemaVersion | None:
        """The version that holds the schema already, where the request does not insist on another place."""
        found = await self._candidates.find(candidate, latest_only=request.version == LATEST)
        if found is None or _id_of(request) not in (None, found.id):
            return None
        if request.version in (None, 0, LATEST):
            return found
        there = self._state.version(candidate.subject, request.version)
        return there if there is not None and not there.deleted and there.id == found.id == request.id else None

    async def _require_compatible(self, candidate: Candidate, standing: _Standing) -> None:
        if standing.mode in _IMPORT:
            return
        lines = await self._checker.verdict(candidate.parsed, candidate.metadata, standing.live, standing.config)
        if lines:
            raise SchemaIncompatible(refusal(candidate.subject, lines))

    def _decide(
        self, candidate: Candidate, standing: _Standing, request: SchemaRequest, batch: Batch
    ) -> SchemaVersion | None:
        """The version to write; None where something changed meanwhile and all is to be worked out again."""
        context = context_of(candidate.subject)
        if self._standing(candidate.subject) != standing or not self._state.index(context).is_complete:
            return None
        if not all(self._stands(candidate.subject, each) for each in candidate.parsed.references):
            return None
        if batch.registers(context, candidate.digest()):
            return None  # under another subject, in this very transaction: it has its id when that is applied
        number = self._number(request, standing)
        schema_id, text = self._id_and_text(batch, context, candidate, request)
        if batch.gives(context, schema_id):
            return None  # to another schema, in this very transaction
        parsed = candidate.parsed
        version = SchemaVersion(
            candidate.subject,
            number,
            schema_id,
            text,
            references=parsed.references,
            metadata=candidate.metadata,
            rule_set=candidate.rule_set,
        )
        batch.records += [*self._context(context), *_superseded(version, standing), encode_version(version)]
        batch.learn(context, schema_id, candidate.digest())
        REGISTRATIONS.inc()
        return version

    def _stands(self, subject: str, reference: Reference) -> bool:
        found = self._state.version(in_context_of(subject, str(reference.subject)), reference.version or 0)
        return found is not None and not found.deleted

    def _number(self, request: SchemaRequest, standing: _Standing) -> int:
        due = _next(standing)
        number = due if request.version in (None, 0, LATEST) else request.version
        if standing.mode not in _IMPORT and number != due:
            raise SchemaInvalid("Version is not one more than previous version")
        if not 0 < number < _NUMBERS:
            raise SchemaInvalid(f"The version {number} is out of range: expected 1 to 2^31-1")
        return number

    def _id_and_text(self, batch: Batch, context: str, candidate: Candidate, request: SchemaRequest) -> tuple[int, str]:
        """The id: the one asked for, the one that the schema has elsewhere, or a new one; and the text of that id."""
        index, digest = self._state.index(context), candidate.digest()
        wanted = _id_of(request)
        if wanted is None:
            known = index.id_of_content(candidate.content())
            known = index.id_of_digest(digest) if known is None else known
            wanted = batch.next_id(context) if known is None else known
        if wanted >= _NUMBERS:
            raise SchemaInvalid(f"The id {wanted} is out of range: expected 0 to 2^31-1")
        kept = index.at(wanted)
        if kept and index.digest(wanted) != digest:
            raise SchemaInvalid(
                f"Overwrite new schema with id {wanted} in context {qualified(context)} is not permitted.",
                code="operation_not_permitted",
            )
        return wanted, kept[0].text if kept else candidate.parsed.text

    def _context(self, context: str) -> Iterator[KeyValue]:
        if context not in self._state.contexts():
            yield encode_context(context)


def require_mode(subject: str, mode: str, request: SchemaRequest) -> None:
    """Raises SchemaInvalid of code `operation_not_permitted` where the mode does not admit the registration."""
    require_writable(subject, mode)
    if _id_of(request) is not None and mode not in _IMPORT:
        raise not_permitted(subject, "not in import mode")
    if _id_of(request) is None and mode != "READWRITE":
        raise not_permitted(subject, "not in read-write mode")


def _id_of(request: SchemaRequest) -> int | None:
    return request.id if request.id is not None and request.id >= 0 else None


def _previous(standing: _Standing) -> SchemaVersion | None:
    return standing.live[-1] if standing.live and standing.mode not in _IMPORT else None


def _described(plain: Candidate, standing: _Standing) -> Candidate:
    """The candidate with all that its configuration and the version before it say of it."""
    if standing.mode in _IMPORT:
        return plain
    return populated(plain, standing.config, _previous(standing))


def _numbered(described: Candidate, request: SchemaRequest, standing: _Standing) -> Candidate:
    """The candidate with its number, where that is asked for or was noted before."""
    if standing.mode in _IMPORT or not (request.version or names_its_version(described.metadata)):
        return described
    return noting(described, _next(standing))


def _next(standing: _Standing) -> int:
    return max((each.version for each in standing.versions), default=0) + 1


def _superseded(version: SchemaVersion, standing: _Standing) -> Iterator[KeyValue]:
    """A deleted version of the same schema makes room for the one that brings it back."""
    for each in standing.versions:
        if each.deleted and each.id == version.id and each.version < version.version:
            yield schema_key(each.subject, each.version), None
