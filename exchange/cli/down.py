"""`exchange down`: stop what `exchange up` started, adapters first, Kafka last."""

from __future__ import annotations

import asyncio

import click

from exchange.cli.instance import Instance
from exchange.cli.output import note
from exchange.cli.supervisor import Supervisor
from exchange.cli.up import kafka_node


@click.command()
@click.pass_obj
def down(instance: Instance) -> None:
    """Stop every process of the instance: each drains and commits, then Kafka stops."""
    asyncio.run(stop(instance))


async def stop(instance: Instance) -> None:
    """Stop adapters, then the services, then Kafka; harmless where nothing runs."""
    supervisor = Supervisor(instance.home)
    names = supervisor.running()
    adapters = [name for name in names if name.startswith("adapter-")]
    for group in (adapters, [name for name in names if name not in adapters]):
        await asyncio.gather(*(supervisor.stop(name) for name in group))
        for name in group:
            note(f"{name} stopped")
    await kafka_node(instance).stop()
    note("kafka stopped")
