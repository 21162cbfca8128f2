"""`exchange adapter`: run an adapter file, or check it before it runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from starlette.applications import Starlette

from exchange.cli.instance import Instance
from exchange.cli.output import emit, note
from exchange.cli.process import run_process
from exchange.connect import AdapterContext, AdapterFile, AdapterRuntime, check_adapter, load_adapter
from exchange.ids import AgencyId
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port, operational_routes, serve

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def adapter() -> None:
    """Run or check an adapter file."""


@adapter.command()
@_FILE
@click.option("--once", is_flag=True, help="Publish every table to its end, then stop.")
@click.pass_obj
def run(instance: Instance, file: Path, once: bool) -> None:
    """Run FILE: its tables as topics, topics as tables, tables as lookup services."""
    loaded = load_adapter(file, instance.variables)

    async def body(stop: asyncio.Event) -> None:
        async with _runtime(instance, loaded) as runtime:
            if once:
                published = await runtime.run_once()
                emit([{"publisher": name, "events": count} for name, count in published.items()])
                return
            listen = instance.settings.adapter.metrics_listen or f"127.0.0.1:{free_port()}"
            async with serve(Starlette(routes=operational_routes(runtime.not_ready)), listen):
                await runtime.run(stop)

    run_process(f"adapter {loaded.agency}", body)


@asynccontextmanager
async def _runtime(instance: Instance, file: AdapterFile) -> AsyncIterator[AdapterRuntime]:
    async with HttpClient() as http:
        registry = RegistryClient(http, instance.directory().registry_url, instance.clock)
        context = AdapterContext(
            bootstrap=instance.settings.kafka.bootstrap,
            directory=instance.directory,
            signer=instance.credentials(AgencyId.parse(file.agency)).signer,
            schemas=SchemaCache(registry),
            pepper=instance.pepper,
            clock=instance.clock,
        )
        yield AdapterRuntime(file, root=instance.settings.root, context=context)


@adapter.command()
@_FILE
@click.pass_obj
def check(instance: Instance, file: Path) -> None:
    """Check FILE against its database, its schemas and the directory; writes nothing.

    Exits with 8 where something would keep it from running or from saying what it should.
    """
    loaded = load_adapter(file, instance.variables)
    findings = asyncio.run(
        check_adapter(loaded, root=instance.settings.root, directory=instance.directory(), pepper=instance.pepper)
    )
    emit([{"severity": each.severity, "place": each.place, "message": each.message} for each in findings])
    if any(each.severity == "error" for each in findings):
        sys.exit(8)
    note(f"{file}: nothing stands in its way" if not findings else f"{file}: it would run; see the warnings")
