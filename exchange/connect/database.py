"""A legacy database: one connection, used in a thread of its own; its failures as errors of the exchange.

SQLite files are opened anew for every piece of work: a file that was replaced is then never read or written by its
old name. They are opened read-only unless rows are written, and never created.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from exchange.errors import AdapterError, DatabaseUnavailable

Result = TypeVar("Result")

_NOT_THERE = ("no such table", "no such column", "has no column named")


class Database:
    """Runs work in the database's thread, each piece in one transaction."""

    def __init__(self, url: str, *, read_only: bool, busy_seconds: float = 5.0) -> None:
        """Raises AdapterError where the URL's driver is not installed, or there is no such file.

        `busy_seconds` is how long SQLite waits for a lock of another process.
        """
        parsed = make_url(url)
        self.shown_url = parsed.render_as_string(hide_password=True)
        self._engine = _engine(parsed, read_only, busy_seconds)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="adapter-database")

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the kind of database, e.g. `sqlite`."""
        return self._engine.dialect.name

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, its transaction committed; whatever it raises rolls back.

        Raises DatabaseUnavailable (locked or gone: try again) and AdapterError (anything else the database says).
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(self._transaction, work))

    async def close(self) -> None:
        """Let go of the connection; work that has begun ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._engine.dispose)

    def _transaction(self, work: Callable[[Connection], Result]) -> Result:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise self._translated(error) from None

    def _translated(self, error: SQLAlchemyError) -> AdapterError:
        if not isinstance(error, DBAPIError):
            kind = DatabaseUnavailable if isinstance(error, PoolTimeout) else AdapterError
            return kind(f"{self.shown_url}: {type(error).__name__}")
        reason = _reason(error)
        if any(text in reason for text in _NOT_THERE):
            return AdapterError(f"{self.shown_url}: {reason}")
        if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
            return DatabaseUnavailable(f"{self.shown_url}: {reason}")
        return AdapterError(f"{self.shown_url}: the database refused: {type(error.orig).__name__}")


def is_undecodable(error: DBAPIError) -> bool:
    """Whether SQLite met text that is not UTF-8."""
    return "Could not decode" in str(error.orig)


def _reason(error: DBAPIError) -> str:
    """The driver's own words, without the values that SQLite quotes of undecodable text."""
    return "text that is not UTF-8" if is_undecodable(error) else str(error.orig).strip()


def _engine(url: URL, read_only: bool, busy_seconds: float) -> Engine:
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return _sqlite_engine(url, read_only, busy_seconds)
    options: dict[str, Any] = {"postgresql_readonly": True} if url.get_backend_name() == "postgresql" else {}
    try:
        return create_engine(
            url, hide_parameters=True, pool_size=1, pool_pre_ping=True, execution_options=options if read_only else {}
        )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        shown = url.render_as_string(hide_password=True)
        raise AdapterError(f"{shown}: no driver for this kind of database is installed: {error}") from None


def _sqlite_engine(url: URL, read_only: bool, busy_seconds: float) -> Engine:
    if not Path(str(url.database)).exists():
        raise AdapterError(f"{url}: no such file: {Path(str(url.database)).absolute()}")
    place = f"file:{quote(str(url.database))}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        # Transactions are begun below, by hand: the driver's own begin too late for savepoints and reads.
        return sqlite3.connect(place, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False)

    engine = create_engine(url, creator=connect, poolclass=NullPool, hide_parameters=True)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
