"""Calling the instance's gateway as an agency whose key is here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exchange.cli.instance import Instance
from exchange.errors import SettingsError
from exchange.gateway import GatewayClient
from exchange.ids import AgencyId
from exchange.transport.http import HttpClient


@asynccontextmanager
async def gateway_client(instance: Instance, agency: AgencyId) -> AsyncIterator[GatewayClient]:
    """A client of the directory's first gateway, signing as `agency`; raises SettingsError without a gateway."""
    gateways = instance.directory().gateways
    if not gateways:
        raise SettingsError("the directory names no gateway: the operators add one")
    async with HttpClient(timeout=30.0) as http:
        credentials = instance.credentials(agency)
        yield GatewayClient(http, credentials, instance.directory, instance.clock, gateways[0].url)
