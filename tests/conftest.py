"""What every test may ask for: one real single-node Kafka for the whole run."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from exchange.transport.kafka import KafkaNode, is_left_behind
from tests.fakes.soft_hsm import SoftHsm

LIBS = Path(os.environ.get("EXCHANGE_KAFKA_LIBS", Path(__file__).parents[1] / ".cache" / "kafka-4.2.0"))


def pytest_configure() -> None:
    """Say nothing of the futures that aiokafka forgets, as our processes do.

    Python 3.11 cannot print a traceback while it parses: where the garbage collector finds such a future at that
    moment, whatever was being imported fails with "AST constructor recursion depth mismatch".
    """
    complain = asyncio.BaseEventLoop.default_exception_handler

    def complain_of_ours(loop: asyncio.BaseEventLoop, context: dict[str, Any]) -> None:
        if not is_left_behind(context):
            complain(loop, context)

    asyncio.BaseEventLoop.default_exception_handler = complain_of_ours


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address, 127.0.0.1:PORT, of a real Kafka that starts once for the run."""
    with TemporaryDirectory(prefix="exchange-kafka-") as data:  # not pytest's: other runs tidy that one up
        node = KafkaNode(libs=LIBS, data=Path(data))
        asyncio.run(node.start())
        try:
            yield node.bootstrap
        finally:
            asyncio.run(node.stop())


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Makes a name that no other test uses: `unique("orders")` -> `orders-3f2a9c01`."""
    return lambda stem: f"{stem}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def hsm() -> Iterator[SoftHsm]:
    """An HSM of software, one for the run: `hsm.token()` makes a token of its own."""
    with TemporaryDirectory(prefix="exchange-hsm-") as folder, SoftHsm(Path(folder)).in_environment() as soft:
        yield soft
