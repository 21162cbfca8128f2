"""Replicas of one process over a log in memory, and what a peer in their place says."""

import json
from contextlib import asynccontextmanager

from exchange.registry import RegistryService, Replicas, build_app
from exchange.registry.records import LeaderRecord, encode_leader
from exchange.transport.web import free_port, serve
from tests.fakes.schema_store import MemorySchemaStore
from tests.registry.raw_http import ask


class Replica:
    """One replica of the cluster: its service, store and address."""

    def __init__(self, log, http, writes, settings):
        self.listen = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.listen}"
        self.store = MemorySchemaStore(log)
        self.service = RegistryService(self.store, self.url, alone=False)
        self.replicas = Replicas(self.service, http, self.url, **settings)
        self.app = build_app(self.service, writes, self.replicas)

    async def ask(self, method, target, body=None, **headers):
        """Send this replica a request."""
        return await ask(self.url, method, target, body, **headers)

    async def register(self, subject, text):
        """The id it answers."""
        reply = await self.ask("POST", f"/subjects/{subject}/versions", {"schema": text})
        assert reply.status == 200, reply
        return reply.json["id"]

    @asynccontextmanager
    async def running(self):
        """Follow, and serve."""
        await self.service.start()
        try:
            async with serve(self.app, self.listen):
                yield self
        finally:
            await self.service.close()


def announce(log, url):
    """What a replica that takes over writes."""
    log.write([encode_leader(LeaderRecord(url, {}))])


def announced(log):
    """Who was ever announced, in order."""
    return [json.loads(value)["leader"] for key, value in log.records if b"NOOP" in key and b"leader" in value]


def reply(body, status=200, **headers):
    """An answer in HTTP."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def never(ended):
    """No answer at all."""
    await ended.wait()
    return b""
