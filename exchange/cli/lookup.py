"""`exchange lookup`: one record of another agency, if agreement, purpose and basis allow it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from exchange.cli.calling import gateway_client
from exchange.cli.instance import Instance
from exchange.cli.output import emit, note
from exchange.cli.parameters import AGENCY, INDIVIDUAL, NAMES, SERVICE
from exchange.errors import ExchangeError
from exchange.gateway import LookupResult
from exchange.ids import AgencyId, Identifier, ServiceId


@click.command()
@click.argument("service", type=SERVICE)
@click.option("--consumer", type=AGENCY, required=True, help="Who asks; its key must be here.")
@click.option("--individual", type=INDIVIDUAL, required=True, help="Whose record; - reads it from stdin.")
@click.option("--purpose", required=True, help="Purpose of the agreement.")
@click.option("--fields", type=NAMES, required=True, help="Fields to ask for.")
@click.option("--case", "case_reference", required=True, help="The consumer's own reference for this case.")
@click.option("--receipt", type=click.Path(path_type=Path, dir_okay=False), help="Write the receipt to this file.")
@click.pass_obj
def lookup(
    instance: Instance,
    service: ServiceId,
    consumer: AgencyId,
    individual: Identifier,
    purpose: str,
    fields: list[str],
    case_reference: str,
    receipt: Path | None,
) -> None:
    """Ask SERVICE (e.g. UZ/GOV/tax/registry/tax-standing) for an individual's record.

    Denied lookups exit with 6, failed ones with 7; both leave a receipt.
    """
    question = (str(service), individual, purpose, fields, case_reference)
    try:
        result = asyncio.run(_ask(instance, consumer, question))
    except ExchangeError as error:
        _keep(receipt, error.receipt)
        raise
    _keep(receipt, result.receipt)
    emit({"data": result.data, "transaction_id": result.transaction_id})


async def _ask(
    instance: Instance, consumer: AgencyId, question: tuple[str, Identifier, str, list[str], str]
) -> LookupResult:
    async with gateway_client(instance, consumer) as client:
        return await client.lookup(*question)


def _keep(path: Path | None, receipt: Mapping[str, Any] | None) -> None:
    if path is not None and receipt is not None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(receipt), indent=2) + b"\n")
        note(f"receipt written to {path}")
