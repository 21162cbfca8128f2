"""One context's ids: which schema has which, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from exchange.registry.entities import SchemaVersion


class Index:
    """The ids of a context. An id belongs to one schema for ever; a schema may stand in many places."""

    def __init__(self) -> None:
        self.highest = 0
        """The highest id that was ever given."""
        self._places: dict[int, tuple[SchemaVersion, ...]] = {}
        self._by_content: dict[bytes, int] = {}
        self._digests: dict[int, bytes] = {}
        self._by_digest: dict[bytes, int] = {}
        self._twins: dict[bytes, set[int]] = {}
        """Further ids of a schema, by content: another registry may have given it several."""
        self._unindexed: set[int] = set()

    def __len__(self) -> int:
        return len(self._places)

    def replace(self, old: SchemaVersion | None, new: SchemaVersion | None) -> None:
        """Put `new` in the place of `old`; raises ValueError where the id of `new` is that of another schema."""
        if new is not None:
            self._add(new)
        if old is not None:
            self._remove(old)

    def at(self, schema_id: int) -> tuple[SchemaVersion, ...]:
        """Every version with this id, deleted ones included, in the order in which they were registered."""
        return self._places.get(schema_id, ())

    def id_of_content(self, content: bytes) -> int | None:
        """The id of a schema by its MD5 (`content_md5`): the same text, references, metadata and rules."""
        return self._by_content.get(content)

    def id_of_digest(self, digest: bytes) -> int | None:
        """The id of a schema by the digest of its canonical form, however its text is written."""
        return self._by_digest.get(digest)

    def digest(self, schema_id: int) -> bytes | None:
        """The canonical digest of an id, where it is known yet."""
        return self._digests.get(schema_id)

    @property
    def is_complete(self) -> bool:
        """Whether the canonical digest of every schema is known."""
        return not self._unindexed

    def unindexed(self, limit: int) -> list[SchemaVersion]:
        """One version of each of at most `limit` ids whose canonical digest is not known yet."""
        return [self._places[each][0] for each in islice(self._unindexed, limit)]

    def learn(self, digests: Mapping[int, bytes]) -> None:
        """Take canonical digests in; of two ids with one digest the lower stays the schema's."""
        for schema_id, digest in digests.items():
            self._unindexed.discard(schema_id)
            if schema_id in self._places:
                self._digests[schema_id] = digest
                self._by_digest[digest] = min(schema_id, self._by_digest.get(digest, schema_id))

    def _add(self, version: SchemaVersion) -> None:
        content = version.content
        others = self._places.get(version.id, ())
        if others and others[0].content != content:
            raise ValueError(f"id {version.id} is that of another schema")
        self._places[version.id] = (*others, version)
        if self._by_content.setdefault(content, version.id) != version.id:
            self._twins.setdefault(content, set()).add(version.id)
        self.highest = max(self.highest, version.id)
        if version.id not in self._digests:
            self._unindexed.add(version.id)

    def _remove(self, version: SchemaVersion) -> None:
        left = tuple(each for each in self._places.get(version.id, ()) if each is not version)
        if left:
            self._places[version.id] = left
        else:
            self._forget(version)

    def _forget(self, version: SchemaVersion) -> None:
        self._places.pop(version.id, None)
        self._unindexed.discard(version.id)
        twins = self._twins.get(content := version.content, set())
        twins.discard(version.id)
        if self._by_content.get(content) == version.id:
            _pass_on(self._by_content, content, twins)
        digest = self._digests.pop(version.id, None)
        if digest is not None and self._by_digest.get(digest) == version.id:
            _pass_on(self._by_digest, digest, twins)


def _pass_on(table: dict[bytes, int], key: bytes, heirs: set[int]) -> None:
    """An id is gone: what led to it leads to another of the same schema."""
    if heirs:
        table[key] = min(heirs)
    else:
        del table[key]


def _content(version: SchemaVersion) -> bytes:
    return version.content
