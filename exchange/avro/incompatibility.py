"""Why one schema cannot read what another wrote: each place where they part, its path, and the reason in words.

Walks reader and writer as the reference implementation does; asks it for the verdict on union branches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from exchange.avro.resolution import Resolution
from exchange.avro.structure import Node

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One reason why two versions do not go together.

    `type` is the name that Confluent and Avro's Java library give it (`TYPE_MISMATCH`, ...), `path` a pointer into
    the reader's schema, `message` what changed, in plain words; `detail` is what Avro's Java library would say.
    `reads` says which version reads, `new` or `old`; `earlier` is the index of the earlier version.
    """

    type: str
    path: str
    message: str
    detail: str
    reads: str
    earlier: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: the pointer, and the names of the fields that lead there."""

    pointer: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    def down(self, *tokens: str, field: str | None = None) -> _Place:
        return _Place((*self.pointer, *tokens), (*self.fields, field) if field else self.fields)

    @property
    def path(self) -> str:
        return "/" + "/".join(self.pointer)

    @property
    def words(self) -> str:
        """What to call it in a sentence: the field, by its dotted name, or the schema as a whole."""
        return f"field '{'.'.join(self.fields)}'" if self.fields else "the schema"


def explain(reader: Node, writer: Node, reads: str, earlier: int) -> list[Incompatibility]:
    """The reasons, at least one, why `reader` cannot read what `writer` wrote; both are structures."""
    return list(_Walk(reads, earlier).differences(reader, writer, _Place()))


class _Walk:
    def __init__(self, reads: str, earlier: int) -> None:
        self._reads = reads
        self._earlier = earlier
        self._resolution = Resolution()
        self._seen: set[tuple[int, int]] = set()

    def differences(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        if self._resolution.can_read(reader, writer) or (id(reader), id(writer)) in self._seen:
            return
        self._seen.add((id(reader), id(writer)))
        if reader.type == writer.type and reader.type in _WALKERS:
            yield from _WALKERS[reader.type](self, reader, writer, place)
        elif writer.type == "union":
            yield from self._branches(reader, writer, place)
        elif reader.type == "union":
            yield self._missing_branch(writer, place, f"reader union lacking writer type: {writer.type.upper()}")
        else:
            yield self._mismatch(reader, writer, place)

    def _record(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        yield from self._name(reader, writer, place)
        for i, field in enumerate(reader.fields):
            there = place.down("fields", str(i), field=field.name)
            theirs = self._resolution.writer_field(field, writer)
            if theirs is not None:
                yield from self.differences(field.type, theirs.type, there.down("type"))
            elif not field.has_default:
                yield self._missing_default(field.name, there)

    def _array(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        if reader.items and writer.items:
            yield from self.differences(reader.items, writer.items, place.down("items"))

    def _map(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        if reader.values and writer.values:
            yield from self.differences(reader.values, writer.values, place.down("values"))

    def _union(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        for i, branch in enumerate(writer.schemas):
            if not self._resolution.can_read(reader, branch):
                detail = f"reader union lacking writer type: {branch.type.upper()}"
                yield self._missing_branch(branch, place.down(str(i)), detail)

    def _branches(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        """A union read as one of its branches."""
        for branch in writer.schemas:
            if branch.type == reader.type:
                yield from self.differences(reader, branch, place)
            elif not self._resolution.can_read(reader, branch):
                message = f"{place.words} {self._takes()} {_kind(branch)}"
                yield self._found("TYPE_MISMATCH", place, message, _types(reader, branch))

    def _fixed(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        yield from self._name(reader, writer, place)
        if reader.size != writer.size:
            before, after = self._order(reader.size, writer.size)
            message = f"{place.words} changed its size from {before} to {after} bytes"
            detail = f"expected: {writer.size}, found: {reader.size}"
            yield self._found("FIXED_SIZE_MISMATCH", place.down("size"), message, detail)

    def _enum(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        yield from self._name(reader, writer, place)
        known = frozenset(reader.symbols)
        missing = [each for each in writer.symbols if each not in known]
        if missing and not reader.props.get("default"):
            verb = "lost" if self._reads == "new" else "gained"
            plural = "symbols" if len(missing) > 1 else "symbol"
            message = f"{place.words} {verb} the {plural} {_listed(missing)} and its enum has no default"
            yield self._found("MISSING_ENUM_SYMBOLS", place.down("symbols"), message, f"[{', '.join(missing)}]")

    def _name(self, reader: Node, writer: Node, place: _Place) -> Iterator[Incompatibility]:
        if not self._resolution.same_name(reader, writer):
            before, after = self._order(reader.fullname, writer.fullname)
            message = f"the type of {place.words} was renamed from {before} to {after} without an alias"
            detail = f"expected: {writer.fullname}"
            yield self._found("NAME_MISMATCH", place.down("name"), message, detail)

    def _missing_default(self, name: str, place: _Place) -> Incompatibility:
        verb = "added" if self._reads == "new" else "removed"
        before = "" if self._reads == "new" else " in the earlier version"
        message = f"{place.words} was {verb} without a default{before}"
        return self._found("READER_FIELD_MISSING_DEFAULT_VALUE", place, message, name)

    def _missing_branch(self, branch: Node, place: _Place, detail: str) -> Incompatibility:
        return self._found("MISSING_UNION_BRANCH", place, f"{place.words} {self._takes()} {_kind(branch)}", detail)

    def _takes(self) -> str:
        return "no longer takes" if self._reads == "new" else "now also takes"

    def _mismatch(self, reader: Node, writer: Node, place: _Place) -> Incompatibility:
        before, after = self._order(_kind(reader), _kind(writer))
        message = f"{place.words} changed from {before} to {after}"
        return self._found("TYPE_MISMATCH", place, message, _types(reader, writer))

    def _order(self, reader: _T, writer: _T) -> tuple[_T, _T]:
        """The earlier version's first."""
        return (writer, reader) if self._reads == "new" else (reader, writer)

    def _found(self, kind: str, place: _Place, message: str, detail: str) -> Incompatibility:
        text = f"{message}, so {_CONSEQUENCE[self._reads]}"
        return Incompatibility(kind, place.path, text, detail, self._reads, self._earlier)


_CONSEQUENCE = {
    "new": "records written before cannot be read",
    "old": "those who read with the earlier version cannot read new records",
}
_WALKERS = {
    "record": _Walk._record,
    "array": _Walk._array,
    "map": _Walk._map,
    "union": _Walk._union,
    "fixed": _Walk._fixed,
    "enum": _Walk._enum,
}


def _kind(schema: Node) -> str:
    """A type in words: `string`, `enum x.Kind`, `null or string`."""
    if schema.type == "union":
        return " or ".join(_kind(each) for each in schema.schemas) or "nothing"
    return f"{schema.type} {schema.fullname}" if schema.fullname else schema.type


def _types(reader: Node, writer: Node) -> str:
    return f"reader type: {reader.type.upper()} not compatible with writer type: {writer.type.upper()}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
