"""`exchange gateway`: a gateway as a process."""

from __future__ import annotations

import asyncio

import click

from exchange.cli.instance import Instance
from exchange.cli.process import run_process, until_stopped
from exchange.gateway import GatewayContext, GatewayService
from exchange.ids import AgencyId
from exchange.transport.http import HttpClient
from exchange.transport.web import serve


@click.command()
@click.pass_obj
def gateway(instance: Instance) -> None:
    """Serve lookups and the consent API: decided and recorded before anything is released."""
    settings = instance.settings.gateway

    async def body(stop: asyncio.Event) -> None:
        async with HttpClient(timeout=settings.provider_timeout_seconds + 5.0) as http:
            context = GatewayContext(
                bootstrap=instance.settings.kafka.bootstrap,
                directory=instance.directory,
                credentials=instance.credentials(AgencyId.parse(settings.agency)),
                pepper=instance.pepper,
                clock=instance.clock,
                http=http,
                settings=settings,
            )
            async with GatewayService(context) as service, serve(service.app, settings.listen):
                await until_stopped(stop, service.wait_stopped())

    run_process("gateway", body)
