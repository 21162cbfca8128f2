"""`exchange console`: the ops page of the processes that run in this home."""

from __future__ import annotations

import asyncio

import click

from exchange import __version__
from exchange.cli.instance import Instance
from exchange.cli.process import run_process
from exchange.cli.supervisor import Supervisor
from exchange.console import ConsoleContext, ConsoleService


@click.command()
@click.pass_obj
def console(instance: Instance) -> None:
    """Serve the ops console: throughput, decisions, lag and health, without a script."""
    settings = instance.settings
    context = ConsoleContext(
        listen=settings.console.listen,
        instance=settings.instance,
        targets=lambda: {**settings.console.targets, **Supervisor(instance.home).urls()},
        clock=instance.clock,
        refresh_seconds=settings.console.refresh_seconds,
        version=__version__,
    )

    async def body(stop: asyncio.Event) -> None:
        async with ConsoleService(context):
            await stop.wait()

    run_process("console", body)
