"""The demo's databases, loaded once for the run: a small set, and the whole of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from demo_files import SMALL, Query, rows_of

from deploy.demo.load import load_all


@pytest.fixture(scope="session")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every agency's database with few rows; tests only read them."""
    return load_all(tmp_path_factory.mktemp("small"), sizes=SMALL)


@pytest.fixture(scope="session")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every agency's database as the demo has it; tests only read them."""
    return load_all(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def small(small_files: dict[str, Path]) -> Query:
    """`small("tax", "SELECT …", parameter)` asks one agency's small database."""
    return lambda agency, query, *parameters: rows_of(small_files[agency], query, *parameters)


@pytest.fixture
def whole(whole_files: dict[str, Path]) -> Query:
    """`whole("tax", "SELECT …", parameter)` asks one agency's whole database."""
    return lambda agency, query, *parameters: rows_of(whole_files[agency], query, *parameters)
