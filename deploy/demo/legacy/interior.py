"""Ministry of the interior: the civil register, 20,000 synthetic residents of the real districts.

The database remembers a resident's present address and the district before it; that memory is a trigger's
work, so an UPDATE of the district alone is a complete change of residence.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from deploy.demo.legacy.database import Progress, Row, create_database, fill, keep_change_counter, numbered
from deploy.demo.legacy.people import CivilProvider, Name, pinfl
from deploy.demo.legacy.statistics import Territory, districts

FILE = "interior.db"

SCHEMA = """
-- Civil register, one row per resident.
CREATE TABLE FUQARO (
  ID         INTEGER PRIMARY KEY,
  PINFL      TEXT NOT NULL UNIQUE,    -- JShShIR, 14 digits, the last a check digit
  HUJJAT     TEXT NOT NULL,           -- series and number of the identity card
  FAM        TEXT NOT NULL,           -- family name
  ISM        TEXT NOT NULL,           -- given name
  OTASI      TEXT,                    -- patronymic
  JINS       TEXT NOT NULL,           -- 1 man, 2 woman
  T_SANA     TEXT NOT NULL,           -- born, dd.mm.yyyy
  VIL_KOD    TEXT NOT NULL,           -- region, SOATO
  TUM_KOD    TEXT NOT NULL,           -- district, SOATO
  ESKI_TUM   TEXT,                    -- district before; kept by TRG_FUQARO_KOCHISH
  MANZIL     TEXT NOT NULL,           -- address
  INDEKS     TEXT,                    -- postal code; '' or NULL unknown
  TURI       TEXT NOT NULL,           -- 1 permanent, 2 temporary
  SABAB      TEXT NOT NULL,           -- 1 first registration, 2 moved, 3 marriage, 4 work or study
  IDORA      TEXT NOT NULL,           -- office that registered
  QAYD_N     TEXT NOT NULL,           -- number in that office's book
  KOCH_VAQT  TEXT NOT NULL,           -- registered at this address, Tashkent time, dd.mm.yyyy hh:mm:ss
  OZG        INTEGER                  -- change counter
);
-- A resident moves: keep where from.
CREATE TRIGGER TRG_FUQARO_KOCHISH AFTER UPDATE OF TUM_KOD ON FUQARO WHEN NEW.TUM_KOD <> OLD.TUM_KOD BEGIN
  UPDATE FUQARO SET ESKI_TUM = OLD.TUM_KOD WHERE ROWID = NEW.ROWID;
END;
"""

WATCHED = (
    *("PINFL", "HUJJAT", "FAM", "ISM", "OTASI", "JINS", "T_SANA", "VIL_KOD", "TUM_KOD", "MANZIL"),
    *("INDEKS", "TURI", "SABAB", "IDORA", "QAYD_N", "KOCH_VAQT"),
)

_FIRST_MOVE = date(2005, 1, 3)
_LAST_MOVE = date(2026, 10, 30)
_REASONS = "1" * 40 + "2" * 35 + "3" * 10 + "4" * 15


@dataclass(frozen=True, slots=True)
class _Resident:
    pinfl: str
    document: str
    name: Name
    male: bool
    birth: date
    district: Territory
    before: str | None
    address: str
    postal: str | None
    kind: str
    reason: str
    moved: date
    second: int


def load(folder: Path, progress: Progress, residents: int = 20_000, seed: int = 2026) -> None:
    """Create the register in `folder`, with the residents in the order in which they moved."""
    people = sorted(_residents(residents, seed), key=lambda each: (each.moved, each.second, each.pinfl))
    with create_database(folder / FILE, SCHEMA) as connection:
        rows = numbered(itertools.starmap(_row, enumerate(people, start=1)))
        fill(connection, "FUQARO", rows, 19, lambda done: progress("interior", done, residents))
        keep_change_counter(connection, "FUQARO", "OZG", WATCHED)


def _residents(number: int, seed: int) -> Iterator[_Resident]:
    civil = CivilProvider(seed)
    homes = tuple(enumerate(districts(), start=1))
    serials: Counter[tuple[date, bool, int]] = Counter()
    for _ in range(number):
        area, birthplace = civil.random.choice(homes)
        male, birth = civil.random.random() < 0.5, civil.birth_date()
        serials[birth, male, area] += 1
        personal = pinfl(birth, male=male, area=area, serial=serials[birth, male, area])
        yield _resident(civil, personal, male, birth, birthplace)


def _resident(civil: CivilProvider, personal: str, male: bool, birth: date, birthplace: Territory) -> _Resident:
    draw = civil.random
    reason = draw.choice(_REASONS)
    home = birthplace if reason == "1" else draw.choice(districts())
    of_age = birth + timedelta(days=16 * 366)
    return _Resident(
        pinfl=personal,
        document=f"A{draw.choice('ABCDE')}{draw.randint(1_000_000, 9_999_999)}",
        name=civil.name(male=male),
        male=male,
        birth=birth,
        district=home,
        before=None if home is birthplace else birthplace.code,
        address=civil.address(home.latin),
        postal=draw.choice((f"{home.code[1:4]}{draw.randint(100, 999)}",) * 8 + ("", None)),
        kind="2" if reason == "4" and draw.random() < 0.8 else "1",
        reason=reason,
        moved=civil.day_between(max(_FIRST_MOVE, of_age), _LAST_MOVE),
        second=draw.randint(9 * 3600, 18 * 3600 - 1),
    )


def _row(number: int, each: _Resident) -> Row:
    hour, rest = divmod(each.second, 3600)
    when = f"{each.moved:%d.%m.%Y} {hour:02}:{rest // 60:02}:{rest % 60:02}"
    home = each.district
    return (
        *(number, each.pinfl, each.document, each.name.family, each.name.given, each.name.patronymic),
        *("1" if each.male else "2", f"{each.birth:%d.%m.%Y}", home.parent, home.code, each.before),
        *(each.address, each.postal, each.kind, each.reason),
        *(f"{home.latin} IIB migratsiya va fuqarolik bo‘limi", f"{home.code}-{each.moved:%Y}-{number:08}", when),
    )
