"""Which schemas refer to which: what a version that others use is guarded by."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.registry.entities import SchemaVersion
from exchange.registry.subjects import in_context_of

Place = tuple[str, int]
"""A subject and a version number."""


class Referrers:
    """The versions, not deleted, that refer to a version; of every context, for a reference may name another one."""

    def __init__(self) -> None:
        self._of: dict[Place, dict[Place, int]] = {}

    def replace(self, old: SchemaVersion | None, new: SchemaVersion | None) -> None:
        """Put what `new` refers to in the place of what `old` did."""
        if old is not None:
            for place in _referred(old):
                self._forget(place, old)
        if new is not None:
            for place in _referred(new):
                self._of.setdefault(place, {})[new.subject, new.version] = new.id

    def ids(self, subject: str, version: int) -> list[int]:
        """The ids of the schemas that refer to a version."""
        return sorted(set(self._of.get((subject, version), {}).values()))

    def _forget(self, place: Place, version: SchemaVersion) -> None:
        referring = self._of.get(place, {})
        referring.pop((version.subject, version.version), None)
        if not referring:
            self._of.pop(place, None)


def _referred(version: SchemaVersion) -> Iterator[Place]:
    if version.deleted:
        return
    for each in version.references:
        if each.subject is not None and each.version is not None:
            yield in_context_of(version.subject, each.subject), each.version
