"""What changed between two versions of a schema, in words, and which of it breaks whom.

Walks both; asks the checker (`check_compatibility`) for the verdict on each part and on the whole, which decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from exchange.avro.change import Change, Place
from exchange.avro.compatibility import check_compatibility
from exchange.avro.schema import Schema
from exchange.avro.shape import definitions
from exchange.avro.words import listed, type_in_words, value_in_words

_NEW, _OLD = frozenset({"new"}), frozenset({"old"})
_RECORDS = frozenset({"record", "error"})
_NAMED = _RECORDS | {"enum", "fixed"}


def changes(old: Schema, new: Schema) -> list[Change]:
    """Every difference that somebody could notice, in the new version's order; those removed come last."""
    found = list(_Walk(old.raw, new.raw).types(old.raw, new.raw, Place()))
    for reads, reasons in (
        ("new", check_compatibility(new, [old], "BACKWARD")),
        ("old", check_compatibility(new, [old], "FORWARD")),
    ):
        if not reasons:
            found = [replace(each, breaks=each.breaks - {reads}) for each in found]
        elif not any(reads in each.breaks for each in found):
            found += [
                Change("other", Place(), each.message.partition(", so ")[0], frozenset({reads})) for each in reasons
            ]
    return found


class _Walk:
    def __init__(self, old: Any, new: Any) -> None:
        self._old, self._new = definitions(old), definitions(new)
        self._seen: set[tuple[str, str]] = set()

    def types(self, old: Any, new: Any, place: Place) -> Iterator[Change]:
        """What differs between two types that stand at the same place."""
        if isinstance(old, list) or isinstance(new, list):
            yield from self._unions(_branches(old), _branches(new), old, new, place)
            return
        old, new = self._old.get(old, old) if isinstance(old, str) else old, self._known(new)
        kind = _kind(old)
        if kind != _kind(new):
            yield self._changed(old, new, place)
        elif kind in _NAMED:
            yield from self._named(old, new, place)
        elif kind in ("array", "map"):
            part, what = ("items", "each item") if kind == "array" else ("values", "each value")
            yield from self.types(old[part], new[part], place.down(part, part, what))
        elif type_in_words(old) != type_in_words(new):
            yield self._changed(old, new, place)

    def _known(self, new: Any) -> Any:
        return self._new.get(new, new) if isinstance(new, str) else new

    def _named(self, old: Any, new: Any, place: Place) -> Iterator[Change]:
        pair = (old["name"], new["name"])
        if pair in self._seen:
            return
        self._seen.add(pair)
        yield from self._renamed(old, new, place)
        kind = "record" if old["type"] in _RECORDS else old["type"]
        if kind == "record":
            yield from self._records(old, new, place)
        elif kind == "enum":
            yield from self._enums(old, new, place)
        elif type_in_words(old) != type_in_words(new):
            yield self._changed(old, new, place)

    def _renamed(self, old: Any, new: Any, place: Place) -> Iterator[Change]:
        if old["name"] == new["name"]:
            return
        bare = [
            {key: each[key] for key in each if key in ("type", "name", "namespace", "aliases")} for each in (old, new)
        ]
        filling = {"symbols": ["A"], "size": 1, "fields": []}
        message = f"the type of {place.words} was renamed from {old['name']} to {new['name']}"
        yield Change("type_renamed", place, message, self._breaks(*({**filling, **each} for each in bare)), old, new)

    def _breaks(self, old: Any, new: Any) -> frozenset[str]:
        """Who cannot read, were these two types all there is."""
        before, after = _schema(old, self._old), _schema(new, self._new)
        backward, forward = (check_compatibility(after, [before], level) for level in ("BACKWARD", "FORWARD"))
        return (_NEW if backward else frozenset()) | (_OLD if forward else frozenset())

    def _changed(self, old: Any, new: Any, place: Place) -> Change:
        message = f"{place.words} changed from {type_in_words(old)} to {type_in_words(new)}"
        if _is_misread(old, new):
            return Change("misread", place, f"{message}: readers take old values for others", frozenset(), old, new)
        return Change("type_changed", place, message, self._breaks(old, new), old, new)

    def _records(self, old: Any, new: Any, place: Place) -> Iterator[Change]:
        before = {field["name"]: i for i, field in enumerate(old["fields"])}
        names = frozenset(field["name"] for field in new["fields"])
        kept: set[str] = set()
        for i, field in enumerate(new["fields"]):
            name = _counterpart(field, before, names)
            if name is None:
                yield _added(field, place.into(field["name"], len(before), i))
                continue
            kept.add(name)
            yield from self._fields(old["fields"][before[name]], field, place.into(name, before[name], i))
        for name, i in before.items():
            if name not in kept:
                yield _removed(old["fields"][i], place.into(name, i, len(new["fields"])))

    def _fields(self, old: Any, new: Any, place: Place) -> Iterator[Change]:
        if old["name"] != new["name"]:
            breaks = frozenset() if "default" in old else _OLD
            message = f"{place.words} was renamed to {new['name']}, and keeps its old name as an alias"
            yield Change("field_renamed", place, message, breaks, old, new)
        yield from self.types(old["type"], new["type"], place.down("type", "type"))
        yield from _attributes(old, new, place)

    def _enums(self, old: Any, new: Any, place: Place) -> Iterator[Change]:
        before, after = frozenset(old["symbols"]), frozenset(new["symbols"])
        gained = [each for each in new["symbols"] if each not in before]
        lost = [each for each in old["symbols"] if each not in after]
        if gained:
            breaks = frozenset() if "default" in old else _OLD
            yield Change("symbols_added", place, f"{place.words} may now be {listed(gained)}", breaks, old, new)
        if lost:
            breaks = frozenset() if "default" in new else _NEW
            yield Change("symbols_dropped", place, f"{place.words} can no longer be {listed(lost)}", breaks, old, new)

    def _unions(self, olds: list[Any], news: list[Any], old: Any, new: Any, place: Place) -> Iterator[Change]:
        left, right = [each for each in olds if each != "null"], [each for each in news if each != "null"]
        single = len(left) == len(right) == 1
        if single and self._family(left[0], self._old) != self._family(right[0], self._new):
            yield self._changed(old, new, place)
            return
        if ("null" in olds) != ("null" in news):
            yield self._null(old, new, place, added="null" in news)
        pairs = [(left[0], right[0])] if single else _pairs(left, right)
        for before, after in pairs:
            tokens = (str(olds.index(before)), str(news.index(after)))
            inner = place.down(*tokens)
            yield from self.types(before, after, _without(inner, old, new, place))
        if not single:
            yield from self._branches(left, right, old, new, place)

    def _family(self, raw: Any, known: dict[str, Any]) -> str:
        return _kind(known.get(raw, raw) if isinstance(raw, str) else raw)

    def _null(self, old: Any, new: Any, place: Place, *, added: bool) -> Change:
        if added:
            return Change("null_added", place, f"{place.words} may now be null", _OLD, old, new)
        return Change("null_dropped", place, f"{place.words} can no longer be null", _NEW, old, new)

    def _branches(self, left: list[Any], right: list[Any], old: Any, new: Any, place: Place) -> Iterator[Change]:
        before, after = {_branch_name(each) for each in left}, {_branch_name(each) for each in right}
        for each in right:
            if _branch_name(each) not in before:
                message = f"{place.words} may now also be {type_in_words(each)}"
                yield Change("branch_added", place, message, self._breaks(old, each) & _OLD, old, each)
        for each in left:
            if _branch_name(each) not in after:
                message = f"{place.words} can no longer be {type_in_words(each)}"
                yield Change("branch_dropped", place, message, self._breaks(each, new) & _NEW, each, new)


def _added(field: Any, place: Place) -> Change:
    if "default" in field:
        seen = f"it may be left out: readers of old events see {value_in_words(field['default'])}"
        return Change("field_added", place, f"{place.words} was added; {seen}", frozenset(), None, field)
    message = f"{place.words} was added, and has no default for events that lack it"
    return Change("field_added", place, message, _NEW, None, field)


def _removed(field: Any, place: Place) -> Change:
    if "default" in field:
        seen = f"readers with the earlier schema see {value_in_words(field['default'])}"
        return Change("field_removed", place, f"{place.words} was removed; {seen}", frozenset(), field, None)
    message = f"{place.words} was removed, and the earlier schema has no default for it"
    return Change("field_removed", place, message, _OLD, field, None)


def _attributes(old: Any, new: Any, place: Place) -> Iterator[Change]:
    """What nobody's reading depends on."""
    if old.get("doc") != new.get("doc"):
        yield Change("doc", place, f"the description of {place.words} was changed", frozenset(), old, new)
    if ("default" in old) != ("default" in new) or old.get("default") != new.get("default"):
        was, now = (value_in_words(each["default"]) if "default" in each else "nothing" for each in (old, new))
        message = f"what stands for a missing {place.words} changed from {was} to {now}"
        yield Change("default", place, message, frozenset(), old, new)
    was, now = (each.get("x-classification") or "not classified" for each in (old, new))
    if was != now:
        message = f"the classification of {place.words} changed from {was} to {now}"
        yield Change("classification", place, message, frozenset(), old, new)


def _counterpart(field: Any, before: dict[str, int], names: frozenset[str]) -> str | None:
    """The old field that a new one continues: of its name, else of an alias that no new field has as its name."""
    if field["name"] in before:
        return str(field["name"])
    aliases = field.get("aliases", [])
    return next((str(each) for each in aliases if each in before and each not in names), None)


def _is_misread(old: Any, new: Any) -> bool:
    """Whether what one writes the other reads as another value: Avro compares neither scales nor units of time."""
    if not isinstance(old, dict) or not isinstance(new, dict) or _kind(old) != _kind(new):
        return False
    was, now = old.get("logicalType"), new.get("logicalType")
    if was == now == "decimal":
        return bool(old.get("scale", 0) != new.get("scale", 0))
    return was != now and was in _UNITS and now in _UNITS


def _branches(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [raw]


def _without(inner: Place, old: Any, new: Any, place: Place) -> Place:
    """The place inside a union; where one side is none, its pointer stays."""
    return replace(
        inner,
        old=inner.old if isinstance(old, list) else place.old,
        new=inner.new if isinstance(new, list) else place.new,
    )


def _kind(raw: Any) -> str:
    kind = raw if isinstance(raw, str) else str(raw["type"])
    return "record" if kind == "error" else kind


def _branch_name(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    return str(raw["name"] if raw["type"] in _NAMED else raw["type"])


def _pairs(left: list[Any], right: list[Any]) -> list[tuple[Any, Any]]:
    named = {_branch_name(each): each for each in left}
    return [(named[_branch_name(each)], each) for each in right if _branch_name(each) in named]


def _schema(raw: Any, known: dict[str, Any]) -> Schema:
    return Schema.parse(json.dumps(_written_out(raw, known, set())))


def _written_out(raw: Any, known: dict[str, Any], done: set[str]) -> Any:
    """The same type with every named type it uses written out where it comes first."""
    if isinstance(raw, str):
        return _written_out(known[raw], known, done) if raw in known and raw not in done else raw
    if isinstance(raw, list):
        return [_written_out(each, known, done) for each in raw]
    if raw["type"] in _NAMED:
        done.add(raw["name"])
    inner = {part: _written_out(raw[part], known, done) for part in _INSIDE.get(raw["type"], ())}
    if raw["type"] in _RECORDS:
        fields = raw["fields"]
        inner["fields"] = [{**each, "type": _written_out(each["type"], known, done)} for each in fields]
    return {**raw, **inner}


_UNITS = frozenset(
    f"{kind}-{unit}" for kind in ("time", "timestamp", "local-timestamp") for unit in ("millis", "micros", "nanos")
)
_INSIDE = {"array": ("items",), "map": ("values",)}
