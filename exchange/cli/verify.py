"""`exchange verify`: proofs held against the directory, offline."""

from __future__ import annotations

from pathlib import Path

import click

from exchange.audit import verify_receipt
from exchange.cli.instance import Instance
from exchange.cli.output import emit


@click.group()
def verify() -> None:
    """Verify a receipt offline."""


@verify.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint of the log that you trust; the receipt's own unless told.",
)
@click.pass_obj
def receipt(instance: Instance, file: Path, checkpoint: Path | None) -> None:
    """Verify the receipt in FILE with the directory and the log's checkpoint; asks no process, needs no network."""
    trusted = checkpoint.read_bytes() if checkpoint else None
    proven = verify_receipt(file.read_bytes(), instance.directory(), trusted)
    entry = proven.entry
    emit(
        {
            "verified": True,
            "entry": entry.id,
            "kind": entry.kind,
            "time": entry.time.isoformat(),
            "consumer": str(entry.consumer),
            "service": entry.service,
            "purpose": entry.purpose,
            "basis": entry.basis,
            "decision": entry.decision,
            "leaf_index": proven.index,
            "tree_size": proven.checkpoint.size,
        }
    )
