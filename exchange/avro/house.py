"""The house's conventions for names in schemas, and what a field's name says about its type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

CLASSIFICATIONS = ("identifier", "personal", "sensitive", "public")
"""`identifier`: a number that names somebody; `personal`: the rest about a person; `sensitive`: health, biometrics and
what else the law protects more; `public`: about nobody, though the event is."""

_CAMEL = re.compile(r"[A-Z][A-Za-z0-9]*")
_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_UPPER = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_NAMESPACE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_NO_DAYS = frozenset({"depends_on", "based_on", "relies_on", "acts_on"})
_TEMPORAL = frozenset(
    {
        *(("int", "date"), ("int", "time-millis"), ("long", "time-micros")),
        *(("long", f"{local}timestamp-{unit}") for local in ("", "local-") for unit in ("millis", "micros", "nanos")),
        *(("fixed", "duration"), ("int", "time"), ("long", "timestamp")),
    }
)
_MONEY = frozenset({"amount", "price", "cost", "salary", "wage", "income", "debt", "balance", "fee", "turnover"})
_MONEY_IF_A_NUMBER = frozenset({"tariff", "payment", "fine", "penalty", "pension", "benefit", "charge", "duty", "tax"})
_CURRENCIES = frozenset({"uzs", "usd", "eur", "rub", "kzt", "cny"})
_NUMBERS = frozenset({"int", "long", "float", "double"})
_PERSONAL = frozenset(
    {
        *("pinfl", "passport", "passport_number", "document_number", "birth_date", "date_of_birth", "birth_place"),
        *("family_name", "given_name", "first_name", "last_name", "surname", "patronymic", "middle_name", "full_name"),
        *("phone", "phone_number", "email", "home_address", "citizenship", "nationality", "fingerprint", "diagnosis"),
    }
)


def is_camel_case(name: str) -> bool:
    """`ResidenceChanged`."""
    return _CAMEL.fullmatch(name) is not None and (len(name) == 1 or not name.isupper())


def is_snake_case(name: str) -> bool:
    """`birth_date`."""
    return _SNAKE.fullmatch(name) is not None


def is_upper_case(name: str) -> bool:
    """`NOT_RECORDED`."""
    return _UPPER.fullmatch(name) is not None


def is_namespace(name: str) -> bool:
    """`uz.gov.interior.civil`."""
    return _NAMESPACE.fullmatch(name) is not None


def camel_case(name: str) -> str:
    """The same name as a type would have it."""
    return "".join(each.capitalize() for each in _words(name)) or "A"


def snake_case(name: str) -> str:
    """The same name as a field would have it."""
    return "_".join(each.lower() for each in _words(name)) or "a"


def upper_case(name: str) -> str:
    """The same name as a symbol would have it."""
    return snake_case(name).upper()


def time_advice(name: str, kind: Any) -> str | None:
    """What type a field should have whose snake_case name says it is a date or a time; None where it is right."""
    advice = _TIME_ADVICE.get(name.rpartition("_")[2])
    if advice is None or name in _NO_DAYS:
        return None
    plain = next((each for each in _plain(kind, _TEMPORAL) if each in _NUMBERS or each == "string"), None)
    return advice.format(plain=plain, name=name) if plain else None


_DAY = '{{"type": "int", "logicalType": "date"}}'
_MOMENT = 'a moment is {{"type": "long", "logicalType": "timestamp-millis"}} (or timestamp-micros)'
_CLOCK = 'a time of day {{"type": "int", "logicalType": "time-millis"}}'
_TIME_ADVICE = {
    **dict.fromkeys(("date", "on", "day", "birthday", "dob"), f"a day is {_DAY}, not {{plain}}"),
    **dict.fromkeys(("at", "timestamp", "datetime", "moment"), f"{_MOMENT}, not {{plain}}"),
    **dict.fromkeys(("until", "since", "expiry", "expires", "deadline"), f"{_MOMENT}, a day {_DAY}, not {{plain}}"),
    "time": f"{_MOMENT}, {_CLOCK}, not {{plain}}; a duration names its unit, e.g. {{name}}_seconds",
}


def money_advice(name: str, kind: Any) -> str | None:
    """What type a field should have whose snake_case name says it is money; None where it is right."""
    before, _, last = name.rpartition("_")
    in_currency = bool(before) and last in _CURRENCIES
    last = before.rpartition("_")[2] if in_currency else last
    certain = in_currency or last in _MONEY
    if not certain and last not in _MONEY_IF_A_NUMBER:
        return None
    plain = [each for each in _plain(kind, frozenset()) if each in _NUMBERS or (certain and each == "string")]
    right = '{"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}'
    return f"money is {right}, not {plain[0]}; what is no money names its unit" if plain else None


def looks_personal(name: str) -> bool:
    """Whether a field's snake_case name is one that persons' data have everywhere."""
    return name in _PERSONAL


def _words(name: str) -> list[str]:
    return _WORDS.findall(name)


def _plain(kind: Any, logical: frozenset[tuple[str, str]]) -> Iterator[str]:
    """The primitive types of a field that have none of these logical types; decimals count as themselves."""
    for each in kind if isinstance(kind, list) else [kind]:
        if isinstance(each, str):
            yield each
        elif (each["type"], each.get("logicalType")) not in logical:
            yield str(each["type"])
