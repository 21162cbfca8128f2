"""`exchange verify`: proofs held against the directory, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exchange.audit import VerifiedReceipt, verify_receipt
from exchange.cli.instance import Instance
from exchange.cli.output import emit_line
from exchange.clock import format_micros
from exchange.errors import AuditError, TrustError


@click.group()
def verify() -> None:
    """Verify a receipt offline."""


@verify.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint of the log that you trust; the receipt's own unless told.",
)
@click.pass_obj
def receipt(instance: Instance, files: tuple[Path, ...], checkpoint: Path | None) -> None:
    """Verify the receipts in FILES with the directory and the log's checkpoint; asks no process, needs no network.

    What counts is the time of the entry: a directory that has expired since proves it all the same.
    Stops at the first that does not hold, naming what does not.
    """
    trusted = checkpoint.read_bytes() if checkpoint else None
    directory = instance.past_directory()
    for file in files:
        try:
            proven = verify_receipt(file.read_bytes(), directory, trusted)
        except (TrustError, AuditError) as error:
            raise type(error)(f"{file}: {error.message}", code=error.code) from None
        emit_line({"receipt": str(file), "verified": True, **_row(proven)})


def _row(proven: VerifiedReceipt) -> dict[str, Any]:
    entry = proven.entry
    return {
        "entry": entry.id,
        "kind": entry.kind,
        "time": format_micros(entry.time),
        "consumer": str(entry.consumer),
        "service": entry.service,
        "purpose": entry.purpose,
        "basis": entry.basis,
        "decision": entry.decision,
        "leaf_index": proven.index,
        "tree_size": proven.checkpoint.size,
    }
