"""`exchange consent`: record, withdraw and show what an individual consented to."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from exchange.cli.calling import gateway_client
from exchange.cli.instance import Instance
from exchange.cli.output import emit
from exchange.cli.parameters import AGENCY, INDIVIDUAL, NAMES, SERVICE
from exchange.gateway import ConsentResult, ConsentSubject, GatewayClient
from exchange.ids import AgencyId

Call = Callable[[GatewayClient], Awaitable[ConsentResult]]


@click.group()
def consent() -> None:
    """Give, withdraw and show consents."""


def _about(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which consent it is, folded into `about` and `agency`."""

    @functools.wraps(command)  # with it go the options that the command has of its own
    def folded(*, individual: Any, consumer: Any, service: Any, purpose: str, as_agency: Any, **rest: Any) -> None:
        command(about=ConsentSubject(individual, consumer, str(service), purpose), agency=as_agency or consumer, **rest)

    options = (
        click.option("--individual", type=INDIVIDUAL, required=True, help="Whose consent; - reads it from stdin."),
        click.option("--consumer", type=AGENCY, required=True, help="Who may use the data."),
        click.option("--service", type=SERVICE, required=True, help="The service it is for."),
        click.option("--purpose", required=True, help="What it is for."),
        click.option("--as", "as_agency", type=AGENCY, help="Who records it; the consumer unless told."),
    )
    wrapped: Callable[..., None] = folded
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


@consent.command()
@_about
@click.option("--fields", type=NAMES, required=True, help="Fields the individual agrees to.")
@click.option("--language", default="uz", show_default=True, help="Language of the notice shown.")
@click.option("--notice", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The notice shown.")
@click.option("--days", type=click.IntRange(1, 3660), default=365, show_default=True, help="How long it holds.")
@click.pass_obj
def give(
    instance: Instance,
    about: ConsentSubject,
    agency: AgencyId,
    fields: list[str],
    language: str,
    notice: Path | None,
    days: int,
) -> None:
    """Record a consent, in place of any there is."""
    text = notice.read_bytes() if notice else _notice(about, fields)
    digest = hashlib.sha256(text).hexdigest()
    until: datetime = instance.clock.now() + timedelta(days=days)
    _run(
        instance,
        agency,
        lambda client: client.give_consent(about, fields, language=language, notice_digest=digest, valid_until=until),
    )


@consent.command()
@_about
@click.pass_obj
def withdraw(instance: Instance, about: ConsentSubject, agency: AgencyId) -> None:
    """End a consent: once this returns, the gateway denies."""
    _run(instance, agency, lambda client: client.withdraw_consent(about))


@consent.command()
@_about
@click.pass_obj
def pause(instance: Instance, about: ConsentSubject, agency: AgencyId) -> None:
    """Suspend a consent until it is resumed."""
    _run(instance, agency, lambda client: client.pause_consent(about))


@consent.command()
@_about
@click.pass_obj
def resume(instance: Instance, about: ConsentSubject, agency: AgencyId) -> None:
    """Let a paused consent hold again."""
    _run(instance, agency, lambda client: client.resume_consent(about))


@consent.command()
@_about
@click.pass_obj
def show(instance: Instance, about: ConsentSubject, agency: AgencyId) -> None:
    """Show a consent as it stands, with its history."""
    _run(instance, agency, lambda client: client.show_consent(about))


def _run(instance: Instance, agency: AgencyId, call: Call) -> None:
    result = asyncio.run(_call(instance, agency, call))
    emit({**result.content, "transaction_id": result.transaction_id})


async def _call(instance: Instance, agency: AgencyId, call: Call) -> ConsentResult:
    async with gateway_client(instance, agency) as client:
        return await call(client)


def _notice(about: ConsentSubject, fields: list[str]) -> bytes:
    """The notice that a person at a counter reads out where no text of its own is given."""
    names = ", ".join(sorted(fields))
    return f"{about.consumer} may use {names} of {about.service} for {about.purpose}.\n".encode()
