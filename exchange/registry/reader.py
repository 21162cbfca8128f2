"""What the registry is asked: every answer from memory, none of them waits for a write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exchange.errors import SchemaInvalid, SchemaNotFound
from exchange.registry.candidate import Candidate, Candidates, populated
from exchange.registry.checking import Checker
from exchange.registry.entities import LATEST, Config, SchemaRequest, SchemaVersion
from exchange.registry.parsing import Parser
from exchange.registry.refusals import subject_not_found, version_not_found
from exchange.registry.state import DEFAULT_MODE, State, as_told
from exchange.registry.subjects import DEFAULT, EVERY_CONTEXT, context_of, normalized, qualified, split


class Reader:
    """Answers from the state. Subjects are taken in any spelling."""

    def __init__(self, state: State, parser: Parser, candidates: Candidates, checker: Checker) -> None:
        self._state = state
        self._parser = parser
        self._candidates = candidates
        self._checker = checker

    # ------------------------------------------------------------------ subjects and versions

    def subjects(self, prefix: str = EVERY_CONTEXT, deleted: bool = False, deleted_only: bool = False) -> list[str]:
        """The subjects with a prefix, in order; a subject is deleted when all its versions are."""
        found = self._state.subjects(prefix)
        if deleted and not deleted_only:
            return list(found)
        return [each for each in found if (self._state.latest(each) is None) == deleted_only]

    def versions(self, subject: str, deleted: bool = False, deleted_only: bool = False) -> list[int]:
        """A subject's version numbers, oldest first; raises SchemaNotFound of code `subject_not_found`."""
        subject = normalized(subject)
        found = self._state.versions(subject, deleted or deleted_only)
        if not found:
            raise subject_not_found(subject)
        return [each.version for each in found if each.deleted or not deleted_only]

    def version(self, subject: str, number: int, deleted: bool = False) -> SchemaVersion:
        """One version, or the newest (LATEST), of a subject, or where it has none of its namesake in a context.

        Raises SchemaNotFound of code `subject_not_found` or `version_not_found`.
        """
        subject = normalized(subject)
        for each in self._namesakes(subject):
            found = self._version(each, number, deleted)
            if found is not None:
                return found
        if not self._state.versions(subject, deleted):
            raise subject_not_found(subject)
        raise version_not_found(number)

    def referenced_by(self, subject: str, number: int) -> list[int]:
        """The ids of the schemas that refer to a version; raises SchemaNotFound."""
        version = self.version(subject, number, deleted=True)
        return self._state.referrers.ids(version.subject, version.version)

    def schemas(
        self,
        prefix: str = "",
        deleted: bool = False,
        latest_only: bool = False,
        rule_type: str | None = None,
        aliases: bool = False,
    ) -> Iterator[SchemaVersion]:
        """Versions of the subjects with a prefix, by subject and number; with `aliases` of what they stand for too."""
        subjects = list(self._state.subjects(prefix))
        if aliases:
            start = split(prefix)[1]
            known = self._state.aliases()
            meant = (each for each, names in known.items() if any(name.startswith(start) for name in names))
            subjects = sorted({*subjects, *meant})
        for subject in subjects:
            versions = self._state.versions(subject, deleted)
            for version in versions[-1:] if latest_only else versions:
                if rule_type is None or _has_rule(version, rule_type):
                    yield version

    def aliases_of(self, subject: str) -> list[str]:
        """The subjects that are aliases of a subject."""
        return sorted(self._state.aliases().get(subject, []))

    def latest_with_metadata(self, subject: str, wanted: Mapping[str, str], deleted: bool = False) -> SchemaVersion:
        """The newest version with these properties; raises SchemaNotFound."""
        subject = normalized(subject)
        versions = self._state.versions(subject, deleted)
        for version in reversed(versions):
            properties = (version.metadata and version.metadata.properties) or {}
            if version.metadata is not None and wanted.items() <= properties.items():
                return version
        raise SchemaNotFound("Schema not found") if versions else subject_not_found(subject)

    # ------------------------------------------------------------------ ids

    def by_id(self, schema_id: int, subject: str | None = None) -> SchemaVersion:
        """The schema of an id: of a subject or context where one is named. Raises SchemaNotFound."""
        found = self._places(schema_id, subject)
        if not found:
            raise SchemaNotFound(f"Schema {schema_id} not found")
        return found[0]

    def highest_id(self, subject: str | None = None) -> int:
        """The highest id that a context has given."""
        return self._state.index(context_of(subject or "")).highest

    def places(self, schema_id: int, subject: str | None = None, deleted: bool = False) -> list[SchemaVersion]:
        """Every version with this id, of the context where it is found; raises SchemaNotFound."""
        found = self._places(schema_id, subject)
        if not found:
            raise SchemaNotFound("Schema not found")
        everywhere = self._state.index(context_of(found[0].subject)).at(schema_id)
        return [each for each in everywhere if deleted or not each.deleted]

    def by_guid(self, guid: str) -> SchemaVersion:
        """The schema of a guid; raises SchemaNotFound."""
        for context, schema_id in self.ids_of(guid):
            return self._state.index(context).at(schema_id)[0]
        raise SchemaNotFound(f"Schema {guid} not found")

    def ids_of(self, guid: str) -> list[tuple[str, int]]:
        """The contexts that have a schema, by guid, and its id in each."""
        try:
            content = bytes.fromhex(guid.replace("-", ""))
        except ValueError:
            return []
        found = ((each, self._state.index(each).id_of_content(content)) for each in self._state.contexts())
        return [(context, schema_id) for context, schema_id in found if schema_id is not None]

    async def formatted(self, version: SchemaVersion, form: str) -> str:
        """A version's text: as it is kept, or (`resolved`) with what it refers to written out."""
        if form.lower() != "resolved" or not version.references:
            return version.text
        parsed = await self._parser.parse_kept(version)
        return await self._parser.away(len(version.text), parsed.schema.resolved_text)

    # ------------------------------------------------------------------ schemas that are sent

    async def lookup(
        self, subject: str, request: SchemaRequest, normalize: bool = False, deleted: bool = False
    ) -> SchemaVersion:
        """The version of a subject that holds this schema; raises SchemaNotFound or SchemaInvalid."""
        subject = normalized(subject)
        for each in self._namesakes(subject):
            try:
                found = await self._look_up(each, request, normalize, deleted)
            except SchemaInvalid:
                if each == subject:
                    raise
                continue  # another context need not have what the schema refers to
            if found is not None:
                return found
        if not self._state.versions(subject, deleted):
            raise subject_not_found(subject)
        raise SchemaNotFound("Schema not found")

    async def _look_up(
        self, subject: str, request: SchemaRequest, normalize: bool, deleted: bool
    ) -> SchemaVersion | None:
        again = self._candidates.sent_again(subject, request, normalize, deleted)
        if again is not None:
            return again
        previous = self._state.latest(subject)
        plain = await self._candidates.read(subject, request, normalize, previous)
        found = await self._candidates.find(plain, deleted)
        if found is not None or previous is None:
            return found
        return await self._candidates.find(self._described(plain, previous), deleted)

    def _described(self, candidate: Candidate, previous: SchemaVersion) -> Candidate:
        return populated(candidate, self._state.config_in_scope(candidate.subject), previous)

    async def check(
        self, subject: str, request: SchemaRequest, number: int | None, normalize: bool = False
    ) -> list[str]:
        """Why a schema may not follow a version (None: all that its level concerns), as lines; empty if it may.

        Raises SchemaInvalid, or SchemaNotFound for a version that is not there (but LATEST of no subject is fine).
        """
        subject = normalized(subject)
        earlier = self._state.versions(subject)
        if number == LATEST:
            earlier = earlier[-1:]
        elif number is not None:
            found = self._version(subject, number, deleted=False)
            if found is None:
                raise version_not_found(number)
            earlier = [found]
        candidate = await self._candidates.read(subject, request, normalize)
        config = self._state.config_in_scope(subject)
        return await self._checker.verdict(candidate.parsed, candidate.metadata, earlier, config)

    # ------------------------------------------------------------------ configurations, modes, contexts

    def config(self, subject: str | None, in_scope: bool = False) -> Config:
        """What is configured for a subject, a context or all (None); `in_scope` fills in what it leaves open.

        Raises SchemaNotFound of code `level_not_configured`.
        """
        subject = all_or(subject)
        found = self._state.config_in_scope(subject) if in_scope else self._state.config(subject)
        if found is None and subject is not None:
            raise SchemaNotFound(
                f"Subject '{subject}' does not have subject-level compatibility configured", code="level_not_configured"
            )
        return as_told(subject, found)

    def mode(self, subject: str | None, in_scope: bool = False) -> str:
        """The mode of a subject, a context or all (None); raises SchemaNotFound of code `mode_not_configured`."""
        subject = all_or(subject)
        found = self._state.mode_in_scope(subject) if in_scope else self._state.mode(subject)
        if found is None and subject is not None:
            raise SchemaNotFound(
                f"Subject '{subject}' does not have subject-level mode configured", code="mode_not_configured"
            )
        return found or DEFAULT_MODE

    def alias(self, subject: str) -> str:
        """What a subject is an alias of; itself where it is none."""
        config = self._state.config(normalized(subject))
        return config.alias if config is not None and config.alias else subject

    def contexts(self, prefix: str = "") -> list[str]:
        """Every context whose name begins so, the default one first."""
        return [each for each in self._state.contexts() if each.startswith(prefix)]

    # ------------------------------------------------------------------ within

    def _namesakes(self, subject: str) -> Iterator[str]:
        """The subject, and where it names no context the subjects of its name in every other one."""
        yield subject
        if context_of(subject) == DEFAULT:
            yield from (qualified(each, subject) for each in self._state.contexts()[1:])

    def _version(self, subject: str, number: int, deleted: bool) -> SchemaVersion | None:
        if number == LATEST:
            return self._state.latest(subject)
        found = self._state.version(subject, number)
        return None if found is None or (found.deleted and not deleted) else found

    def _places(self, schema_id: int, subject: str | None) -> tuple[SchemaVersion, ...]:
        """Where an id stands: under the subject named, or its namesakes, or in the context."""
        context, name = split(subject or "")
        here = self._state.index(context).at(schema_id)
        if not name:
            return here
        own = tuple(each for each in here if each.subject == normalized(subject or ""))
        if own or context != DEFAULT:
            return own
        for each in self._state.contexts()[1:]:
            there = self._state.index(each).at(schema_id)
            found = tuple(version for version in there if version.subject == qualified(each, name))
            if found:
                return found
        return here


def all_or(subject: str | None) -> str | None:
    """None for every subject, which the default context's own name means too."""
    return None if subject is None or subject == ":.:" else normalized(subject)


def _has_rule(version: SchemaVersion, rule_type: str) -> bool:
    rules = version.rule_set
    if rules is None:
        return False
    every = [*(rules.migration_rules or ()), *(rules.domain_rules or ()), *(rules.encoding_rules or ())]
    return any(rule.type == rule_type for rule in every)
