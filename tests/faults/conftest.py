"""What the faults happen to: a cluster of three brokers, instances on it, databases to copy into."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from exchange.transport.kafka import KafkaCluster
from tests.conftest import LIBS
from tests.faults import scale as scales
from tests.faults.postgres import Postgres
from tests.faults.scale import Scale


@pytest.fixture(scope="session")
def scale() -> Scale:
    """How much of each fault."""
    return scales.chosen()


@pytest.fixture(scope="package")
def cluster(scale: Scale) -> Iterator[KafkaCluster]:
    """Three brokers, for these tests alone."""
    settings = {"broker.session.timeout.ms": str(int(scale.session * 1000))}
    with TemporaryDirectory(prefix="exchange-cluster-") as data:
        cluster = KafkaCluster(libs=LIBS, data=Path(data), settings=settings)
        asyncio.run(cluster.start_all())
        try:
            yield cluster
        finally:
            asyncio.run(cluster.kill_all())


@pytest.fixture(scope="package")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of its own, started once for these tests."""
    with Postgres() as server:
        yield server
