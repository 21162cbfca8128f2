"""A gateway in a process of its own, for tests that kill it: `python gateway_process.py`, its settings on stdin."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from exchange.clock import SystemClock
from exchange.gateway import GatewayContext, GatewayService
from exchange.ids import AgencyId
from exchange.settings import GatewaySettings
from exchange.transport.http import Credentials, HttpClient
from exchange.transport.web import serve
from exchange.trust import Directory, SigningKey


async def run(given: dict) -> None:
    """Serve until killed; one line on stdout once it answers."""
    directory = Directory.parse(given["directory"].encode(), given["digest"])
    async with HttpClient(timeout=30.0) as http:
        context = GatewayContext(
            bootstrap=given["bootstrap"],
            directory=lambda: directory,
            credentials=Credentials(
                AgencyId.parse(given["agency"]), SigningKey.from_seed(bytes.fromhex(given["seed"]))
            ),
            pepper=given["pepper"].encode(),
            clock=SystemClock(),
            http=http,
            settings=GatewaySettings(provider_timeout_seconds=30.0),
            consent_topic=given["consent_topic"],
        )
        async with GatewayService(context) as service, serve(service.app, given["listen"]):
            print("serving", flush=True)  # noqa: T201  (the parent waits for this line)
            await service.wait_stopped()


if __name__ == "__main__":
    asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.read())))
