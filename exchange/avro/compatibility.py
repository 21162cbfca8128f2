"""Whether a new version of a schema may follow the earlier ones, and in plain words why not.

The verdict is that of Avro's Java library (`SchemaCompatibility`), which the tests ask; the words are ours.

| level | the new version must |
|---|---|
| BACKWARD | read what the version before it wrote |
| FORWARD | be readable by those who read with the version before it |
| FULL | both |
| *_TRANSITIVE | the same, for every earlier version |
| NONE | nothing |
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from exchange.avro.incompatibility import Incompatibility, explain
from exchange.avro.schema import Schema
from exchange.avro.structure import Node, structure_of
from exchange.errors import SchemaInvalid

LEVELS = ("NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE")


def check_compatibility(new: Schema, earlier: Sequence[Schema], level: str) -> list[Incompatibility]:
    """What breaks when `new` follows `earlier` (oldest first) at `level`; empty when nothing does.

    The newest earlier version that `new` breaks with decides: only its incompatibilities are listed, each with the
    index in `earlier`. Raises SchemaInvalid for an unknown level.
    """
    if level not in LEVELS:
        raise SchemaInvalid(f"{level!r} is no compatibility level: expected one of {', '.join(LEVELS)}")
    concerned = range(len(earlier) - 1, -1, -1)
    for index in concerned if level.endswith("_TRANSITIVE") else concerned[:1]:
        found = _between(new, earlier[index], level, index)
        if found:
            return found
    return []


def _between(new: Schema, old: Schema, level: str, index: int) -> list[Incompatibility]:
    found: list[Incompatibility] = []
    if level.startswith(("BACKWARD", "FULL")):
        found += _read(new, old, "new", index)
    if level.startswith(("FORWARD", "FULL")):
        found += _read(old, new, "old", index)
    return found


def _read(reader: Schema, writer: Schema, reads: str, index: int) -> list[Incompatibility]:
    """What keeps `reader` from reading what `writer` wrote; `reads` says which of both, new or old, reads."""
    if reader == writer and b'"aliases"' not in reader.canonical:  # a field's alias can be another's name
        return []
    return explain(_structure(reader), _structure(writer), reads, index)


@lru_cache(maxsize=256)
def _structure(schema: Schema) -> Node:
    return structure_of(schema.raw)
