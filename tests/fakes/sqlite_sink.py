"""A sink in an SQLite file: rows and place in one transaction, as an integrator writes it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from exchange.bus import Batch, StoredPosition
from exchange.errors import SinkFenced


class SqliteSink:
    """Table ROWS (offset and number of each event) and table PLACE, moved by compare-and-set."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=30)
        self._db.executescript("""
            CREATE TABLE IF NOT EXISTS ROWS (PART INTEGER, OFFS INTEGER, N INTEGER);
            CREATE TABLE IF NOT EXISTS PLACE (
              GRP TEXT, TOPIC TEXT, PART INTEGER, NEXT INTEGER, SEQUENCES TEXT, PRIMARY KEY (GRP, TOPIC, PART));
        """)
        self._expected: dict[tuple[str, str, int], int] = {}

    async def load(self, group: str, topic: str, partition: int) -> StoredPosition | None:
        """What is stored."""
        place = (group, topic, partition)
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO PLACE VALUES (?, ?, ?, -1, '')", place)
        query = "SELECT NEXT, SEQUENCES FROM PLACE WHERE GRP = ? AND TOPIC = ? AND PART = ?"
        offset, sequences = self._db.execute(query, place).fetchone()
        self._expected[place] = offset
        return None if offset < 0 else StoredPosition(offset, sequences)

    async def store(self, batch: Batch) -> None:
        """Rows and place, or SinkFenced."""
        place = (batch.group, batch.topic, batch.partition)
        with self._db:
            moved = self._db.execute(
                "UPDATE PLACE SET NEXT = ?, SEQUENCES = ? WHERE GRP = ? AND TOPIC = ? AND PART = ? AND NEXT = ?",
                (batch.next_offset, batch.sequences, *place, self._expected[place]),
            )
            if moved.rowcount != 1:
                raise SinkFenced(f"{batch.topic}/{batch.partition}: another process moved the place")
            rows = [(event.partition, event.offset, event.data["n"]) for event in batch.events]
            self._db.executemany("INSERT INTO ROWS VALUES (?, ?, ?)", rows)
        self._expected[place] = batch.next_offset

    def numbers(self) -> list[int]:
        """What was stored, by partition, in the order it was."""
        return [n for (n,) in self._db.execute("SELECT N FROM ROWS ORDER BY PART, ROWID")]

    def offsets(self, partition: int) -> list[int]:
        """The offsets of a partition's rows, in the order they were stored."""
        query = "SELECT OFFS FROM ROWS WHERE PART = ? ORDER BY ROWID"
        return [offset for (offset,) in self._db.execute(query, (partition,))]
