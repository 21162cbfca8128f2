"""Schemas as agencies have them: made of the fields in `schemas/`, 300 bytes to 2 kB long, several versions a subject.

All of it follows from a seed, so that every round, every contender and every run meets the same schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

SCHEMAS = Path(__file__).parents[2] / "schemas"
BIG_BYTES = 2_000_000
_SEED = 20_260
_LARGEST = 1_500
_AGENCIES = ("interior.civil", "transport.flights", "customs.codes", "statistics.soato", "hydromet.weather", "tax.vat")
_PREFIXES = ("", "", "declared", "previous", "confirmed", "former", "reported", "legal", "current", "final")
# As clients send them: Java's and JavaScript's compact, Python's with spaces, and files as people write them.
_LAYOUTS: tuple[dict[str, Any], ...] = ({"separators": (",", ":")}, {"separators": (",", ":")}, {}, {"indent": 2})
Fields = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a subject, as it lies in the topic."""

    subject: str
    number: int
    id: int
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject: its record's name and fields as of the newest version, and how its texts are laid out."""

    name: str
    record: str
    fields: Fields
    layout: dict[str, Any]
    versions: list[Version] = field(default_factory=list)

    def text(self, fields: Fields) -> str:
        """A schema of this subject's record."""
        return _record_text(self.record, fields, self.layout)

    def next_text(self, mark: str) -> str:
        """A schema that may follow the newest under any level: one more optional field."""
        return self.text([*self.fields, _optional(mark)])

    def broken_text(self, mark: str) -> str:
        """A schema that may not follow under BACKWARD: one more field without a default."""
        return self.text([*self.fields, {"name": mark, "type": "string", "doc": "Without a default."}])


def subjects(count: int) -> list[Subject]:
    """As many subjects as `count` versions make, ids from 1 on."""
    random, pool, made, known = Random(_SEED), _pool(), 0, []
    while made < count:
        subject = _subject(random, pool, len(known))
        wanted = min(random.choice((1, 1, 2, 3, 3, 4, 5, 6)), count - made)
        for number in range(1, wanted + 1):
            if number > 1:
                subject.fields.append(_optional(f"added_{number}"))
            made += 1
            subject.versions.append(Version(subject.name, number, made, subject.text(subject.fields)))
        known.append(subject)
    return known


def new_subject(mark: str, number: int) -> tuple[str, str]:
    """A subject that was never there, and its first schema."""
    random = Random(f"{mark} {number}")
    subject = _subject(random, _pool(), number, mark)
    return subject.name, subject.text(subject.fields)


def big_texts() -> dict[str, str]:
    """Schemas of 2 MB by subject: a record of many fields, an enum of 100,000 symbols, records within records."""
    record = _grown(lambda n: {"name": f"column_{n:06}", "type": ["null", "string"], "default": None, "doc": "d" * 60})
    nested = _grown(lambda n: {"name": f"part_{n:05}", "type": _part(n), "default": {"code": ""}})
    symbols = [f"CLASSIFIER_ENTRY_{n:06}" for n in range(75_000)] + [f"E_{n:05}" for n in range(25_000)]
    enum = json.dumps({"type": "enum", "name": "Codes", "namespace": "uz.gov.bench", "symbols": symbols})
    texts = {"record": _record_text("Wide", record, {}), "nested": _record_text("Parts", nested, {}), "enum": enum}
    return {f"bench.big-{name}-value": text for name, text in texts.items()}


def changed_big(text: str, number: int) -> str:
    """The same schema with another doc: no text that a cache of texts could know."""
    return text.replace("{", f'{{"doc": "Candidate {number}.", ', 1)


def _pool() -> tuple[dict[str, Any], ...]:
    """Every field of the schemas in `schemas/`, one of each name."""
    if not _POOL:
        for path in sorted(SCHEMAS.rglob("*.avsc")):
            _POOL.update({each["name"]: each for each in json.loads(path.read_text("utf-8"))["fields"]})
    return tuple(_POOL.values())


_POOL: dict[str, dict[str, Any]] = {}


def _subject(random: Random, pool: tuple[dict[str, Any], ...], number: int, mark: str = "register") -> Subject:
    topic = f"gov.{random.choice(_AGENCIES)}.{mark}-{number}-changed.v1"
    record = f"{mark.title().replace('-', '')}{number}Changed"
    subject = Subject(f"{topic}-value", record, [], random.choice(_LAYOUTS))
    chosen = [_renamed(each, random.choice(_PREFIXES)) for each in random.sample(pool, random.randint(2, 8))]
    subject.fields.extend({each["name"]: each for each in chosen}.values())
    while len(subject.text(subject.fields)) > _LARGEST:
        subject.fields.pop()
    if random.random() < 0.05:
        subject.fields[0]["doc"] = (
            "Yashash manzili boʻyicha roʻyxatga olingan sana (дата регистрации по месту жительства)."
        )
    return subject


def _renamed(template: dict[str, Any], prefix: str) -> dict[str, Any]:
    """A field under another name, its own types too."""
    made = json.loads(json.dumps(template))
    if prefix:
        made["name"] = f"{prefix}_{made['name']}"
        for each in _named(made["type"]):
            each["name"] = prefix.title() + each["name"]
    return made


def _named(kind: Any) -> Iterator[dict[str, Any]]:
    if isinstance(kind, list):
        for branch in kind:
            yield from _named(branch)
    elif isinstance(kind, dict) and "name" in kind:
        yield kind


def _optional(name: str) -> dict[str, Any]:
    return {"name": name, "type": ["null", "string"], "default": None, "doc": f"Came with a later version ({name})."}


def _record_text(name: str, fields: Fields, layout: dict[str, Any]) -> str:
    doc = f"What the register says of a {name} has changed; the latest event is what holds."
    content = {"type": "record", "name": name, "namespace": "uz.gov.bench", "doc": doc, "fields": fields}
    return json.dumps(content, ensure_ascii=False, **layout)


def _grown(make: Any) -> Fields:
    """Fields until they are 2 MB long."""
    size = len(json.dumps(make(0))) + 2
    return [make(number) for number in range(BIG_BYTES // size)]


def _part(number: int) -> dict[str, Any]:
    code = {"name": "code", "type": "string", "default": "", "doc": "The code, as the classifier has it."}
    return {"type": "record", "name": f"Part{number:05}", "doc": "A part of the whole.", "fields": [code]}
