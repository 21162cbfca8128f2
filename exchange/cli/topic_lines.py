"""Lines of JSON as events of a topic: each typed by the schema, or with what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from exchange.avro import JsonValues, Schema, parse_json
from exchange.errors import IdentifierError, ValueInvalid
from exchange.ids import Identifier


@dataclass(frozen=True, slots=True)
class Line:
    """One event to be published; `data` None is a tombstone. `subject` is set where the topic is about people."""

    number: int
    key: str | None
    subject: str | None
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no event, and why; never with what it says."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class KeyRule:
    """Where an event's key comes from: a field of its own, as it is, or as the pseudonym of an identifier.

    `is_personal`: the topic is about people, so its keys are pseudonyms, and the subject is one, too.
    """

    field: str | None
    scheme: str | None
    pepper: bytes | None
    is_personal: bool

    def key(self, data: dict[str, Any]) -> str | None:
        """The key of an event; raises ValueInvalid where its field is missing or no text or whole number."""
        if self.field is None:
            return None
        value = data.get(self.field)
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
            raise ValueInvalid(f"/{self.field}: is the key, and has to be text or a whole number")
        if self.scheme is None or self.pepper is None:
            return str(value)
        try:
            return Identifier(self.scheme, str(value)).pseudonym(self.pepper)
        except IdentifierError as error:
            raise ValueInvalid(f"/{self.field}: {error.message}") from None


class Lines:
    """Reads lines; with `rows` each is `{"key": …, "data": …}` as `topic tail -o json` prints it."""

    def __init__(self, schema: Schema, rule: KeyRule, *, rows: bool) -> None:
        self._schema = schema
        self._values = JsonValues(schema)
        self._rule = rule
        self._rows = rows

    def read(self, lines: Iterable[str]) -> tuple[list[Line], list[BadLine]]:
        """The events, and the lines that are none; empty lines are neither."""
        good: list[Line] = []
        bad: list[BadLine] = []
        for number, text in enumerate(lines, 1):
            if text.strip():
                try:
                    good.append(self._line(number, text))
                except ValueInvalid as error:
                    bad.append(BadLine(number, error.message))
        return good, bad

    def _line(self, number: int, text: str) -> Line:
        given = parse_json(text)
        key, data = self._row(given) if self._rows else self._plain(given)
        if data is None and key is None:
            raise ValueInvalid("a tombstone needs a key: it says which entity is gone")
        return Line(number, key, key if self._rule.is_personal else None, data)

    def _plain(self, given: Any) -> tuple[str | None, dict[str, Any]]:
        data = self._data(given)
        return self._rule.key(data), data

    def _row(self, given: Any) -> tuple[str | None, dict[str, Any] | None]:
        if not isinstance(given, dict) or "data" not in given:
            raise ValueInvalid('expected an object with "key" and "data"')
        key = given.get("key")
        if key is not None and not isinstance(key, str):
            raise ValueInvalid("/key: expected text or null")
        return key, None if given["data"] is None else self._data(given["data"])

    def _data(self, given: Any) -> dict[str, Any]:
        data: dict[str, Any] = self._values.value(given)
        self._schema.encode(data)
        return data
