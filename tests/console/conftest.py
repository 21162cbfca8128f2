"""A clock, the console's client, and a process that is really served."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from exchange.transport.http import HttpClient
from exchange.transport.web import free_port, serve

from .figures import MovedClock, ServedProcess


@pytest.fixture
def clock() -> MovedClock:
    """A clock at noon."""
    return MovedClock()


@pytest.fixture
async def process() -> AsyncIterator[ServedProcess]:
    """One served process that exposes nothing yet."""
    served = ServedProcess()
    listen = f"127.0.0.1:{free_port()}"
    served.address = f"http://{listen}"
    async with serve(served.app(), listen):
        yield served
        served.released.set()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    """The client the console asks with."""
    async with HttpClient(timeout=2.0) as opened:
        yield opened
