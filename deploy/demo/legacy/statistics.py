"""Statistics committee: the classifier of territories, in four scripts.

Source: the fixtures of the `uzbekistan` package, 14 regions and 209 districts. Region codes are those of
SOATO, the national classifier; the fixtures carry no district codes, so a district gets its region's code,
`2` (district) or `4` (city), and its place in the list: the right shape, not the official number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from deploy.demo.legacy.database import Progress, create_database, fill, keep_change_counter, numbered
from deploy.demo.legacy.packages import package_file

FILE = "statistics.db"

SCHEMA = """
-- Classifier of administrative territories. One row per unit, regions before their districts.
CREATE TABLE SOATO (
  KOD       TEXT PRIMARY KEY,     -- 4 digits a region, 7 digits a district or city
  KOD_OTA   TEXT REFERENCES SOATO (KOD),  -- the region; NULL for a region itself
  TIP       TEXT NOT NULL,        -- 1 viloyat, 2 respublika, 3 shahar (respublika), 4 tuman, 5 shahar (viloyat)
  NOMI_LAT  TEXT NOT NULL,        -- Uzbek, Latin
  NOMI_KIR  TEXT NOT NULL,        -- Uzbek, Cyrillic
  NOMI_RUS  TEXT NOT NULL,
  NOMI_ING  TEXT,
  SANA      TEXT NOT NULL,        -- entered into the classifier, dd.mm.yyyy
  FAOL      TEXT NOT NULL DEFAULT 'H',    -- H (ha) in force, Y (yo‘q) not any more
  OZG       INTEGER               -- change counter
);
"""

WATCHED = ("KOD", "KOD_OTA", "TIP", "NOMI_LAT", "NOMI_KIR", "NOMI_RUS", "NOMI_ING", "SANA", "FAOL")

# The fixtures number the regions 1 to 14; SOATO's codes, in that order.
_SOATO_ORDER = (1735, 1703, 1706, 1708, 1710, 1712, 1714, 1718, 1722, 1724, 1727, 1730, 1733, 1726)
_SOATO = {number: str(code) for number, code in enumerate(_SOATO_ORDER, start=1)}


@dataclass(frozen=True, slots=True)
class Territory:
    """A region (no parent) or a district of one, with its name in four scripts."""

    code: str
    parent: str | None
    kind: str
    latin: str
    cyrillic: str
    russian: str
    english: str | None


def load(folder: Path, progress: Progress) -> None:
    """Create the committee's database in `folder`."""
    units = territories()
    with create_database(folder / FILE, SCHEMA) as connection:
        rows = numbered(_row(unit) for unit in units)
        fill(connection, "SOATO", rows, 10, lambda done: progress("statistics", done, len(units)))
        keep_change_counter(connection, "SOATO", "OZG", WATCHED)


@lru_cache(maxsize=1)
def territories() -> tuple[Territory, ...]:
    """Every region, then every district, in the fixtures' order."""
    return (*map(_region, _fixture("regions")), *_districts())


def districts() -> tuple[Territory, ...]:
    """The districts and cities alone."""
    return tuple(unit for unit in territories() if unit.parent is not None)


def _fixture(name: str) -> Iterator[dict[str, Any]]:
    text = package_file("uzbekistan", f"fixtures/{name}.yaml").read_text(encoding="utf-8")
    for entry in YAML(typ="safe").load(text):
        yield {"pk": entry["pk"], **entry["fields"]}


def _region(entry: dict[str, Any]) -> Territory:
    name = entry["name_uz"]
    kind = "2" if name.endswith("Respublikasi") else "3" if name.endswith("shahri") else "1"
    return Territory(_SOATO[entry["pk"]], None, kind, *_names(entry))


def _districts() -> Iterator[Territory]:
    places: Counter[str] = Counter()
    for entry in _fixture("districts"):
        region = _SOATO[entry["region"]]
        is_city = "shah" in entry["name_uz"].rpartition(" ")[2]
        series = region + ("4" if is_city else "2")
        places[series] += 1
        yield Territory(f"{series}{places[series]:02}", region, "5" if is_city else "4", *_names(entry))


def _names(entry: dict[str, Any]) -> tuple[str, str, str, str | None]:
    return entry["name_uz"], entry["name_oz"], entry["name_ru"], entry.get("name_en") or None


def _row(unit: Territory) -> tuple[str | None, ...]:
    names = (unit.latin, unit.cyrillic, unit.russian, unit.english)
    return (unit.code, unit.parent, unit.kind, *names, "01.01.2017", "H")
