"""Databases that a topic is copied into: rows and the place they go with, in one transaction.

The rows have no unique key: what is written twice is there twice, and the test sees it. The place is moved by
compare-and-set, so that a member which lost its partition without knowing writes nothing.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from exchange.bus import Batch, StoredPosition
from exchange.errors import SinkFenced

_TABLES = """
CREATE TABLE IF NOT EXISTS copied (
    id {serial}, number BIGINT NOT NULL, key TEXT NOT NULL, part INTEGER NOT NULL, sequence BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS place (part INTEGER PRIMARY KEY, next_offset BIGINT NOT NULL, sequences TEXT NOT NULL);
"""
_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Copied:
    """A row as it was copied."""

    number: int
    key: str
    partition: int
    sequence: int


class Copy(Protocol):
    """A database with one copy of one topic, as a context manager; what `Subscriber.exactly_once` feeds."""

    def __enter__(self) -> object: ...

    def __exit__(self, *_: object) -> None: ...

    async def load(self, group: str, topic: str, partition: int) -> StoredPosition | None:
        """The stored place."""
        ...

    async def store(self, batch: Batch) -> None:
        """Rows and place in one transaction; raises SinkFenced where another writer moved the place."""
        ...

    def count(self) -> int:
        """How many rows there are."""
        ...

    def rows(self) -> list[Copied]:
        """Every row, in the order of writing."""
        ...


def open_copy(place: str) -> Copy:
    """`sqlite:PATH`, or `postgres:FOLDER OF ITS SOCKET:DATABASE`."""
    kind, _, rest = place.partition(":")
    return SqliteCopy(Path(rest)) if kind == "sqlite" else PostgresCopy(*rest.rsplit(":", 1))


class SqliteCopy:
    """A copy in a file of SQLite."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._expected: dict[int, int] = {}

    def __enter__(self) -> SqliteCopy:
        self._connection = sqlite3.connect(self._path, timeout=60, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(_TABLES.format(serial="INTEGER PRIMARY KEY AUTOINCREMENT"))
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    async def load(self, group: str, topic: str, partition: int) -> StoredPosition | None:
        """The stored place."""
        self._connection.execute("INSERT OR IGNORE INTO place VALUES (?, ?, '')", (partition, _NOWHERE))
        found = self._connection.execute("SELECT next_offset, sequences FROM place WHERE part = ?", (partition,))
        (self._expected[partition], sequences) = found.fetchone()
        return _stored(self._expected[partition], sequences)

    async def store(self, batch: Batch) -> None:
        """Rows and place in one transaction."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        moved = run(
            "UPDATE place SET next_offset = ?, sequences = ? WHERE part = ? AND next_offset = ?",
            (batch.next_offset, batch.sequences, batch.partition, self._expected[batch.partition]),
        )
        if moved.rowcount != 1:
            run("ROLLBACK")
            raise _fenced(batch)
        # SIGKILL here: SQLite's journal takes the place back with the rows.
        rows = [(each.number, each.key, each.partition, each.sequence) for each in copied(batch)]
        self._connection.executemany("INSERT INTO copied (number, key, part, sequence) VALUES (?, ?, ?, ?)", rows)
        run("COMMIT")
        self._expected[batch.partition] = batch.next_offset

    def count(self) -> int:
        """How many rows there are."""
        return int(self._connection.execute("SELECT count(*) FROM copied").fetchone()[0])

    def rows(self) -> list[Copied]:
        """Every row, in the order of writing."""
        return [
            Copied(*row)
            for row in self._connection.execute("SELECT number, key, part, sequence FROM copied ORDER BY id")
        ]


class PostgresCopy:
    """A copy in a database of PostgreSQL, through one session of `psql`: nothing else has to be installed.

    When this process is killed, psql finds the end of its input and leaves: what has no COMMIT by then is undone.
    """

    def __init__(self, socket: str, database: str) -> None:
        self._command = ["psql", "-X", "-q", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1"]
        self._command += ["-h", socket, "-U", "postgres", "-d", database]
        self._expected: dict[int, int] = {}

    def __enter__(self) -> PostgresCopy:
        self._psql = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self._run("SET client_min_messages = warning;" + _TABLES.format(serial="BIGSERIAL PRIMARY KEY"))
        return self

    def __exit__(self, *_: object) -> None:
        self._psql.communicate()

    async def load(self, group: str, topic: str, partition: int) -> StoredPosition | None:
        """The stored place."""
        self._run(f"INSERT INTO place VALUES ({partition}, {_NOWHERE}, '') ON CONFLICT DO NOTHING;")
        [line] = self._run(f"SELECT next_offset, sequences FROM place WHERE part = {partition};")
        offset, _, sequences = line.partition("|")
        self._expected[partition] = int(offset)
        return _stored(int(offset), sequences)

    async def store(self, batch: Batch) -> None:
        """Rows and place in one transaction."""
        rows = ", ".join(f"({each.number}, '{each.key}', {each.partition}, {each.sequence})" for each in copied(batch))
        insert = f"INSERT INTO copied (number, key, part, sequence) VALUES {rows};" if rows else ""
        expected = self._expected[batch.partition]
        text = batch.sequences.replace("'", "''")
        moved = (
            f"UPDATE place SET next_offset = {batch.next_offset}, sequences = '{text}' "
            f"WHERE part = {batch.partition} AND next_offset = {expected} RETURNING 1"
        )
        try:
            # Where nothing moved, the division fails, and the transaction with it.
            self._run(f"BEGIN; WITH moved AS ({moved}) SELECT 1 / count(*) FROM moved; {insert} COMMIT;")
        except _PsqlEnded as error:
            raise _fenced(batch) from error
        self._expected[batch.partition] = batch.next_offset

    def count(self) -> int:
        """How many rows there are."""
        return int(self._run("SELECT count(*) FROM copied;")[0])

    def rows(self) -> list[Copied]:
        """Every row, in the order of writing."""
        lines = self._run("SELECT number, key, part, sequence FROM copied ORDER BY id;")
        parts = [line.split("|") for line in lines]
        return [Copied(int(number), key, int(part), int(sequence)) for number, key, part, sequence in parts]

    def _run(self, statements: str) -> list[str]:
        assert self._psql.stdin
        assert self._psql.stdout
        self._psql.stdin.write(f"{statements}\n\\echo ended\n")
        lines: list[str] = []
        for line in self._psql.stdout:
            if line == "ended\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise _PsqlEnded(self._psql.communicate()[1].strip())


class _PsqlEnded(Exception):
    """psql left: a statement failed."""


def copied(batch: Batch) -> Sequence[Copied]:
    """A batch's events as rows."""
    return [
        Copied(event.data["n"], event.key or "", event.partition, event.sequence)
        for event in batch.events
        if event.data
    ]


def _stored(offset: int, sequences: str) -> StoredPosition | None:
    return None if offset == _NOWHERE else StoredPosition(offset, sequences)


def _fenced(batch: Batch) -> SinkFenced:
    return SinkFenced(f"another writer moved the place of {batch.topic}/{batch.partition} on")
