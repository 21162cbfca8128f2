"""What the registry knows, in memory: the fold of the records of `_schemas`. All reads are answered from here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec
import structlog

from exchange.registry.entities import Config, SchemaVersion
from exchange.registry.index import Index
from exchange.registry.metrics import SCHEMAS, SKIPPED
from exchange.registry.records import (
    Change,
    ConfigRecord,
    ContextRecord,
    LeaderRecord,
    ModeRecord,
    SchemaRecord,
    SubjectDeleted,
    SubjectsCleared,
    parse_record,
)
from exchange.registry.referrers import Referrers
from exchange.registry.subjects import DEFAULT, EVERY_CONTEXT, GLOBAL, context_of, in_context_of, qualified, split

log = structlog.get_logger()
_T = TypeVar("_T")
DEFAULTS = Config(compatibility_level="BACKWARD")
DEFAULT_MODE = "READWRITE"


class State:
    """Subjects, versions, ids, configurations, modes, contexts. Records are applied in order; that never raises."""

    def __init__(self) -> None:
        self.written = -1
        """The offset of the newest record that was applied."""
        self.awaited: set[tuple[bytes | None, bytes | None]] = set()
        """Records that are being written and were not applied yet."""
        self.leader: str | None = None
        """The replica that announced itself as the writer."""
        self.referrers = Referrers()
        """Which schemas refer to which."""
        self._subjects: dict[str, dict[int, SchemaVersion]] = {}
        self._indexes: dict[str, Index] = {DEFAULT: Index()}
        self._contexts: set[str] = set()
        self._configs: dict[str | None, Config] = {}
        self._modes: dict[str | None, str] = {}
        self._listed: list[str] | None = None

    def apply(self, key: bytes | None, value: bytes | None, offset: int) -> None:
        """Take one record in; garbage is skipped with a warning that gives the offset."""
        self.written = offset
        self.awaited.discard((key, value))
        try:
            change = parse_record(key, value)
            if change is not None:
                self._take(change)
        except ValueError as error:
            SKIPPED.inc()
            log.warning("registry_record_skipped", offset=offset, reason=str(error))
        SCHEMAS.set(sum(map(len, self._indexes.values())))

    # ------------------------------------------------------------------ subjects and versions

    def subjects(self, prefix: str = EVERY_CONTEXT) -> Iterator[str]:
        """Every subject with this prefix, in order; a prefix without a context is of the default one."""
        context, start = split(prefix)
        if self._listed is None:
            self._listed = sorted(self._subjects)
        for subject in self._listed:
            its_context, name = split(subject)
            if context in ("*", its_context) and name.startswith(start):
                yield subject

    def matching(self, subject: str | None) -> list[str]:
        """The subjects that a name means: itself, all of a context that is named alone, or with None all."""
        if subject is None:
            return list(self._subjects)
        context, name = split(subject)
        if name:
            return [subject] if subject in self._subjects else []
        return [each for each in self._subjects if context_of(each) == context]

    def versions(self, subject: str, deleted: bool = False) -> list[SchemaVersion]:
        """A subject's versions, oldest first; with the deleted ones where asked for."""
        known = self._subjects.get(subject, {})
        return [known[number] for number in sorted(known) if deleted or not known[number].deleted]

    def version(self, subject: str, number: int) -> SchemaVersion | None:
        """One version, deleted or not."""
        return self._subjects.get(subject, {}).get(number)

    def latest(self, subject: str) -> SchemaVersion | None:
        """The newest version that is not deleted."""
        known = self._subjects.get(subject, {})
        return next((known[number] for number in sorted(known, reverse=True) if not known[number].deleted), None)

    # ------------------------------------------------------------------ contexts and ids

    def contexts(self) -> list[str]:
        """The contexts: the default one first, then the others in order."""
        return [DEFAULT, *sorted(self._contexts)]

    def index(self, context: str) -> Index:
        """The ids of a context."""
        found = self._indexes.get(context)
        return Index() if found is None else found  # one without schemas is false, and knows which ids it gave

    def highest_ids(self) -> dict[str, int]:
        """The highest id ever given, by context."""
        return {context: index.highest for context, index in self._indexes.items()}

    # ------------------------------------------------------------------ configurations and modes

    def config(self, subject: str | None) -> Config | None:
        """What is configured for exactly this subject, context (`:.name:`) or, with None, for all."""
        return self._configs.get(subject)

    def config_in_scope(self, subject: str | None) -> Config:
        """What holds for a subject: its own, else its context's, else the global context's, else the defaults."""
        own = [self._configs.get(each) for each in _scopes(subject)]
        held = DEFAULTS
        for config in reversed(own):
            held = config.over(held) if config is not None else held
        return held

    def mode(self, subject: str | None) -> str | None:
        """The mode of exactly this subject, context or, with None, of all; READONLY_OVERRIDE of all overrides."""
        if self._modes.get(None) == "READONLY_OVERRIDE":
            return "READONLY_OVERRIDE"
        return self._modes.get(subject)

    def mode_in_scope(self, subject: str | None) -> str:
        """The mode that holds for a subject."""
        found = (self.mode(each) for each in _scopes(subject))
        return next((each for each in found if each is not None), DEFAULT_MODE)

    def modes_of(self, context: str) -> list[str]:
        """The subjects of a context that have a mode of their own."""
        return [each for each in self._modes if each is not None and context_of(each) == context and split(each)[1]]

    def aliases(self) -> dict[str, list[str]]:
        """The subjects that are aliases, by what they stand for."""
        found: dict[str, list[str]] = {}
        for subject, config in self._configs.items():
            if subject is not None and config.alias:
                found.setdefault(in_context_of(subject, config.alias), []).append(subject)
        return found

    # ------------------------------------------------------------------ taking records in

    def _take(self, change: Change) -> None:
        match change:
            case SchemaRecord():
                self._put(change)
            case SubjectDeleted():
                self._delete(change)
            case SubjectsCleared():
                self._clear(change.subject)
            case ConfigRecord():
                _set(self._configs, change.subject, change.config)
            case ModeRecord():
                _set(self._modes, change.subject, change.mode)
            case ContextRecord():
                (self._contexts.add if change.exists else self._contexts.discard)(change.context)
            case LeaderRecord():
                self._follow(change)

    def _put(self, change: SchemaRecord) -> None:
        index = self._indexes.setdefault(context_of(change.subject), Index())
        old = self.version(change.subject, change.version)
        index.replace(old, change.value)
        self.referrers.replace(old, change.value)
        if change.value is not None:
            self._subjects.setdefault(change.subject, {})[change.version] = change.value
        elif old is not None:
            self._drop(change.subject, change.version)
        self._listed = None

    def _drop(self, subject: str, number: int) -> None:
        del self._subjects[subject][number]
        if not self._subjects[subject]:
            del self._subjects[subject]

    def _delete(self, change: SubjectDeleted) -> None:
        for version in self.versions(change.subject):
            if version.version <= change.version:
                self._put(SchemaRecord(change.subject, version.version, deleted(version)))

    def _clear(self, subject: str | None) -> None:
        for each in self.matching(subject):
            for version in self.versions(each, deleted=True):
                if version.deleted:
                    self._put(SchemaRecord(each, version.version, None))

    def _follow(self, change: LeaderRecord) -> None:
        self.leader = change.leader
        for context, highest in change.ids.items():
            index = self._indexes.setdefault(context, Index())
            index.highest = max(index.highest, highest)


def as_told(subject: str | None, config: Config | None) -> Config:
    """A configuration as it is told: that of all subjects (None) always has a level."""
    return (config or Config()).over(DEFAULTS) if subject is None else config or DEFAULTS


def deleted(version: SchemaVersion) -> SchemaVersion:
    """The same version, deleted."""
    return msgspec.structs.replace(version, deleted=True)


def _scopes(subject: str | None) -> list[str | None]:
    """Where to look for what holds for a subject, nearest first."""
    if subject is None:
        return [None, GLOBAL]
    context = context_of(subject)
    return [subject, None if context == DEFAULT else qualified(context), GLOBAL]


def _set(table: dict[str | None, _T], key: str | None, value: _T | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
