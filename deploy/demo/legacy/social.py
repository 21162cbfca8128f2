"""Social protection agency: benefit cases, and a copy of residences that the exchange keeps up to date.

A case remembers the district where it was opened. Whether that person still lives there is what RESIDENCE_COPY
is for: empty at first, it follows the civil register's events.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

from deploy.demo.legacy.database import Progress, Row, create_database, fill
from deploy.demo.legacy.interior import FILE as CIVIL_REGISTER
from deploy.demo.legacy.people import CivilProvider

FILE = "social.db"

SCHEMA = """
-- Benefit cases.
CREATE TABLE NAFAQA (
  ISH_ID      INTEGER PRIMARY KEY,
  ISH_N       TEXT NOT NULL UNIQUE,   -- case number
  PINFL       TEXT NOT NULL,          -- whose benefit, a resident's number
  TURI        TEXT NOT NULL,          -- 1 child, 2 disability, 3 low income, 4 loss of breadwinner
  SUMMA_TIYIN INTEGER NOT NULL,       -- a month, tiyin
  TUM_KOD     TEXT NOT NULL,          -- district where the case was opened, SOATO
  OCHILGAN    TEXT NOT NULL,          -- opened, dd.mm.yyyy
  YOPILGAN    TEXT,                   -- closed, dd.mm.yyyy; NULL open
  HOLAT       TEXT NOT NULL           -- 1 paid, 2 suspended, 3 closed
);
CREATE INDEX IX_NAFAQA_PINFL ON NAFAQA (PINFL);
-- Where people live, as the civil register says. Written by the exchange's adapter only.
CREATE TABLE RESIDENCE_COPY (
  PINFL       TEXT PRIMARY KEY,
  REGION      TEXT NOT NULL,
  DISTRICT    TEXT NOT NULL,
  ADDRESS     TEXT NOT NULL,
  CHANGED     TEXT NOT NULL           -- ISO 8601, UTC
);
"""


def load(folder: Path, progress: Progress, seed: int = 2026) -> None:
    """Create the agency's database in `folder`, one case for every seventh resident; needs the civil register."""
    with closing(sqlite3.connect(folder / CIVIL_REGISTER)) as connection:
        residents = connection.execute("SELECT PINFL, TUM_KOD FROM FUQARO ORDER BY ID").fetchall()
    civil = CivilProvider(seed + 3)
    chosen = sorted(civil.random.sample(residents, len(residents) // 7))
    with create_database(folder / FILE, SCHEMA) as connection:
        rows = _cases(civil, chosen)
        fill(connection, "NAFAQA", rows, 9, lambda done: progress("social", done, len(chosen)))


def _cases(civil: CivilProvider, residents: list[tuple[str, str]]) -> Iterator[Row]:
    for number, (resident, district) in enumerate(residents, start=1):
        opened = civil.day_between(date(2019, 1, 10), date(2026, 6, 30))
        closed = civil.day_between(opened, date(2026, 9, 30)) if civil.random.random() < 0.2 else None
        state = "3" if closed else civil.random.choice("1" * 19 + "2")
        yield (
            *(number, f"N-{opened:%Y}-{number:06}", resident, civil.random.choice("12334")),
            *(civil.random.randint(300_000, 1_500_000) * 100, district, f"{opened:%d.%m.%Y}"),
            *(f"{closed:%d.%m.%Y}" if closed else None, state),
        )
