"""How a change could be made so that it breaks nobody: steps that a file's text can take, and advice for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from exchange.avro import Change, listed, type_in_words
from exchange.cli import schema_edits as edits


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about a change; `edit` does it, where that is safe."""

    change: Change
    words: str
    edit: edits.Edit | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """Whom a change may not break: by the level, and by who reads which top-level field."""

    level: str
    read_by: Callable[[str], Sequence[str]]

    def new_reads(self, change: Change) -> bool:
        """Whether the change breaks reading old events, and may not."""
        return "new" in change.breaks and self.level.startswith(("BACKWARD", "FULL"))

    def present_read(self, change: Change) -> bool:
        """Whether the change breaks present subscribers, and may not."""
        return "old" in change.breaks and self.level.startswith(("FORWARD", "FULL"))

    def keeps(self, change: Change) -> bool:
        """Whether a field that is gone has to stay."""
        return self.present_read(change) or bool(self._readers(change))

    def reason(self, change: Change) -> str:
        """Why it has to stay."""
        readers = self._readers(change)
        return f"{', '.join(readers)} read it" if len(readers) > 1 else f"{readers[0]} reads it" if readers else _LEVEL

    def _readers(self, change: Change) -> Sequence[str]:
        return self.read_by(change.field) if change.place.words == f"field {change.field}" else ()


_LEVEL = "present subscribers need it"


def propose(found: Sequence[Change], needs: Needs) -> Iterator[Step]:
    """A step for each change that breaks somebody it may not, in order."""
    for change in found:
        if change.kind == "field_added":
            yield from _added(change, found, needs)
        elif change.kind == "field_removed":
            yield from _removed(change, found, needs)
        elif change.kind == "field_renamed" and needs.keeps(change):
            yield Step(change, f"keep {change.place.words} beside {change.after['name']}, which then needs no alias")
        elif needs.new_reads(change) and change.kind in _FOR_NEW:
            yield _FOR_NEW[change.kind](change)
        elif needs.new_reads(change) or needs.present_read(change) or change.kind == "misread":
            yield Step(change, _advice(change))


def _added(change: Change, found: Sequence[Change], needs: Needs) -> Iterator[Step]:
    if not needs.new_reads(change):
        return
    gone = _renamed_from(change, found, needs)
    if gone is None:
        yield Step(
            change, f"let {change.place.words} be null, with null as its default", edits.optional(change.place.new)
        )
        return
    name = gone.before["name"]
    words = f"give {change.place.words} the alias {name}: the same field under another name"
    yield Step(change, words, edits.alias(change.place.new, name))


def _removed(change: Change, found: Sequence[Change], needs: Needs) -> Iterator[Step]:
    if needs.keeps(change):
        yield Step(
            change, f"keep {change.place.words}: {needs.reason(change)}", edits.kept(change.place.old, change.place.new)
        )


def _renamed_from(added: Change, found: Sequence[Change], needs: Needs) -> Change | None:
    """The removed field that an added one without a default continues: the only one beside it of the same type."""
    gone = [each for each in found if each.kind == "field_removed" and _same_type(each, added)]
    rivals = [each for each in found if each.kind == "field_added" and "new" in each.breaks and _same_type(each, added)]
    return gone[0] if len(gone) == len(rivals) == 1 and not needs.keeps(gone[0]) else None


def _same_type(one: Change, other: Change) -> bool:
    """Whether two fields of one record have the same type."""
    fields = [each.before or each.after for each in (one, other)]
    beside = _parent(one.place.new) == _parent(other.place.new)
    return beside and type_in_words(fields[0]["type"]) == type_in_words(fields[1]["type"])


def _parent(pointer: str) -> str:
    return pointer.rpartition("/")[0]


def _null_dropped(change: Change) -> Step:
    return Step(change, f"let {change.place.words} be null again", edits.nullable(change.place.new))


def _branch_dropped(change: Change) -> Step:
    words = f"let {change.place.words} also be {type_in_words(change.before)} again"
    return Step(change, words, edits.branch(change.place.new, json.dumps(change.before)))


def _symbols_dropped(change: Change) -> Step:
    lost = [each for each in change.before["symbols"] if each not in change.after["symbols"]]
    words = f"leave {listed(lost)} among what {change.place.words} can be"
    return Step(change, words, edits.symbols(change.place.new, change.before["symbols"]))


def _type_renamed(change: Change) -> Step:
    name = change.before["name"]
    words = f"give the type of {change.place.words} the alias {name}"
    return Step(change, words, edits.alias(change.place.new, name))


def _type_changed(change: Change) -> Step:
    if "old" in change.breaks:
        return Step(change, _advice(change))
    words = f"leave {change.place.words} as {type_in_words(change.before)}, which has room for {_now(change)}"
    return Step(change, words, edits.as_before(change.place.old, change.place.new))


_FOR_NEW = {
    "null_dropped": _null_dropped,
    "branch_dropped": _branch_dropped,
    "symbols_dropped": _symbols_dropped,
    "type_renamed": _type_renamed,
    "type_changed": _type_changed,
}


def _advice(change: Change) -> str:
    """What a person has to decide."""
    place = change.place.words
    if change.kind in ("type_changed", "misread"):
        was = type_in_words(change.before)
        return f"leave {place} as {was}, and add a new field, which may be null, for {_now(change)}"
    if change.kind in ("null_added", "branch_added"):
        return f"leave {place} as it was, and add a new field, which may be null, for what is new"
    if change.kind == "symbols_added":
        return f"first give the enum of {place} a default, in a version of its own; then add symbols"
    if change.kind == "type_renamed":
        return f"leave the type of {place} its name: {change.before['name']}"
    return f"{change}; where it has to be so, it is another topic"


def _now(change: Change) -> str:
    return type_in_words(change.after)
