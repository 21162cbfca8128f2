"""What the commands about schemas say of a change: what it breaks, in words, and for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.avro import Change, Finding, Incompatibility, Schema, changes, check_compatibility
from exchange.cli.schema_files import Version
from exchange.cli.schema_readers import Reader

_NOTICED = frozenset(
    {
        "field_removed",
        "field_renamed",
        "type_changed",
        "misread",
        "null_added",
        "branch_added",
        "symbols_added",
        "type_renamed",
    }
)
NOTHING = "nothing changed that anybody would notice"
_LOST = frozenset({"field_removed", "field_renamed"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions side by side: what changed, and whether each way of reading goes on."""

    changes: tuple[Change, ...]
    new_reads_old: bool
    present_read_new: bool

    @classmethod
    def of(cls, old: Schema, new: Schema) -> Comparison:
        """Compare a version with the one after it."""
        backward, forward = (check_compatibility(new, [old], level) for level in ("BACKWARD", "FORWARD"))
        return cls(tuple(changes(old, new)), not backward, not forward)

    def data(self) -> dict[str, Any]:
        """As the commands print it in JSON."""
        listed = [change_data(each) for each in self.changes]
        ways = {"new_schema_reads_old_events": self.new_reads_old}
        return {"changes": listed, **ways, "present_subscribers_read_new_events": self.present_read_new}

    def lines(self) -> Iterator[str]:
        """The changes, then one line for each way of reading."""
        yield from map(str, self.changes)
        if not self.changes:
            yield NOTHING
        yield ""
        yield from self.ways()

    def ways(self) -> Iterator[str]:
        """One line for each way of reading, with the reason where it does not go on."""
        yield f"Can the new schema read old events?       {self._answer('new', self.new_reads_old)}"
        yield f"Can present subscribers read new events?  {self._answer('old', self.present_read_new)}"

    def _answer(self, reads: str, holds: bool) -> str:
        if holds:
            return "yes"
        places = dict.fromkeys(each.place.words for each in self.changes if reads in each.breaks)
        return f"no, because of {', '.join(places)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that `schema check` found."""

    file: str
    topic: str | None
    level: str
    against: tuple[Version, ...]
    comparison: Comparison | None
    reasons: tuple[Incompatibility, ...]
    findings: tuple[Finding, ...]
    readers: tuple[Reader, ...]
    lint_refuses: bool

    @property
    def is_refused(self) -> bool:
        """Whether the registry would refuse it."""
        return bool(self.reasons) or (self.lint_refuses and bool(self.findings))

    @property
    def losses(self) -> list[tuple[Change, Reader]]:
        """The fields that are gone under their name, with each adapter that would refuse every new event for it."""
        return [
            (change, reader)
            for change in self._changes()
            if change.kind in _LOST and _is_top_level(change)
            for reader in self.readers
            if reader.is_adapter and change.field in reader.fields
        ]

    @property
    def misreads(self) -> list[Change]:
        """The changes after which readers take values for others, and no error says so."""
        return [each for each in self._changes() if each.kind == "misread"]

    @property
    def is_bad(self) -> bool:
        """Whether it should not be registered as it is."""
        return self.is_refused or bool(self.losses) or bool(self.misreads)

    def affected(self, change: Change) -> list[Reader]:
        """Who reads the field that a change is in, where they would notice."""
        if change.kind not in _NOTICED and "old" not in change.breaks:
            return []
        return [each for each in self.readers if not change.field or change.field in each.fields]

    def data(self) -> dict[str, Any]:
        """As the command prints it in JSON."""
        compared = self.comparison.data() if self.comparison else {"changes": []}
        compared["changes"] = [
            {**change_data(each), "read_by": [reader_data(one, each.field) for one in self.affected(each)]}
            for each in self._changes()
        ]
        return {
            "file": self.file,
            "topic": self.topic,
            "level": self.level,
            "against": [each.label for each in self.against],
            "refused": self.is_refused,
            "reasons": [f"{self.against[each.earlier].label}: {each.message}" for each in self.reasons],
            **compared,
            "lint": [{"rule": each.rule, "path": each.path, "message": each.message} for each in self.findings],
        }

    def lines(self) -> Iterator[str]:
        """As a person reads it: the changes with those they concern, both ways of reading, lint, the verdict."""
        yield from self._compared()
        for each in self.findings:
            yield f"{'error' if self.lint_refuses else 'warning'}: {each}"
        yield from (f"error: {each}" for each in self._errors())

    def _compared(self) -> Iterator[str]:
        if self.comparison is None:
            yield f"{self.file}: the first version, as far as can be seen: nothing comes before it"
            return
        yield f"{self.file} after {self.against[-1].label}:"
        for change in self.comparison.changes:
            yield f"  {change}"
            yield from (f"    {each}" for each in self._read_by(change))
        if not self.comparison.changes:
            yield f"  {NOTHING}"
        yield from self.comparison.ways()

    def _read_by(self, change: Change) -> Iterator[str]:
        affected = self.affected(change)
        if not affected and self.topic and "old" in change.breaks:
            yield "read by nobody who is known here"
        yield from (_reader_line(each, change.field) for each in affected)

    def _errors(self) -> Iterator[str]:
        for each in self.reasons:
            yield f"level {self.level} refuses it after {self.against[each.earlier].label}: {each.message}"
        for change in self.misreads:
            yield f"{change.place.words} would be misread, and no error would say so: add a new field instead"
        for change, reader in self.losses:
            yield f"{reader.agency} ({reader.where}) would refuse new events, for they have no field {change.field}"

    def _changes(self) -> Sequence[Change]:
        return self.comparison.changes if self.comparison else ()


def change_data(change: Change) -> dict[str, Any]:
    """A change as the commands print it in JSON."""
    breaks = [name for reads, name in _BREAKS.items() if reads in change.breaks]
    return {"kind": change.kind, "field": change.field, "message": str(change), "breaks": breaks}


_BREAKS = {"new": "new_schema_reads_old_events", "old": "present_subscribers_read_new_events"}


def reader_data(reader: Reader, field: str) -> dict[str, str]:
    """Who reads a field, where that is written, and what becomes of it there."""
    return {"agency": reader.agency, "where": reader.where, "use": reader.fields.get(field, "")}


def _reader_line(reader: Reader, field: str) -> str:
    use = reader.fields.get(field)
    return f"read by {reader.agency}: {reader.where}{f', {use}' if use else ''}"


def _is_top_level(change: Change) -> bool:
    return change.place.words == f"field {change.field}"
