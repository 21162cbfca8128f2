"""`exchange registry`: the schema registry as a process."""

from __future__ import annotations

import asyncio

import click

from exchange.cli.instance import Instance
from exchange.cli.process import run_process, until_stopped
from exchange.registry import KafkaSchemaStore, OpenWrites, RegistryService, SignedWrites, build_app
from exchange.transport.web import serve


@click.command()
@click.option("--open", "open_writes", is_flag=True, help="Accept unsigned writes: development only.")
@click.pass_obj
def registry(instance: Instance, open_writes: bool) -> None:
    """Serve the Confluent Schema Registry REST API over `_schemas`; owners alone register."""
    settings = instance.settings.registry

    async def body(stop: asyncio.Event) -> None:
        is_open = open_writes or settings.open
        writes = OpenWrites() if is_open else SignedWrites(instance.directory, instance.clock)
        service = RegistryService(KafkaSchemaStore(instance.settings.kafka.bootstrap, instance.clock))
        await service.start()
        try:
            async with serve(build_app(service, writes), settings.listen):
                await until_stopped(stop, service.wait_stopped())
        finally:
            await service.close()

    run_process("registry", body)
