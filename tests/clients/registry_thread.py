"""A served registry on a thread and a loop of its own: clients that block can be called from a test as they are."""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager

from exchange.registry import OpenWrites, RegistryService, build_app
from exchange.transport.web import free_port, serve


@contextmanager
def registry_at(make_store):
    """The URL of a registry over `make_store()`, open to every writer, until the block ends."""
    started, stop = Future(), Future()
    thread = threading.Thread(target=asyncio.run, args=(_serve(make_store, started, stop),))
    thread.start()
    try:
        yield started.result()
    finally:
        stop.set_result(None)
        thread.join()


async def _serve(make_store, started, stop):
    try:
        service = RegistryService(make_store())
        await service.start()
        listen = f"127.0.0.1:{free_port()}"
        async with serve(build_app(service, OpenWrites()), listen):
            started.set_result(f"http://{listen}")
            await asyncio.wrap_future(stop)
        await service.close()
    except BaseException as error:
        started.set_exception(error)
        raise
