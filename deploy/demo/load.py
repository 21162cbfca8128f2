"""Create the agencies' legacy databases: `python -m deploy.demo.load HOME/data`.

Each file appears whole or not at all, and one that is there already is left as it is, so a second run, or a
run after a crash, only makes what is missing. The same seed and sizes give the same rows, everywhere.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.demo.legacy import customs, hydromet, interior, procurement, social, statistics, tax, transport
from deploy.demo.legacy.database import Progress
from exchange.errors import ExchangeError

SEED = 2026


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows the large databases get; tests ask for fewer."""

    flights: int = transport.ALL_FLIGHTS
    observations: int = hydromet.ALL_OBSERVATIONS
    residents: int = 20_000


def load_all(
    folder: Path, progress: Progress | None = None, sizes: Sizes | None = None, seed: int = SEED
) -> dict[str, Path]:
    """Create what is not there yet in `folder`: the agencies' files, by agency.

    `progress` is called with an agency, the rows written and the rows there will be; not for files that were
    there. Raises SettingsError where the packages with the data are not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Path] = {}
    with _only_loader_of(folder):
        for agency, (name, load) in _loaders(sizes or Sizes(), seed).items():
            files[agency] = folder / name
            if not files[agency].exists():
                load(folder, progress or _silent)
    return files


def main(arguments: list[str] | None = None) -> int:
    """The command: what was created on stdout, progress on stderr.

    Exit code 2 where the data are not installed, 1 where the folder cannot be written to or is full.
    """
    options = _parse(arguments)
    sizes = Sizes(options.flights, options.observations, options.residents)
    try:
        files = load_all(options.folder, _print_progress, sizes, options.seed)
    except ExchangeError as error:
        return _fail(error.message, error.exit_code)
    except (OSError, sqlite3.OperationalError) as error:
        return _fail(f"{options.folder}: cannot write the databases there: {error}", 1)
    for agency, path in files.items():
        print(f"{agency}\t{path}")
    return 0


@contextmanager
def _only_loader_of(folder: Path) -> Iterator[None]:
    """Wait for another loader of this folder: two would finish each other's unfinished files. Dies with us."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _fail(message: str, exit_code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return exit_code


def _loaders(sizes: Sizes, seed: int) -> dict[str, tuple[str, Callable[[Path, Progress], None]]]:
    """In this order: the register of residents comes before those who read it."""
    return {
        "statistics": (statistics.FILE, statistics.load),
        "customs": (customs.FILE, customs.load),
        "transport": (transport.FILE, partial(transport.load, flights=sizes.flights)),
        "hydromet": (hydromet.FILE, partial(hydromet.load, observations=sizes.observations)),
        "interior": (interior.FILE, partial(interior.load, residents=sizes.residents, seed=seed)),
        "tax": (tax.FILE, partial(tax.load, seed=seed)),
        "procurement": (procurement.FILE, partial(procurement.load, seed=seed)),
        "social": (social.FILE, partial(social.load, seed=seed)),
    }


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.load", description="Create the demo's databases.")
    parser.add_argument("folder", type=Path, help="where the databases go; created if missing")
    whole = Sizes()
    for name in ("flights", "observations", "residents"):
        number = getattr(whole, name)
        parser.add_argument(f"--{name}", type=_row_count, default=number, help=f"rows, {number} unless told")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the synthetic rows, {SEED} unless told")
    return parser.parse_args(arguments)


def _row_count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a number of rows, 1 or more")
    return number


def _silent(agency: str, done: int, total: int) -> None:
    """No progress wanted."""


def _print_progress(agency: str, done: int, total: int) -> None:
    print(f"{agency}: {done:,} of {total:,} rows", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
