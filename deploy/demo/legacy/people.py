"""Synthetic residents: names, addresses, and numbers of the form that real ones have.

Nobody here exists. mimesis has no Uzbek locale, so most names come from a provider of our own on mimesis's
seeded generator; one resident in eight gets a Russian name from mimesis, in the Latin script of the register.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from mimesis import Gender, Locale, Person
from mimesis.providers.base import BaseProvider

from deploy.demo.legacy import vocabulary

_WEIGHTS = (7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7)
_EARLIEST = date(1936, 1, 1).toordinal()
_LATEST = date(2007, 12, 31).toordinal()


@dataclass(frozen=True, slots=True)
class Name:
    """A full name in Uzbek Latin script; `patronymic` is None where the documents have none."""

    family: str
    given: str
    patronymic: str | None


class CivilProvider(BaseProvider):
    """Names, birth dates and addresses of Uzbekistan, drawn from a seeded generator."""

    class Meta:
        """How mimesis calls the provider."""

        name = "civil"
        auto_register = False

    def __init__(self, seed: int) -> None:
        super().__init__(seed=seed)
        self._russian = Person(Locale.RU, seed=seed)

    def name(self, *, male: bool) -> Name:
        """A full name."""
        return self._russian_name(male) if self.random.random() < 0.125 else self._uzbek_name(male)

    def birth_date(self) -> date:
        """A birthday of someone who is of age in 2026."""
        return date.fromordinal(self.random.randint(_EARLIEST, _LATEST))

    def day_between(self, first: date, last: date) -> date:
        """A day from `first` to `last`, both included."""
        return first + timedelta(days=self.random.randint(0, (last - first).days))

    def address(self, district: str) -> str:
        """District, mahalla, street, house and perhaps flat, as a register writes them."""
        choice, number = self.random.choice, self.random.randint
        mahalla, street = choice(vocabulary.MAHALLAS), choice(vocabulary.STREETS)
        flat = f", {number(1, 96)}-xonadon" if self.random.random() < 0.5 else ""
        return f"{district}, {mahalla} MFY, {street} ko‘chasi, {number(1, 180)}-uy{flat}"

    def _uzbek_name(self, male: bool) -> Name:
        choice = self.random.choice
        given = choice(vocabulary.MEN if male else vocabulary.WOMEN)
        family = choice(vocabulary.FAMILIES) + ("" if male else "a")
        return Name(family, given, f"{choice(vocabulary.MEN)} {'o‘g‘li' if male else 'qizi'}")

    def _russian_name(self, male: bool) -> Name:
        gender = Gender.MALE if male else Gender.FEMALE
        patronymic = self._russian.patronymic(gender=gender)
        return Name(
            latin(self._russian.last_name(gender=gender)),
            latin(self._russian.first_name(gender=gender)),
            latin(patronymic) if patronymic and self.random.random() < 0.9 else None,
        )


def latin(russian: str) -> str:
    """Russian text in Uzbek Latin letters."""
    return russian.translate(vocabulary.LATIN_OF_RUSSIAN)


def pinfl(birth: date, *, male: bool, area: int, serial: int) -> str:
    """A personal number: century and sex, day of birth, area, serial number, check digit.

    `area` and `serial` have up to three digits. The first digit is 3 or 4 for a man or woman born in the 20th
    century, 5 or 6 in the 21st.
    """
    first = (3 if birth.year < 2001 else 5) + (0 if male else 1)
    body = f"{first}{birth:%d%m%y}{area:03}{serial:03}"
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """The last digit of a personal number: the weights 7, 3, 1 in turn, modulo 10."""
    return str(sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 10)
