"""A legacy database and a bus for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connect.world import Legacy
from tests.fakes.adapter_bus import MemoryBus


@pytest.fixture
def legacy(tmp_path: Path) -> Legacy:
    """A database of its own."""
    return Legacy(tmp_path)


@pytest.fixture
def bus() -> MemoryBus:
    """An empty bus."""
    return MemoryBus()
