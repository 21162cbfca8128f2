"""`exchange audit`: the transparency log as a process, and what it proves."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from exchange.audit import AuditClient, AuditContext, AuditLogService, Receipt
from exchange.cli.files import write_whole
from exchange.cli.instance import Instance
from exchange.cli.output import emit
from exchange.cli.process import run_process
from exchange.transport.http import HttpClient


@click.group(invoke_without_command=True)
@click.pass_context
def audit(ctx: click.Context) -> None:
    """Without a command: run the audit log. Else ask a running one for what it proves."""
    if ctx.invoked_subcommand is None:
        _run(ctx.obj)


def _run(instance: Instance) -> None:
    async def body(stop: asyncio.Event) -> None:
        context = AuditContext(
            bootstrap=instance.settings.kafka.bootstrap,
            directory=instance.directory,
            signer=instance.log_key(),
            folder=instance.home / "audit",
            clock=instance.clock,
            settings=instance.settings.audit,
        )
        async with AuditLogService(context) as service:
            await service.run_until(stop)

    run_process("audit", body)


@audit.command()
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
@click.pass_obj
def checkpoint(instance: Instance, write: Path | None) -> None:
    """Fetch the log's newest checkpoint, a C2SP signed note."""
    note = asyncio.run(_checkpoint(instance))
    if write is None:
        sys.stdout.buffer.write(note)
    else:
        write.write_bytes(note)
        emit({"checkpoint": str(write), "bytes": len(note)})


@audit.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--checkpoint",
    "trusted",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Also lead from each receipt's checkpoint to this one.",
)
@click.pass_obj
def complete(instance: Instance, files: tuple[Path, ...], trusted: Path | None) -> None:
    """Add the log's proof to the receipts in FILES, once a checkpoint covers their entries."""
    asyncio.run(_complete(instance, files, trusted.read_bytes() if trusted else None))
    emit([{"receipt": str(file), "complete": True} for file in files])


async def _checkpoint(instance: Instance) -> bytes:
    async with HttpClient() as http:
        return await AuditClient(http, instance.directory().audit_log.url).checkpoint()


async def _complete(instance: Instance, files: tuple[Path, ...], trusted: bytes | None) -> None:
    async with HttpClient() as http:
        client = AuditClient(http, instance.directory().audit_log.url)
        for file in files:
            receipt = Receipt.parse(file.read_bytes())
            completed = await client.complete(receipt, checkpoint=trusted)
            write_whole(file, completed.encode())
