"""`exchange schema evolve`: the compatible form of a change."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from exchange.avro import Schema, changes
from exchange.cli.files import write_whole
from exchange.cli.instance import Instance
from exchange.cli.output import emit_report, note
from exchange.cli.schema_check import AGAINST, FILE, LEVEL, REGISTRY, TOPIC, judge
from exchange.cli.schema_readers import look_around
from exchange.cli.schema_steps import Needs, Step, propose
from exchange.cli.schema_text import SchemaText
from exchange.errors import ExchangeError, SchemaInvalid, SettingsError

_MOST_STEPS = 500


@dataclass(frozen=True, slots=True)
class Evolution:
    """A file's text made compatible as far as that is safe: what was done, and what a person has to decide."""

    text: str
    done: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to decide."""
        return not self.open


@click.command()
@FILE
@TOPIC
@AGAINST
@REGISTRY
@LEVEL
@click.option("--write", is_flag=True, help="Change FILE as proposed, as far as that is safe.")
@click.pass_obj
def evolve(
    instance: Instance, file: Path, topic: str | None, against: Path | None, ask: bool, level: str | None, write: bool
) -> None:
    """Propose the compatible form of what FILE changes in its earlier version.

    A new field may be null, a renamed one gets an alias, a removed one that somebody reads is kept, a type stays as
    wide as it was. Exits with 4 where something is left that a person has to decide.
    """
    around = look_around(instance)
    verdict = judge(instance, around, file, topic, against, ask, level)
    if not verdict.against:
        raise SettingsError(f"{file}: no earlier version is found: name it with --against")
    readers = [(each.agency, each.fields) for each in verdict.readers]
    needs = Needs(
        verdict.level, lambda field: tuple(dict.fromkeys(agency for agency, fields in readers if field in fields))
    )
    found = evolved(verdict.against[-1].schema, file.read_text(encoding="utf-8"), needs)
    if write and found.done:
        write_whole(file, found.text.encode())
    data = {"file": str(file), "against": verdict.against[-1].label, "level": verdict.level, "written": write}
    emit_report({**data, "steps": found.done, "to_decide": found.open, "schema": found.text}, _lines(found, write))
    if not found.is_complete:
        sys.exit(4)
    note(_conclusion(file, found, write))


def _lines(found: Evolution, write: bool) -> Iterator[str]:
    for each in found.done:
        yield f"{'done' if write else 'would'}: {each}"
    for each in found.open:
        yield f"to decide: {each}"


def _conclusion(file: Path, found: Evolution, write: bool) -> str:
    if not found.done:
        return f"{file}: compatible as it is"
    return f"{file}: changed; compatible now" if write else f"{file}: --write makes it so"


def evolved(old: Schema, text: str, needs: Needs) -> Evolution:
    """Take one safe step after the other, until none is left; a step that gives no schema is left to a person."""
    before, now = SchemaText(old.text), SchemaText(text)
    done: list[str] = []
    refused: set[str] = set()
    for _ in range(_MOST_STEPS):
        steps = list(propose(changes(old, Schema.parse(now.text)), needs))
        step = next((each for each in steps if each.edit and each.words not in refused), None)
        if step is None:
            return Evolution(now.text, tuple(done), tuple(each.words for each in steps))
        taken = _take(step, now, before)
        refused.add(step.words)
        if taken is not None:
            now = taken
            done.append(step.words)
    raise SchemaInvalid(f"more than {_MOST_STEPS} steps would be needed: this is another schema, and another topic")


def _take(step: Step, now: SchemaText, before: SchemaText) -> SchemaText | None:
    """The text after a step; None where that is no schema, or the step cannot be taken in this text."""
    changed = step.edit(now, before) if step.edit else None
    try:
        return SchemaText(Schema.parse(changed.text).text) if changed else None
    except ExchangeError:
        return None
