"""What the house asks of a schema beyond being Avro: documented, named alike, exact about times, money and persons.

| rule | asks for |
|---|---|
| `doc` | a `doc` on the record, on each field and on each enum |
| `name` | `CamelCase` types, `snake_case` fields, `UPPER_CASE` symbols |
| `namespace` | a namespace, in lower case, that is the agency's |
| `time` | a logical type for what its name says is a date or a time |
| `money` | a decimal for what its name says is money |
| `default` | `null` first and as the default where a value may be missing; a default symbol on each enum |
| `map` | no map among personal data: whatever its keys are, no agreement can name them |
| `classification` | `x-classification` on each field of personal data: identifier, personal, sensitive or public |

Pure, one pass over the resolved schema. A field's mark holds for what is nested in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exchange.avro.house import (
    CLASSIFICATIONS,
    camel_case,
    is_camel_case,
    is_namespace,
    is_snake_case,
    is_upper_case,
    looks_personal,
    money_advice,
    snake_case,
    time_advice,
    upper_case,
)
from exchange.avro.schema import Schema

MOST_FINDINGS = 200
"""A schema that is wrong in more places is told of the first ones."""

_NAMED = frozenset({"record", "error", "enum", "fixed"})
_ABOUT_SOMEBODY = frozenset({"identifier", "personal", "sensitive"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the house would have otherwise: the rule, a pointer into the schema, and what would be right."""

    rule: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [{self.rule}]"


def lint(schema: Schema, personal: bool | None) -> list[Finding]:
    """What the house would have otherwise, in the schema's order; at most MOST_FINDINGS.

    `personal` says whether the topic holds personal data; None where no topic is known: then only the schema's own
    marks count.
    """
    return _Lint(personal).findings(schema.raw)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the pass is: the pointer, the names of the fields that lead there, the mark that holds for them all."""

    pointer: str = ""
    fields: tuple[str, ...] = ()
    mark: str | None = None

    def down(self, *tokens: str) -> _Place:
        return _Place("/".join((self.pointer, *tokens)), self.fields, self.mark)

    @property
    def path(self) -> str:
        return self.pointer or "/"

    @property
    def words(self) -> str:
        return f"field {'.'.join(self.fields)}" if self.fields else "the schema"


class _Lint:
    def __init__(self, personal: bool | None) -> None:
        self._personal = personal
        self._found: list[Finding] = []

    def findings(self, raw: Any) -> list[Finding]:
        self._type(raw, _Place())
        return self._found[:MOST_FINDINGS]

    def _say(self, rule: str, place: _Place, message: str) -> None:
        self._found.append(Finding(rule, place.path, message))

    def _type(self, raw: Any, place: _Place) -> None:
        """A type, wherever it stands; a name that was defined before was looked at there."""
        if len(self._found) >= MOST_FINDINGS or isinstance(raw, str):
            return
        if isinstance(raw, list):
            for i, branch in enumerate(raw):
                self._type(branch, place.down(str(i)))
        elif raw["type"] == "array":
            self._type(raw["items"], place.down("items"))
        elif raw["type"] == "map":
            self._map(place)
            self._type(raw["values"], place.down("values"))
        elif raw["type"] in _NAMED:
            self._named(raw, place)

    def _named(self, raw: dict[str, Any], place: _Place) -> None:
        namespace, _, name = raw["name"].rpartition(".")
        kind = "record" if raw["type"] == "error" else raw["type"]
        if not is_camel_case(name):
            self._say("name", place, f"{kind} {name} should be named in CamelCase: {camel_case(name)}")
        if not is_namespace(namespace):
            now = f"has namespace {namespace}" if namespace else "has no namespace"
            right = "the agency's, in lower case, e.g. uz.gov.interior.civil"
            self._say("namespace", place, f"{kind} {name} {now}; it should be {right}")
        if kind == "record":
            self._record(raw, place)
        elif kind == "enum":
            self._enum(raw, name, place)

    def _record(self, raw: dict[str, Any], place: _Place) -> None:
        self._doc(raw, place, f"record {raw['name'].rpartition('.')[2]}", "one event is, and what the latest one means")
        for i, field in enumerate(raw["fields"]):
            if len(self._found) >= MOST_FINDINGS:
                return
            mark = field.get("x-classification")
            pointer = f"{place.pointer}/fields/{i}"
            self._field(field, _Place(pointer, (*place.fields, field["name"]), place.mark if mark is None else mark))

    def _enum(self, raw: dict[str, Any], name: str, place: _Place) -> None:
        self._doc(raw, place, f"enum {name}", "its symbols stand for")
        odd = [each for each in raw["symbols"] if not is_upper_case(each)]
        if odd:
            more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
            right = f"{odd[0]}{more} should be in UPPER_CASE: {upper_case(odd[0])}"
            self._say("name", place.down("symbols"), f"enum {name}: symbol {right}")
        if "default" not in raw:
            right = 'give it one, e.g. "default": "OTHER", with that symbol among the others'
            reason = "readers fail at a symbol that a later version adds"
            self._say("default", place, f"enum {name} has no default symbol: {reason}; {right}")

    def _field(self, field: dict[str, Any], place: _Place) -> None:
        self._doc(field, place, place.words, "it holds, with the unit where there is one")
        name = snake_case(field["name"])
        if not is_snake_case(field["name"]):
            self._say("name", place, f"{place.words} should be named in snake_case: {name}")
        for rule, advice in (("time", time_advice(name, field["type"])), ("money", money_advice(name, field["type"]))):
            if advice:
                self._say(rule, place.down("type"), f"{place.words}: {advice}")
        self._missing(field, place)
        self._classification(field, place)
        self._type(field["type"], place.down("type"))

    def _doc(self, raw: dict[str, Any], place: _Place, words: str, what: str) -> None:
        doc = raw.get("doc")
        if not isinstance(doc, str) or not doc.strip():
            self._say("doc", place, f'{words} has no "doc": say in a sentence what {what}')

    def _missing(self, field: dict[str, Any], place: _Place) -> None:
        kind = field["type"]
        if not isinstance(kind, list) or "null" not in kind:
            return
        if kind[0] != "null" or "default" not in field:
            right = 'put "null" first in its type and give it "default": null'
            reason = "it can be left out, but has no default: it could never be removed"
            self._say("default", place, f"{place.words}: {reason}; {right}")

    def _map(self, place: _Place) -> None:
        if place.mark != "public" and (self._personal or place.mark in _ABOUT_SOMEBODY):
            reason = "a map's keys are declared nowhere, so no agreement can name them and no reader knows what comes"
            self._say(
                "map", place, f"{place.words} is a map of personal data: {reason}; declare a field for each thing"
            )

    def _classification(self, field: dict[str, Any], place: _Place) -> None:
        own = field.get("x-classification")
        if own is not None and own not in CLASSIFICATIONS:
            allowed = ", ".join(CLASSIFICATIONS)
            self._say("classification", place, f'{place.words}: "x-classification" should be one of {allowed}')
        elif self._personal is False and own in _ABOUT_SOMEBODY:
            right = "the operators mark the topic `personal: true`, or the field is public"
            reason = f"marked {own}, but the directory does not say that the topic holds personal data"
            self._say("classification", place, f"{place.words} is {reason}: {right}")
        elif place.mark is None and not _holds_fields(field["type"]):
            self._unmarked(snake_case(field["name"]), place)

    def _unmarked(self, name: str, place: _Place) -> None:
        right = f'add "x-classification": one of {", ".join(CLASSIFICATIONS)}'
        if self._personal:
            reason = "has no x-classification, and the topic holds personal data"
            self._say("classification", place, f"{place.words} {reason}: {right}")
        elif looks_personal(name):
            self._say("classification", place, f"{place.words} sounds like personal data: {right}")


def _holds_fields(kind: Any) -> bool:
    """Whether a type's values are records written out here: their own fields are then classified."""
    return any(each["type"] in ("record", "error") for each in _inner(kind))


def _inner(kind: Any) -> Iterator[dict[str, Any]]:
    """The types of a union's branches, an array's items and a map's values, as far as they are written out."""
    for each in kind if isinstance(kind, list) else [kind]:
        if isinstance(each, dict):
            yield each
            if each["type"] in ("array", "map"):
                yield from _inner(each["items" if each["type"] == "array" else "values"])
