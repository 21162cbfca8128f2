"""What the registry knows, in memory: the fold of the records of `_schemas`. All reads are answered from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import structlog

from exchange.registry.metrics import SCHEMAS, SKIPPED
from exchange.registry.records import Change, LevelRecord, SchemaRecord, SchemaVersion, SubjectDeleted, parse_record

log = structlog.get_logger()
DEFAULT_LEVEL = "BACKWARD"


class View:
    """Subjects, versions, ids and levels. Records are applied in the order of the topic; it never raises."""

    def __init__(self) -> None:
        self._subjects: dict[str, dict[int, SchemaVersion]] = {}
        self._by_id: dict[int, list[SchemaVersion]] = {}
        self._levels: dict[str | None, str] = {}
        self._digests: dict[int, bytes] = {}
        self._ids: dict[bytes, int] = {}
        self._unindexed: set[int] = set()
        self._highest_id = 0

    def apply(self, key: bytes | None, value: bytes | None, offset: int) -> None:
        """Take one record in; garbage is skipped with a warning that gives the offset."""
        try:
            change = parse_record(key, value)
        except ValueError as error:
            SKIPPED.inc()
            log.warning("registry_record_skipped", offset=offset, reason=str(error))
            return
        if change is not None:
            self._take(change)
            SCHEMAS.set(len(self._by_id))

    def subjects(self) -> list[str]:
        """The subjects that have a version, in order."""
        return sorted(subject for subject in self._subjects if self.versions(subject))

    def versions(self, subject: str) -> list[SchemaVersion]:
        """A subject's versions, oldest first, without deleted ones; empty where there is no such subject."""
        known = self._subjects.get(subject, {})
        return [known[number] for number in sorted(known) if not known[number].deleted]

    def version(self, subject: str, number: int) -> SchemaVersion | None:
        """One version, unless it is deleted."""
        found = self._subjects.get(subject, {}).get(number)
        return None if found is None or found.deleted else found

    def by_id(self, schema_id: int) -> SchemaVersion | None:
        """The first version that was registered with this id; deleted ones still resolve."""
        places = self._by_id.get(schema_id)
        return places[0] if places else None

    def places(self, schema_id: int) -> list[SchemaVersion]:
        """Every version with this id, without deleted ones."""
        return [each for each in self._by_id.get(schema_id, []) if not each.deleted]

    def level(self, subject: str | None) -> str | None:
        """The level set for a subject, or with None for all; None where none is set."""
        return self._levels.get(subject)

    def effective_level(self, subject: str) -> str:
        """The level that holds for a subject."""
        return self._levels.get(subject) or self._levels.get(None) or DEFAULT_LEVEL

    def next_version(self, subject: str) -> int:
        """The number of a subject's next version; a deleted one's is not given again."""
        return max(self._subjects.get(subject, {}), default=0) + 1

    def next_id(self) -> int:
        """An id that was never given."""
        return self._highest_id + 1

    def unindexed(self) -> dict[int, str]:
        """The texts, by id, whose canonical digest is not known yet."""
        return {each: self._by_id[each][0].text for each in sorted(self._unindexed)}

    def index(self, digests: Mapping[int, bytes]) -> None:
        """Take the canonical digests of schemas in; of two ids with one digest the first stays."""
        for schema_id, digest in digests.items():
            self._digests[schema_id] = digest
            self._ids.setdefault(digest, schema_id)
            self._unindexed.discard(schema_id)

    def id_of(self, digest: bytes) -> int | None:
        """The id of the schema with this canonical digest."""
        return self._ids.get(digest)

    def find(self, subject: str, digest: bytes) -> SchemaVersion | None:
        """The newest version of a subject with this canonical digest."""
        return next((v for v in reversed(self.versions(subject)) if self._digests.get(v.id) == digest), None)

    def _take(self, change: Change) -> None:
        if isinstance(change, LevelRecord):
            self._take_level(change)
        elif isinstance(change, SubjectDeleted):
            for version in list(self._up_to(change)):
                self._put(_deleted(version))
        elif change.value is None:
            self._remove(change)
        else:
            self._put(change.value)

    def _take_level(self, change: LevelRecord) -> None:
        if change.level is None:
            self._levels.pop(change.subject, None)
        else:
            self._levels[change.subject] = change.level

    def _up_to(self, change: SubjectDeleted) -> Iterator[SchemaVersion]:
        return (v for v in self._subjects.get(change.subject, {}).values() if v.version <= change.version)

    def _put(self, version: SchemaVersion) -> None:
        self._remove(SchemaRecord(version.subject, version.version, None))
        self._subjects.setdefault(version.subject, {})[version.version] = version
        self._by_id.setdefault(version.id, []).append(version)
        self._highest_id = max(self._highest_id, version.id)
        if version.id not in self._digests:
            self._unindexed.add(version.id)

    def _remove(self, change: SchemaRecord) -> None:
        old = self._subjects.get(change.subject, {}).pop(change.version, None)
        if old is None:
            return
        self._by_id[old.id].remove(old)
        if not self._by_id[old.id]:
            self._forget(old.id)

    def _forget(self, schema_id: int) -> None:
        del self._by_id[schema_id]
        self._unindexed.discard(schema_id)
        digest = self._digests.pop(schema_id, None)
        if digest is not None and self._ids.get(digest) == schema_id:
            del self._ids[digest]


def _deleted(version: SchemaVersion) -> SchemaVersion:
    return SchemaVersion(
        version.subject,
        version.version,
        version.id,
        version.text,
        deleted=True,
        schema_type=version.schema_type,
        references=version.references,
    )
