"""Deleting, configuring and the modes: the writes that change what stands, each alone in its transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exchange.avro import LEVELS
from exchange.errors import SchemaInvalid, SchemaNotFound
from exchange.registry.entities import LATEST, Config, ConfigUpdate, SchemaVersion
from exchange.registry.ports import KeyValue
from exchange.registry.records import (
    MODES,
    encode_config,
    encode_context,
    encode_mode,
    encode_subject_deleted,
    encode_subjects_cleared,
    encode_version,
    schema_key,
)
from exchange.registry.refusals import require_writable, subject_not_found, version_not_found
from exchange.registry.rules import require_valid_rules
from exchange.registry.state import DEFAULT_MODE, State, as_told, deleted
from exchange.registry.subjects import qualified, require_valid, split
from exchange.registry.writer import Batch, Writer

LEVEL_INVALID = (
    "Invalid compatibility level. Valid values are none, backward, forward, full, "
    "backward_transitive, forward_transitive, and full_transitive"
)
_MODE_INVALID = "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT and FORWARD"


class Administration:
    """Deletes and configures. Every method raises TransportError where the outcome is not known."""

    def __init__(self, state: State, writer: Writer) -> None:
        self._state = state
        self._writer = writer

    # ------------------------------------------------------------------ deletions

    async def delete_version(self, subject: str, number: int, permanent: bool) -> int:
        """Delete a version, and say which; `permanent` takes away for good what was deleted before."""
        return await self._writer.submit(None, lambda batch: self._delete_version(batch, subject, number, permanent))

    async def delete_subject(self, subject: str, permanent: bool) -> list[int]:
        """Delete all versions of a subject, and say which; `permanent` takes away what was deleted before."""
        return await self._writer.submit(None, lambda batch: self._delete_subject(batch, subject, permanent))

    def _delete_version(self, batch: Batch, subject: str, number: int, permanent: bool) -> int:
        version = self._existing(subject, number)
        if version.deleted and not permanent:
            raise SchemaNotFound(
                f"Subject '{subject}' Version {_shown(number)} was soft deleted.Set permanent=true to delete "
                "permanently",
                code="version_soft_deleted",
            )
        require_writable(subject, self._state.mode_in_scope(subject))
        self._require_unreferred(version)
        if not permanent:
            batch.records.append(encode_version(deleted(version)))
        elif not version.deleted:
            raise SchemaNotFound(
                f"Subject '{subject}' Version {version.version} was not deleted first before being permanently deleted",
                code="version_not_soft_deleted",
            )
        else:
            self._take_away(batch, subject, [version])
        return version.version

    def _existing(self, subject: str, number: int) -> SchemaVersion:
        found = self._state.latest(subject) if number == LATEST else self._state.version(subject, number)
        if found is not None:
            return found
        if not self._state.versions(subject, deleted=True):
            raise subject_not_found(subject)
        raise version_not_found(number)

    def _delete_subject(self, batch: Batch, subject: str, permanent: bool) -> list[int]:
        live = self._state.versions(subject)
        versions = self._state.versions(subject, deleted=True) if permanent else live
        if not versions:
            self._refuse_absent(subject)
        require_writable(subject, self._state.mode_in_scope(subject))
        for each in versions:
            self._require_unreferred(each)
        if not permanent:
            batch.records.append(encode_subject_deleted(subject, versions[-1].version))
        elif live:
            raise SchemaNotFound(
                f"Subject '{subject}' was not deleted first before being permanently deleted",
                code="subject_not_soft_deleted",
            )
        else:
            self._take_away(batch, subject, versions)
        return [each.version for each in versions]

    def _refuse_absent(self, subject: str) -> None:
        if not self._state.versions(subject, deleted=True):
            raise subject_not_found(subject)
        raise SchemaNotFound(
            f"Subject '{subject}' was soft deleted.Set permanent=true to delete permanently",
            code="subject_soft_deleted",
        )

    def _take_away(self, batch: Batch, subject: str, versions: Sequence[SchemaVersion]) -> None:
        """Tombstones; with a subject's last version goes what was configured for it. The ids stay taken."""
        batch.records += [(schema_key(subject, each.version), None) for each in versions]
        if len(versions) == len(self._state.versions(subject, deleted=True)):
            batch.records += self._forgotten(subject)
        batch.keep_ids()

    def _forgotten(self, subject: str) -> Iterator[KeyValue]:
        if self._state.mode(subject) is not None:
            yield encode_mode(subject, None)
        if self._state.config(subject) is not None:
            yield encode_config(subject, None)

    def _require_unreferred(self, version: SchemaVersion) -> None:
        if self._state.referrers.ids(version.subject, version.version):
            raise SchemaInvalid(
                f"One or more references exist to the schema {{magic=1,keytype=SCHEMA,subject={version.subject},"
                f"version={version.version}}}.",
                code="reference_exists",
            )

    # ------------------------------------------------------------------ configurations

    async def set_config(self, subject: str | None, update: ConfigUpdate) -> Config:
        """Configure a subject, a context or all (None); raises SchemaInvalid of code `level_invalid`, ..."""
        level = update.compatibility
        if isinstance(level, str) and level.upper() not in LEVELS:
            raise SchemaInvalid(LEVEL_INVALID, code="level_invalid")
        for rules in (update.default_rule_set, update.override_rule_set):
            require_valid_rules(rules or None)
        if subject is not None:
            require_valid(subject)
        return await self._writer.submit(None, lambda batch: self._set_config(batch, subject, update))

    def _set_config(self, batch: Batch, subject: str | None, update: ConfigUpdate) -> Config:
        require_writable(subject, self._state.mode_in_scope(subject))
        config = update.applied_to(self._state.config(subject) or Config())
        batch.records.append(encode_config(subject, config))
        return config

    async def delete_config(self, subject: str | None) -> Config:
        """Take a configuration back, and say what it was; raises SchemaNotFound of code `subject_not_found`."""
        return await self._writer.submit(None, lambda batch: self._delete_config(batch, subject))

    def _delete_config(self, batch: Batch, subject: str | None) -> Config:
        was = self._state.config(subject)
        if was is None and subject is not None:
            raise subject_not_found(subject)
        require_writable(subject, self._state.mode_in_scope(subject))
        if was is not None:
            batch.records.append(encode_config(subject, None))
        return as_told(subject, was)

    # ------------------------------------------------------------------ modes and contexts

    async def set_mode(self, subject: str | None, mode: str, force: bool) -> str:
        """Set a mode; raises SchemaInvalid of code `mode_invalid`, `operation_not_permitted`, `reference_exists`."""
        if subject is not None:
            require_valid(subject)
        if mode.upper() not in MODES:
            raise SchemaInvalid(_MODE_INVALID, code="mode_invalid")
        return await self._writer.submit(None, lambda batch: self._set_mode(batch, subject, mode.upper(), force))

    def _set_mode(self, batch: Batch, subject: str | None, mode: str, force: bool) -> str:
        if mode == "IMPORT" and self._state.mode_in_scope(subject) != "IMPORT" and not force:
            self._clear_for_import(batch, subject)
        batch.records.append(encode_mode(subject, mode))
        return mode

    def _clear_for_import(self, batch: Batch, subject: str | None) -> None:
        """Importing begins with nothing there: what was deleted before goes for good."""
        gone = [each for s in self._state.matching(subject) for each in self._state.versions(s, deleted=True)]
        if any(not each.deleted for each in gone):
            raise SchemaInvalid("Cannot import since found existing subjects", code="operation_not_permitted")
        for each in gone:
            self._require_unreferred(each)
        if gone:
            batch.records += [(schema_key(each.subject, each.version), None) for each in gone]
            batch.keep_ids()
        batch.records.append(encode_subjects_cleared(subject))

    async def delete_mode(self, subject: str | None, recursive: bool) -> str | None:
        """Take a mode back, and say what it was; `recursive` takes those of a context's subjects back with it.

        Raises SchemaNotFound of code `subject_not_found`.
        """
        return await self._writer.submit(None, lambda batch: self._delete_mode(batch, subject, recursive))

    def _delete_mode(self, batch: Batch, subject: str | None, recursive: bool) -> str | None:
        was = self._state.mode(subject)
        if was is None and subject is not None and not recursive:
            raise subject_not_found(subject)
        batch.records += [encode_mode(each, None) for each in self._moded(subject, recursive)]
        return was or (DEFAULT_MODE if subject is None else None)

    def _moded(self, subject: str | None, recursive: bool) -> Iterator[str | None]:
        if self._state.mode(subject) is not None:
            yield subject
        context, name = split(subject or "")
        if recursive and not name:
            yield from self._state.modes_of(context)

    async def delete_context(self, context: str) -> None:
        """End a context that holds nothing; raises SchemaInvalid of code `context_not_empty`."""
        await self._writer.submit(None, lambda batch: self._delete_context(batch, context))

    def _delete_context(self, batch: Batch, context: str) -> None:
        if self._state.matching(qualified(context)):
            raise SchemaInvalid(f"The specified context '{context}' is not empty.", code="context_not_empty")
        if context in self._state.contexts()[1:]:
            batch.records.append(encode_context(context, exists=False))


def _shown(number: int) -> str:
    return "latest" if number == LATEST else str(number)
