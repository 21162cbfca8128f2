"""Registries as processes of their own, to be killed: `python registry_process.py BOOTSTRAP TOPIC`.

One line on stdin, `LISTEN URL`, forks one replica, which is a matter of milliseconds, and answers with its process id.
"""

import asyncio
import os
import signal
import sys

from exchange.clock import SystemClock
from exchange.registry import KafkaSchemaStore, OpenWrites, RegistryService, Replicas, build_app
from exchange.transport.http import HttpClient
from exchange.transport.web import serve


async def replica(bootstrap, topic, listen, url):
    """Serve until killed, or until something else keeps it from going on."""
    store = KafkaSchemaStore(bootstrap, SystemClock(), topic=topic, transactional_id=topic)
    service = RegistryService(store, url, alone=False)
    await service.start()
    async with HttpClient() as http, serve(build_app(service, OpenWrites(), Replicas(service, http, url)), listen):
        await service.wait_stopped()


def main(bootstrap, topic):
    """Fork until the end of stdin, then end every replica."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries them
    os.setpgid(0, 0)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(2, 1)  # what it logs is no answer
            asyncio.run(replica(bootstrap, topic, *line.split()))
            os._exit(1)
        print(child, flush=True)  # noqa: T201
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
