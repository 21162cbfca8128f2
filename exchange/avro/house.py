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

_DAYS = frozenset({"date", "on", "day", "birthday", "dob"})
_MOMENTS = frozenset({"at", "timestamp", "datetime", "moment"})
_TIMES = frozenset({"time"})
_ENDS = frozenset({"until", "since", "expiry", "expires", "deadline"})
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
    """What type a field should have whose name says it is a date or a time; None where it has one, or is none."""
    words = snake_case(name).split("_")
    plain = [each for each in _plain(kind, _TEMPORAL) if each in _NUMBERS | {"string"}]
    if not plain or snake_case(name) in _NO_DAYS:
        return None
    if words[-1] in _DAYS:
        return f'a day is {{"type": "int", "logicalType": "date"}}, not {plain[0]}'
    if words[-1] in _MOMENTS:
        return f"{_MOMENT}, not {plain[0]}"
    if words[-1] in _TIMES:
        day = 'a time of day {"type": "int", "logicalType": "time-millis"}'
        return f"{_MOMENT}, {day}, not {plain[0]}; a duration names its unit, e.g. {snake_case(name)}_seconds"
    if words[-1] in _ENDS:
        return f'{_MOMENT}, a day {{"type": "int", "logicalType": "date"}}, not {plain[0]}'
    return None


_MOMENT = 'a moment is {"type": "long", "logicalType": "timestamp-millis"} (or timestamp-micros)'


def money_advice(name: str, kind: Any) -> str | None:
    """What type a field should have whose name says it is money; None where it has it, or is none."""
    words = snake_case(name).split("_")
    in_currency = len(words) > 1 and words[-1] in _CURRENCIES
    last = words[-2] if in_currency else words[-1]
    certain = in_currency or last in _MONEY
    plain = [each for each in _plain(kind, frozenset()) if each in _NUMBERS or (certain and each == "string")]
    if not plain or not (certain or last in _MONEY_IF_A_NUMBER):
        return None
    right = '{"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}'
    return f"money is {right}, not {plain[0]}; what is no money names its unit"


def looks_personal(name: str) -> bool:
    """Whether a field's name is one that persons' data have everywhere."""
    return snake_case(name) in _PERSONAL


def _words(name: str) -> list[str]:
    return _WORDS.findall(name)


def _plain(kind: Any, logical: frozenset[tuple[str, str]]) -> Iterator[str]:
    """The primitive types of a field that have none of these logical types; decimals count as themselves."""
    for each in kind if isinstance(kind, list) else [kind]:
        if isinstance(each, str):
            yield each
        elif (each["type"], each.get("logicalType")) not in logical:
            yield str(each["type"])
