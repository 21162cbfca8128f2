"""`exchange registry`: the schema registry as a process."""

from __future__ import annotations

import asyncio
import gc
import sys

import click

from exchange.cli.instance import Instance
from exchange.cli.process import run_process, until_stopped
from exchange.registry import (
    KafkaSchemaStore,
    Linting,
    OpenWrites,
    RegistryService,
    Replicas,
    SignedWrites,
    build_app,
)
from exchange.transport.http import HttpClient
from exchange.transport.kafka import KafkaAdmin
from exchange.transport.web import serve

_FORWARD_SECONDS = 10.0
_SWITCH_SECONDS = 0.0005
"""How long a thread that compares large schemas may keep the event loop waiting."""


@click.command()
@click.option("--open", "open_writes", is_flag=True, help="Accept unsigned writes: development only.")
@click.pass_obj
def registry(instance: Instance, open_writes: bool) -> None:
    """Serve the Confluent Schema Registry REST API over `_schemas`; owners alone register.

    Any number of replicas may run: one writes, the others forward writes to it.
    """
    settings = instance.settings.registry

    async def body(stop: asyncio.Event) -> None:
        sys.setswitchinterval(_SWITCH_SECONDS)
        is_open = open_writes or settings.open
        writes = OpenWrites() if is_open else SignedWrites(instance.directory, instance.clock)
        linting = Linting(None if is_open else instance.directory, settings.lint)
        store = KafkaSchemaStore(instance.settings.kafka.bootstrap, instance.clock)
        service = RegistryService(store, settings.own_url, linting, alone=False)
        await service.start()
        gc.collect()
        gc.freeze()  # what was read stays: a collection that goes through all of it would hold up every request
        try:
            async with HttpClient(timeout=_FORWARD_SECONDS) as http:
                replicas = Replicas(service, http, settings.own_url)
                app = build_app(service, writes, replicas, await _cluster(instance))
                async with serve(app, settings.listen):
                    await until_stopped(stop, service.wait_stopped())
        finally:
            await service.close()

    run_process("registry", body)


async def _cluster(instance: Instance) -> str:
    async with KafkaAdmin(instance.settings.kafka.bootstrap) as admin:
        return await admin.cluster_id()
