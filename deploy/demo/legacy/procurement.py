"""Procurement agency: tenders, and the bids that companies made for them.

A bid's check at the tax committee is still to come (`TEKSHIRUV` = '0'): that is what procurement looks
bidders up for. It gets no table from anyone, and gives none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from deploy.demo.legacy.database import Progress, Row, create_database, fill
from deploy.demo.legacy.people import CivilProvider
from deploy.demo.legacy.statistics import territories
from deploy.demo.legacy.tax import FILE as TAX_REGISTER

FILE = "procurement.db"

SCHEMA = """
-- Tenders.
CREATE TABLE TENDER (
  LOT_ID     INTEGER PRIMARY KEY,
  LOT_N      TEXT NOT NULL UNIQUE,    -- number as published
  NOMI       TEXT NOT NULL,           -- what is bought
  HUDUD      TEXT NOT NULL,           -- region of the buyer, SOATO
  NARX_TIYIN INTEGER NOT NULL,        -- starting price, tiyin
  ELON_SANA  TEXT NOT NULL,           -- published, dd.mm.yyyy
  TUGASH     TEXT NOT NULL,           -- bids until, dd.mm.yyyy
  HOLAT      TEXT NOT NULL            -- 1 open, 2 being judged, 3 awarded
);
-- Bids: one per tender and company.
CREATE TABLE TAKLIF (
  TAKLIF_ID  INTEGER PRIMARY KEY,
  LOT_ID     INTEGER NOT NULL REFERENCES TENDER (LOT_ID),
  STIR       TEXT NOT NULL,           -- the bidder, a taxpayer number at the tax committee
  NARX_TIYIN INTEGER NOT NULL,        -- price bid, tiyin
  SANA       TEXT NOT NULL,           -- received, dd.mm.yyyy
  TEKSHIRUV  TEXT NOT NULL DEFAULT '0',  -- 0 not checked yet, 1 eligible, 2 not eligible
  UNIQUE (LOT_ID, STIR)
);
"""

TENDERS = 300

_GOODS = (
    *("Maktab mebeli", "Kompyuter jihozlari", "Tibbiy asbob-uskunalar", "Yo‘l ta’miri", "Bino ta’miri"),
    *("Ish kiyimlari", "Oziq-ovqat mahsulotlari", "Yoqilg‘i", "Qurilish materiallari", "Bosma mahsulotlar"),
)


def load(folder: Path, progress: Progress, seed: int = 2026) -> None:
    """Create the agency's database in `folder`; needs the tax register there."""
    civil = CivilProvider(seed + 2)
    companies = _companies(folder / TAX_REGISTER)
    tenders = [_tender(civil, number) for number in range(1, TENDERS + 1)]
    bids = list(_bids(civil, tenders, companies))
    total = len(tenders) + len(bids)
    with create_database(folder / FILE, SCHEMA) as connection:
        first = fill(connection, "TENDER", tenders, 8, lambda done: progress("procurement", done, total))
        fill(connection, "TAKLIF", bids, 6, lambda done: progress("procurement", first + done, total))


def _companies(register: Path) -> list[str]:
    with closing(sqlite3.connect(register)) as connection:
        query = "SELECT STIR FROM TAXPAYERS WHERE TURI = 'Y' AND HOLAT <> '5' ORDER BY STIR"
        return [number for (number,) in connection.execute(query)]


def _tender(civil: CivilProvider, number: int) -> Row:
    published = civil.day_between(date(2026, 9, 1), date(2026, 10, 31))
    regions = [unit.code for unit in territories() if unit.parent is None]
    return (
        *(number, f"2026-{number:05}", civil.random.choice(_GOODS), civil.random.choice(regions)),
        *(civil.random.randint(20_000_000_00, 5_000_000_000_00), f"{published:%d.%m.%Y}"),
        *(f"{published + timedelta(days=21):%d.%m.%Y}", civil.random.choice("122")),
    )


def _bids(civil: CivilProvider, tenders: Sequence[Row], companies: Sequence[str]) -> Iterator[Row]:
    serial = 0
    for lot, _, _, _, price, _, closing_day, _ in tenders:
        for bidder in civil.random.sample(companies, min(civil.random.randint(2, 6), len(companies))):
            serial += 1
            yield (serial, lot, bidder, price * civil.random.randint(70, 100) // 100, closing_day, "0")
