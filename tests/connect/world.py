"""A legacy database, an adapter file and a bus, small enough to read at a glance."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from exchange.connect import AdapterContext, AdapterFile, AdapterRuntime, Patience, load_adapter
from exchange.ids import AgencyId
from exchange.trust import SigningKey
from tests.fakes.adapter_bus import MemoryBus
from tests.fakes.moving_clock import MovingClock

AGENCY = AgencyId.parse("UZ/GOV/hydromet/observations")
TOPIC = "gov.hydromet.observations.weather-observed.v1"
PEPPER = b"p" * 32

SCHEMA = {
    "type": "record",
    "name": "WeatherObserved",
    "fields": [
        {"name": "station", "type": "string"},
        {"name": "temperature", "type": ["null", "double"], "default": None},
        {
            "name": "kind",
            "type": ["null", {"type": "enum", "name": "Kind", "symbols": ["urban", "rural"]}],
            "default": None,
        },
    ],
}

ADAPTER = """\
version: 1
agency: UZ/GOV/hydromet/observations
database:
  url: sqlite:///${DATA}/legacy.db
  poll: 1ms
publishers:
  - name: hourly
    topic: gov.hydromet.observations.weather-observed.v1
    schema: weather.avsc
    table: OBS
    cursor: IZM
    key: [ORIGIN]
    batch: 10
    fields:
      station: ORIGIN
      temperature: {column: TEMP, null_if: ["NA", -999]}
      kind: {column: KIND, codes: {1: urban, 2: rural}}
"""

FOLLOWER = """\
version: 1
agency: UZ/GOV/hydromet/observations
database:
  url: sqlite:///${DATA}/legacy.db
  poll: 1ms
subscriptions:
  - name: copies
    topic: gov.interior.civil.residence-changed.v1
    table: COPY
    columns: {PINFL: pinfl, REGION: region, CHANGED: changed}
    match: [PINFL]
    on_tombstone: delete
"""


class Legacy:
    """An SQLite file with a table OBS and a table COPY."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "legacy.db"
        self.run("CREATE TABLE OBS (ORIGIN TEXT, TEMP, KIND TEXT, IZM INTEGER UNIQUE)")
        self.run("CREATE TABLE COPY (PINFL TEXT PRIMARY KEY, REGION TEXT NOT NULL, CHANGED TEXT)")

    def run(self, statement: str, *values: Any) -> list[Any]:
        """One statement, committed; its rows."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def observe(self, *rows: tuple[Any, ...]) -> None:
        """Insert rows (ORIGIN, TEMP, KIND, IZM)."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany("INSERT INTO OBS VALUES (?, ?, ?, ?)", rows)

    def copies(self) -> list[Any]:
        """The rows of COPY by key."""
        return self.run("SELECT PINFL, REGION, CHANGED FROM COPY ORDER BY PINFL")

    def adapter(self, text: str = ADAPTER) -> AdapterFile:
        """The adapter file of a text, with its schema beside it."""
        (self.folder / "weather.avsc").write_text(json.dumps(SCHEMA))
        path = self.folder / "adapter.yaml"
        path.write_text(text)
        return load_adapter(path, {"DATA": str(self.folder), "PORT": "1"})


class NoSchemas:
    """The registry, which a bus in memory does not need."""

    async def resolve(self, subject: str, text: str) -> Any:
        """Nothing."""
        raise NotImplementedError

    def get(self, schema_id: int) -> None:
        """Nothing."""

    async def load(self, ids: Any) -> None:
        """Nothing."""


def context(
    directory: Any = None, signer: SigningKey | None = None, clock: Any = None, grace: float = 9.0
) -> AdapterContext:
    """What an adapter is given, without a Kafka."""
    return AdapterContext(
        bootstrap="127.0.0.1:1",
        directory=directory or (lambda: None),
        signer=signer or SigningKey.from_seed(b"s" * 32),
        schemas=NoSchemas(),
        pepper=PEPPER,
        clock=clock or MovingClock(),
        patience=Patience(first=0.001, longest=0.002, busy=0.01, grace=grace),
    )


def runtime(legacy: Legacy, bus: MemoryBus, text: str = ADAPTER, grace: float = 9.0) -> AdapterRuntime:
    """The adapter, on the bus in memory."""
    adapter = legacy.adapter(text)
    bus.register(TOPIC, json.dumps(SCHEMA))
    return AdapterRuntime(adapter, root=legacy.folder, context=context(grace=grace), bus=bus)
