"""A legacy SQLite file: made whole or not at all, with a change counter that triggers keep.

The change counter is how a poller learns of changes: every INSERT and every UPDATE gives its row the next
number. SQLite has one writer at a time, so numbers are handed out in the order of commits: a reader that
has seen number N will never meet a smaller one later.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any

Progress = Callable[[str, int, int], None]
"""Called with the agency, the rows written so far, and the rows there will be."""

Row = Sequence[Any]

CHUNK = 20_000
"""Rows written between two calls of the progress callback."""


@contextmanager
def create_database(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """A connection to a new file that appears at `path` only when the block has ended well."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    remove_unfinished(unfinished)
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
        # No journal: a crash leaves an unfinished file, which the next run removes, never half a database.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        connection.executescript(schema)
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
        # From here on readers and the one writer do not block each other.
        connection.execute("PRAGMA journal_mode = WAL")
    publish_file(unfinished, path)


def publish_file(unfinished: Path, path: Path) -> None:
    """Make a finished file durable, then let it appear at `path`, in one step."""
    _sync(unfinished)
    unfinished.rename(path)
    _sync(path.parent)


def remove_unfinished(unfinished: Path) -> None:
    """Remove what a killed run left behind."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)


def fill(
    connection: sqlite3.Connection, table: str, rows: Iterable[Row], width: int, tick: Callable[[int], None]
) -> int:
    """Insert rows of `width` values, calling `tick` with the number so far; how many there were."""
    statement = f"INSERT INTO {table} VALUES ({', '.join('?' * width)})"
    source = iter(rows)
    done = 0
    while chunk := list(islice(source, CHUNK)):
        connection.executemany(statement, chunk)
        done += len(chunk)
        tick(done)
    return done


def numbered(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with the change counter of their first load as one more, last, value: 1, 2, 3, …"""
    return ((*row, number) for row, number in zip(rows, count(1), strict=False))


def keep_change_counter(connection: sqlite3.Connection, table: str, counter: str, watched: Sequence[str]) -> None:
    """Give every inserted row, and every row of which a `watched` column is updated, the next number.

    The inner UPDATE touches the counter alone, which is not watched, so the triggers do not call each other.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS CHANGE_SEQ (TABLE_NAME TEXT PRIMARY KEY, LAST_NO INTEGER NOT NULL)")
    connection.execute(f"INSERT INTO CHANGE_SEQ SELECT '{table}', coalesce(max({counter}), 0) FROM {table}")
    connection.execute(f"CREATE UNIQUE INDEX UX_{table}_{counter} ON {table} ({counter})")
    for name, event in (("INS", "INSERT"), ("UPD", f"UPDATE OF {', '.join(watched)}")):
        connection.execute(f"""
            CREATE TRIGGER TRG_{table}_{name} AFTER {event} ON {table} BEGIN
              UPDATE CHANGE_SEQ SET LAST_NO = LAST_NO + 1 WHERE TABLE_NAME = '{table}';
              UPDATE {table} SET {counter} = (SELECT LAST_NO FROM CHANGE_SEQ WHERE TABLE_NAME = '{table}')
               WHERE ROWID = NEW.ROWID;
            END""")


def _sync(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
