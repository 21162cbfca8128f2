"""Why one schema cannot read what another wrote, in words, with its place and the parts that do not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from exchange.avro.names import INSIDE, NAMED
from exchange.avro.resolution import BRANCH, Difference, Place, Resolution
from exchange.avro.structure import FieldNode, Node

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One reason why two versions do not go together.

    `type` is the name that Confluent and Avro's Java library give it (`TYPE_MISMATCH`, ...), `path` a pointer into
    the reader's schema, `message` what changed, in plain words; `detail` is what Avro's Java library says. It has no
    name for AMBIGUOUS_FIELD: there it fails, and `detail` is with what.
    `reads` says which version reads, `new` or `old`; `earlier` is the index of the earlier version. `reader` and
    `writer` are the parts of both schemas that do not fit, as JSON: types by their names, without docs and fields.
    """

    type: str
    path: str
    message: str
    detail: str
    reads: str
    earlier: int
    reader: str = "null"
    writer: str = "null"


def explain(reader: Node, writer: Node, reads: str, earlier: int) -> list[Incompatibility]:
    """The reasons, if any, why `reader` cannot read what `writer` wrote; both are structures."""
    words = _Words(reads)
    return [
        Incompatibility(
            each.type,
            _path(each.place),
            f"{words.of(each)}, so {_CONSEQUENCE[reads]}",
            each.detail,
            reads,
            earlier,
            _short(each.part if isinstance(each.part, FieldNode) else each.reader),
            _short(each.writer),
        )
        for each in Resolution().differences(reader, writer)
    ]


class _Words:
    """The sentences; `reads` says which version reads."""

    def __init__(self, reads: str) -> None:
        self._new = reads == "new"

    def of(self, found: Difference) -> str:
        """What changed there."""
        where = _where(found.place)
        if isinstance(found.part, FieldNode) and found.type != "AMBIGUOUS_FIELD":
            return self._added(where)
        if found.type == "TYPE_MISMATCH" and found.place and found.place[2] == BRANCH:
            return self._no_longer(where, found.writer)
        return _SENTENCES[found.type](self, where, found)

    def _mismatch(self, where: str, found: Difference) -> str:
        before, after = self._order(_kind(found.reader), _kind(found.writer))
        return f"{where} changed from {before} to {after}"

    def _missing_branch(self, where: str, found: Difference) -> str:
        return self._no_longer(where, found.part if isinstance(found.part, Node) else found.writer)

    def _no_longer(self, where: str, branch: Node) -> str:
        return f"{where} {'no longer takes' if self._new else 'now also takes'} {_kind(branch)}"

    def _added(self, where: str) -> str:
        return f"{where} was {'added without a default' if self._new else 'removed without a default' + _EARLIER}"

    def _size(self, where: str, found: Difference) -> str:
        before, after = self._order(found.reader.size, found.writer.size)
        return f"{where} changed its size from {before} to {after} bytes"

    def _symbols(self, where: str, found: Difference) -> str:
        known = frozenset(found.reader.symbols)
        missing = [each for each in found.writer.symbols if each not in known]
        plural = "symbols" if len(missing) > 1 else "symbol"
        return (
            f"{where} {'lost' if self._new else 'gained'} the {plural} {_listed(missing)} and its enum has no default"
        )

    def _name(self, where: str, found: Difference) -> str:
        before, after = self._order(found.reader.fullname, found.writer.fullname)
        return f"the type of {where} was renamed from {before} to {after} without an alias"

    def _several(self, where: str, found: Difference) -> str:
        field = found.part
        aliases = _listed(list(field.aliases)) if isinstance(field, FieldNode) else ""
        return f"{where} has aliases ({aliases}) by which more than one field can be meant"

    def _order(self, reader: _T, writer: _T) -> tuple[_T, _T]:
        """The earlier version's first."""
        return (writer, reader) if self._new else (reader, writer)


_EARLIER = " in the earlier version"
_CONSEQUENCE = {
    "new": "records written before cannot be read",
    "old": "those who read with the earlier version cannot read new records",
}
_SENTENCES = {
    "TYPE_MISMATCH": _Words._mismatch,
    "MISSING_UNION_BRANCH": _Words._missing_branch,
    "FIXED_SIZE_MISMATCH": _Words._size,
    "MISSING_ENUM_SYMBOLS": _Words._symbols,
    "NAME_MISMATCH": _Words._name,
    "AMBIGUOUS_FIELD": _Words._several,
}


def _path(place: Place) -> str:
    steps = []
    while place is not None:
        steps.append(place[1])
        place = place[0]
    return "/" + "/".join(reversed(steps))


def _where(place: Place) -> str:
    """What to call a place in a sentence: the field, by its dotted name, or the schema as a whole."""
    fields = []
    while place is not None:
        if place[2] is not None and place[2] != BRANCH:
            fields.append(place[2])
        place = place[0]
    return f"field '{'.'.join(reversed(fields))}'" if fields else "the schema"


def _kind(schema: Node) -> str:
    """A type in words: `string`, `enum x.Kind`, `null or string`."""
    if schema.type == "union":
        return " or ".join(_kind(each) for each in schema.branches) or "nothing"
    return f"{schema.type} {schema.fullname}" if schema.fullname else schema.type


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _short(part: Node | FieldNode) -> str:
    """A type, or a field, as short JSON."""
    brief = {"name": part.name, "type": _brief(part.type.raw)} if isinstance(part, FieldNode) else _brief(part.raw)
    return msgspec.json.encode(brief).decode()


def _brief(raw: Any) -> Any:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, list):
        return [_brief(each) if isinstance(each, str) else _outside(each) for each in raw[:_MOST]]
    return _outside(raw)


def _outside(raw: dict[str, Any]) -> Any:
    kind = raw["type"]
    if kind in INSIDE:
        inside = raw[INSIDE[kind]]
        return {"type": kind, INSIDE[kind]: [] if isinstance(inside, list) else _brief(inside)}
    kept = {
        key: raw[key] for key in ("type", "name", "size", *_LOGICAL) if key in raw and key in _SHOWN.get(kind, _BARE)
    }
    return kept | {"symbols": raw["symbols"][:_MOST]} if kind == "enum" else kept


_MOST = 20
_LOGICAL = ("logicalType", "precision", "scale")
_BARE = frozenset({"type", *_LOGICAL})
_SHOWN = {kind: _BARE | {"name", *(("size",) if kind == "fixed" else ())} for kind in NAMED}
