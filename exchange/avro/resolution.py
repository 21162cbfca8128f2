"""What keeps a schema from reading what another wrote: the rules, order and places of Java's `SchemaCompatibility`.

Its corners are kept, for clients of other registries know them: names match without their namespaces; what was found
about a pair of named types is found again at the place where it was found first; branches of a union are compared as
if each were a schema of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.avro.java_text import text_of
from exchange.avro.structure import FieldNode, Node
from exchange.errors import SchemaInvalid

MOST_DIFFERENCES = 50_000
"""How many are listed of one type."""
MOST_STEPS = 4_000_000
"""How many pairs of types are compared: some seconds."""
_FEW = 32
"""A reader's union of no more branches is gone through; of one with more only those that can match are looked at."""
_PROMOTIONS = frozenset(
    {
        ("int", "long"),
        ("int", "float"),
        ("int", "double"),
        ("long", "float"),
        ("long", "double"),
        ("float", "double"),
        ("string", "bytes"),
        ("bytes", "string"),
    }
)
"""Pairs of a writer's and a reader's type that differ and can be read."""

BRANCH = "|"
"""Stands for a field's name at places that lead into a branch of the writer's union."""
Place = tuple[Any, str, str | None] | None
"""Where the walk is: the place above, the last step of the path, and the field's name if it leads into a field."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two schemas part. `detail` is Java's message, `part` the branch or field that it is about."""

    type: str
    place: Place
    reader: Node
    writer: Node
    detail: str
    part: Node | FieldNode | None = None


class Resolution:
    """Compares two structures; made for one pair."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], Sequence[Difference]] = {}
        self._tables: dict[int, dict[str, FieldNode]] = {}
        self._branches: dict[int, _Branches] = {}
        self._ambiguous: Difference | None = None
        self._steps = 0

    def differences(self, reader: Node, writer: Node) -> Sequence[Difference]:
        """What keeps `reader` from reading what `writer` wrote; nothing if nothing does.

        A field that could be read from several decides alone. Raises SchemaInvalid for what is too much to compare.
        """
        try:
            found = self._pair(reader, writer, None)
        except RecursionError:
            raise SchemaInvalid("the schemas cannot be compared: their types lead too deep into each other") from None
        return found if self._ambiguous is None else [self._ambiguous]

    def _pair(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        """What is wrong with two types; named ones are compared once, and taken to fit while they are."""
        if not reader.name or not writer.name:
            return self._compare(reader, writer, place)
        key = (id(reader), id(writer))
        found = self._found.get(key)
        if found is None:
            self._found[key] = ()
            found = self._found[key] = self._compare(reader, writer, place)
        return found

    def _compare(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        self._count(1)
        if reader.type == writer.type:
            return _SAME[reader.type](self, reader, writer, place) if reader.type in _SAME else ()
        if writer.type == "union":
            return self._from_union(reader, writer, place)
        if reader.type == "union":
            return self._into_union(reader, writer, place)
        if (writer.type, reader.type) in _PROMOTIONS:
            return ()
        return [Difference("TYPE_MISMATCH", place, reader, writer, _types(reader, writer))]

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise SchemaInvalid(
                f"the schemas cannot be compared: more than {MOST_STEPS} pairs of their types could fit"
            )

    def _from_union(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        """A union read as one type."""
        found: list[Difference] = []
        for i, branch in enumerate(writer.branches):
            found += self._pair(reader, branch, (place, str(i), BRANCH))
        return found

    def _into_union(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        """A type read as a union: one branch is enough."""
        candidates = self._candidates(reader, writer)
        if any(not self._pair(branch, writer, None) for branch in candidates):
            return ()
        return [Difference("MISSING_UNION_BRANCH", place, reader, writer, _lacking(writer), writer)]

    def _candidates(self, reader: Node, writer: Node) -> Iterable[Node]:
        if len(reader.branches) <= _FEW:
            return reader.branches
        table = self._branches.get(id(reader))
        if table is None:
            table = self._branches[id(reader)] = _Branches(reader)
        return table.of(writer)

    def _union(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        found = []
        for i, branch in enumerate(writer.branches):
            if self._compare(reader, branch, None):
                detail, there = _lacking(branch), (place, str(i), None)
                found.append(Difference("MISSING_UNION_BRANCH", there, reader, writer, detail, branch))
        return found

    def _inside(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        step = "items" if reader.type == "array" else "values"
        assert reader.inside is not None  # noqa: S101
        assert writer.inside is not None  # noqa: S101
        return self._pair(reader.inside, writer.inside, (place, step, None))

    def _record(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        self._count(len(reader.fields))
        found, above = list(_names(reader, writer, place)), (place, "fields", None)
        for i, field in enumerate(reader.fields):
            theirs = self._writer_field(field, i, writer)
            if theirs is None:
                if not field.has_default:
                    found.append(_added(field, reader, writer, (above, str(i), field.name)))
            elif field.type is not theirs.type:
                there = ((above, str(i), field.name), "type", None)
                found += self._pair(field.type, theirs.type, there)
                del found[MOST_DIFFERENCES:]
        return found

    def _writer_field(self, field: FieldNode, position: int, writer: Node) -> FieldNode | None:
        """The field of the record `writer` that a reader's field is read from, by name or alias; None without one."""
        table = self._tables.get(id(writer))
        if table is None:
            table = self._tables[id(writer)] = {each.name: each for each in writer.fields}
        if not field.aliases:
            return table.get(field.name)
        found = [table[name] for name in (field.name, *field.aliases) if name in table]
        if len(found) > 1 and self._ambiguous is None:
            self._ambiguous = _several(field, position, writer)
        return found[0] if found else None

    def _enum(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        found = list(_names(reader, writer, place))
        if reader.default is None:
            known = frozenset(reader.symbols)
            missing = sorted(each for each in writer.symbols if each not in known)
            if missing:
                detail = f"[{', '.join(missing)}]"
                found.append(Difference("MISSING_ENUM_SYMBOLS", (place, "symbols", None), reader, writer, detail))
        return found

    def _fixed(self, reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
        found = list(_names(reader, writer, place))
        if reader.size != writer.size:
            detail = f"expected: {writer.size}, found: {reader.size}"
            found.append(Difference("FIXED_SIZE_MISMATCH", (place, "size", None), reader, writer, detail))
        return found


class _Branches:
    """The branches of a large union, by what they are found by."""

    def __init__(self, union: Node) -> None:
        self._unnamed = [branch for branch in union.branches if not branch.name]
        self._named: dict[str, list[Node]] = {}
        for branch in union.branches:
            for name in {branch.name, *(f"={alias}" for alias in branch.aliases)} if branch.name else ():
                self._named.setdefault(name, []).append(branch)

    def of(self, writer: Node) -> Iterable[Node]:
        """Those that may read the type `writer`."""
        if not writer.name:
            return self._unnamed
        return [*self._named.get(writer.name, ()), *self._named.get(f"={writer.fullname}", ())]


_SAME = {
    "record": Resolution._record,
    "array": Resolution._inside,
    "map": Resolution._inside,
    "union": Resolution._union,
    "fixed": Resolution._fixed,
    "enum": Resolution._enum,
}


def _names(reader: Node, writer: Node, place: Place) -> Sequence[Difference]:
    if reader.name == writer.name or writer.fullname in reader.aliases:
        return ()
    return [Difference("NAME_MISMATCH", (place, "name", None), reader, writer, f"expected: {writer.fullname}")]


def _added(field: FieldNode, reader: Node, writer: Node, place: Place) -> Difference:
    """A field without a default that the writer has not; of an enum that has one, Java says so in another way."""
    if field.type.default is None:
        return Difference("READER_FIELD_MISSING_DEFAULT_VALUE", place, reader, writer, field.name, field)
    detail = _types(field.type, writer)
    return Difference("TYPE_MISMATCH", (place, "type", None), field.type, writer, detail, field)


def _several(field: FieldNode, position: int, writer: Node) -> Difference:
    detail = (
        f"Reader record field {field.name} type:{field.type.type.upper()} pos:{position} "
        f"matches multiple fields in writer record schema {text_of(writer.raw)}"
    )
    place = ((None, "fields", None), str(position), field.name)
    return Difference("AMBIGUOUS_FIELD", place, writer, writer, detail, field)


def _types(reader: Node, writer: Node) -> str:
    return f"reader type: {reader.type.upper()} not compatible with writer type: {writer.type.upper()}"


def _lacking(branch: Node) -> str:
    return f"reader union lacking writer type: {branch.type.upper()}"
