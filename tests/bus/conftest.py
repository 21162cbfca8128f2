"""The instance that the bus is tested in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from prometheus_client import REGISTRY

from exchange.transport.kafka import KafkaNode, free_port
from tests.conftest import LIBS
from tests.fakes.bus_world import World
from tests.fakes.tcp_proxy import TcpProxy


@pytest.fixture
async def world(kafka: str) -> World:
    """An instance of one partition a topic."""
    return await World.created(kafka)


@pytest.fixture
def sample() -> Callable[..., float]:
    """Reads one metric: `sample("exchange_published_total", topic="t")`; 0 where it was never counted."""

    def read(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    return read


@pytest.fixture(scope="package")
def far_node() -> Iterator[KafkaNode]:
    """A Kafka of its own, whose clients come over a wire; `direct` is the way around it."""
    with TemporaryDirectory(prefix="exchange-kafka-") as data:
        node = KafkaNode(libs=LIBS, data=Path(data), advertised_port=free_port(), heap="256m")
        asyncio.run(node.start())
        try:
            yield node
        finally:
            asyncio.run(node.stop())


@pytest.fixture
async def wire(far_node: KafkaNode) -> AsyncIterator[TcpProxy]:
    """The wire to the far Kafka."""
    async with TcpProxy(target_port=far_node.port, port=int(far_node.bootstrap.rpartition(":")[2])) as wire:
        yield wire


@pytest.fixture
async def far(far_node: KafkaNode, wire: TcpProxy) -> World:
    """An instance of one partition a topic, on the far Kafka, over the wire."""
    return await World.created(far_node.bootstrap)


@pytest.fixture
def near(far_node: KafkaNode, far: World) -> World:
    """The same instance, around the wire: what another process sees."""
    return World(far_node.direct, name=far.name, registry=far.registry)
