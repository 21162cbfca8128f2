"""One difference between two versions of a schema, and where it is, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

CONSEQUENCES = {
    "new": "readers of the new schema cannot read old events",
    "old": "present subscribers cannot read new events",
}
"""Who cannot read, by the version that reads."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where two versions are compared: pointers into both, the top-level field, and what to call it."""

    old: str = ""
    new: str = ""
    field: str = ""
    words: str = "the event"

    def into(self, name: str, old: int, new: int) -> Place:
        """A field of the record that is here."""
        inner = f"field {name}" if not self.field else f"field {name} of {self._short}"
        return Place(f"{self.old}/fields/{old}", f"{self.new}/fields/{new}", self.field or name, inner)

    def down(self, old: str, new: str, what: str = "") -> Place:
        """A part of the type that is here; `what` names it (`each item`)."""
        words = f"{what} of {self._short}" if what else self.words
        return replace(self, old=f"{self.old}/{old}", new=f"{self.new}/{new}", words=words)

    @property
    def _short(self) -> str:
        return self.words.removeprefix("field ")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `breaks` has `new` where the new version cannot read old events because of it, and `old` where
    those who read with the old version cannot read new ones.

    `kind` is one of field_added, field_removed, field_renamed, type_changed, misread (of the same form, but old values
    are taken for others: nobody breaks, everybody is wrong), null_added, null_dropped, branch_added,
    branch_dropped, symbols_added, symbols_dropped, type_renamed, default, doc, classification, other. `before` and
    `after` are the parts of both schemas that differ: fields, types, or names of symbols.
    """

    kind: str
    place: Place
    message: str
    breaks: frozenset[str] = frozenset()
    before: Any = None
    after: Any = None

    @property
    def field(self) -> str:
        """The top-level field it is in, by its old name where it had one; empty for the record itself."""
        return self.place.field

    def __str__(self) -> str:
        reasons = [text for reads, text in CONSEQUENCES.items() if reads in self.breaks]
        return f"{self.message}: {'; '.join(reasons)}" if reasons else self.message
