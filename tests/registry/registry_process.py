"""A registry as a process of its own, to be killed: `python registry_process.py BOOTSTRAP TOPIC LISTEN`."""

import asyncio
import sys

from exchange.clock import SystemClock
from exchange.registry import KafkaSchemaStore, OpenWrites, RegistryService, build_app
from exchange.transport.web import serve


async def main(bootstrap, topic, listen):
    """Serve until killed, or until something else keeps it from going on."""
    service = RegistryService(KafkaSchemaStore(bootstrap, SystemClock(), topic=topic, transactional_id=topic))
    await service.start()
    async with serve(build_app(service, OpenWrites()), listen):
        await service.wait_stopped()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
