"""What the demo's tests share: where the files are, what a database answers, how dates are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.demo.load import Sizes

ROOT = Path(__file__).parents[2]
"""Where `schemas/`, `adapters/` and `deploy/` lie."""

SMALL = Sizes(flights=3_000, observations=1_000, residents=500)

Query = Callable[..., list[tuple[Any, ...]]]


def rows_of(path: Path, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What a query answers, from a connection that is closed again."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query, parameters).fetchall()


def moment(text: str) -> datetime:
    """A legacy date, `dd.mm.yyyy`, with or without `hh:mm` or `hh:mm:ss`."""
    form = "%d.%m.%Y %H:%M:%S"[: {10: 8, 16: 14, 19: 17}[len(text)]]
    return datetime.strptime(f"{text} +0000", f"{form} %z")
