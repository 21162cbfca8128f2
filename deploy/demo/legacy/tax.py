"""Tax committee: companies and individual entrepreneurs, their standing and debt, owned by the residents.

Companies' names came out of an older system as a text file in CP1251, `|` between the columns and CRLF at the
end of the lines. It was taken over byte for byte: NOMI holds the bytes of that file, not characters.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from deploy.demo.legacy import vocabulary
from deploy.demo.legacy.database import (
    Progress,
    Row,
    create_database,
    fill,
    keep_change_counter,
    numbered,
    publish_file,
)
from deploy.demo.legacy.interior import FILE as CIVIL_REGISTER
from deploy.demo.legacy.people import CivilProvider

FILE = "tax.db"
EXPORT = "tax-companies.txt"
EXPORT_HEADER = "ИНН|НАИМЕНОВАНИЕ|ДАТА_РЕГ"
CHARSET = "cp1251"

SCHEMA = """
-- Taxpayers: companies (Y) and individual entrepreneurs (J).
CREATE TABLE TAXPAYERS (
  STIR       TEXT PRIMARY KEY,        -- taxpayer number, 9 digits
  TURI       TEXT NOT NULL,           -- Y company, J individual entrepreneur
  NOMI       BLOB,                    -- name in Russian, CP1251 bytes; NULL for entrepreneurs
  EGA_PINFL  TEXT NOT NULL,           -- owner, a resident's number
  TUM_KOD    TEXT NOT NULL,           -- district where registered, SOATO
  HOLAT      TEXT NOT NULL,           -- 1 in good standing, 2 in debt, 3 debt deferred, 4 suspended, 5 liquidated
  QARZ_TIYIN INTEGER NOT NULL,        -- debt, tiyin (1/100 of a soum)
  QARZ_SUM   TEXT GENERATED ALWAYS AS (printf('%d.%02d', QARZ_TIYIN / 100, QARZ_TIYIN % 100)) VIRTUAL,
  RO_SANA    TEXT NOT NULL,           -- registered, dd.mm.yyyy
  TOLOV_SANA TEXT,                    -- last payment, dd.mm.yyyy; '' or NULL none yet
  OZG        INTEGER                  -- change counter
);
CREATE INDEX IX_TAXPAYERS_EGA ON TAXPAYERS (EGA_PINFL);
"""

WATCHED = ("STIR", "TURI", "NOMI", "EGA_PINFL", "TUM_KOD", "HOLAT", "QARZ_TIYIN", "RO_SANA", "TOLOV_SANA")

_TODAY = date(2026, 10, 31)
_STANDINGS = "1" * 78 + "2" * 14 + "3" * 4 + "4" * 3 + "5"
_OF_AGE = timedelta(days=18 * 365 + 5)
_OWING = frozenset("234")


@dataclass(frozen=True, slots=True)
class _Owner:
    number: str
    home: str
    born: date


@dataclass(frozen=True, slots=True)
class _Company:
    number: str
    name: bytes
    registered: str


def load(folder: Path, progress: Progress, seed: int = 2026) -> None:
    """Create the export and the database in `folder`; needs the civil register there."""
    owners = _owners(folder / CIVIL_REGISTER)
    civil = CivilProvider(seed + 1)
    write_export(folder / EXPORT, civil, len(owners) // 5)
    companies = read_export(folder / EXPORT)
    total = len(companies) + len(owners) // 10
    with create_database(folder / FILE, SCHEMA) as connection:
        rows = numbered(_rows(civil, owners, companies))
        fill(connection, "TAXPAYERS", rows, 10, lambda done: progress("tax", done, total))
        keep_change_counter(connection, "TAXPAYERS", "OZG", WATCHED)


def write_export(path: Path, civil: CivilProvider, companies: int) -> None:
    """Write the older system's text file, CP1251, of that many companies."""
    lines = [EXPORT_HEADER, *_export_lines(civil, companies)]
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes("".join(f"{line}\r\n" for line in lines).encode(CHARSET))
    publish_file(unfinished, path)


def read_export(path: Path) -> list[_Company]:
    """The companies of the export, their names the bytes that are in the file."""
    lines = path.read_bytes().split(b"\r\n")[1:-1]
    fields = (line.split(b"|") for line in lines)
    return [_Company(number.decode("ascii"), name, day.decode("ascii")) for number, name, day in fields]


def _export_lines(civil: CivilProvider, companies: int) -> Iterator[str]:
    numbers = civil.random.sample(range(20_000_000, 32_000_000), companies)
    for serial, number in enumerate(numbers, start=1):
        registered = civil.day_between(date(1996, 1, 4), date(2026, 6, 30))
        yield f"{number}{civil.random.randint(0, 9)}|{_company_name(civil, serial)}|{registered:%d.%m.%Y}"


def _company_name(civil: CivilProvider, serial: int) -> str:
    choice = civil.random.choice
    place, trade = choice(vocabulary.COMPANY_PLACES), choice(vocabulary.COMPANY_TRADES)
    suffix = f" № {serial}" if civil.random.random() < 0.15 else ""
    return f"{choice(vocabulary.COMPANY_FORMS)} «{place} {trade}{suffix}»"


def _owners(register: Path) -> list[_Owner]:
    """Every resident, the oldest first."""
    query = "SELECT PINFL, TUM_KOD, T_SANA FROM FUQARO ORDER BY ID"
    with closing(sqlite3.connect(register)) as connection:
        rows = connection.execute(query).fetchall()
    people = (_Owner(number, home, _day(born)) for number, home, born in rows)
    return sorted(people, key=lambda each: (each.born, each.number))


def _rows(civil: CivilProvider, owners: list[_Owner], companies: list[_Company]) -> Iterator[Row]:
    for company in companies:
        adults = bisect(owners, _day(company.registered) - _OF_AGE, key=lambda each: each.born)
        owner = owners[civil.random.randrange(max(adults, 1))]
        yield (company.number, "Y", company.name, owner.number, owner.home, *_standing(civil, company.registered))
    for serial, owner in enumerate(civil.random.sample(owners, len(owners) // 10)):
        number = f"{40_000_000 + serial * 173:08}{civil.random.randint(0, 9)}"
        registered = civil.day_between(max(date(2008, 1, 8), owner.born + _OF_AGE), date(2026, 6, 30))
        yield (number, "J", None, owner.number, owner.home, *_standing(civil, f"{registered:%d.%m.%Y}"))


def _standing(civil: CivilProvider, registered: str) -> Row:
    """Standing, debt, registered, last payment."""
    draw = civil.random
    code = draw.choice(_STANDINGS)
    debt = draw.randint(50_000_00, 900_000_000_00) if code in _OWING else 0
    paid = civil.day_between(date(2026, 7, 1), _TODAY)
    return (code, debt, registered, draw.choice((f"{paid:%d.%m.%Y}",) * 10 + ("", None)))


def _day(text: str) -> date:
    day, month, year = text.split(".")
    return date(int(year), int(month), int(day))
