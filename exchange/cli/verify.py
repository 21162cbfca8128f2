"""`exchange verify`: proofs held against the directory, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exchange.audit import VerifiedReceipt, verify_receipt
from exchange.cli.instance import Instance
from exchange.cli.output import emit_line
from exchange.clock import format_micros, format_millis, from_unix_millis
from exchange.envelope import Proven, verify_evidence
from exchange.errors import AuditError, RecordRefused, TrustError
from exchange.trust import Operators

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def verify() -> None:
    """Verify receipts and evidence offline."""


@verify.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--checkpoint", type=_FILE, help="A checkpoint of the log that you trust; the receipt's own unless told.")
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
        emit_line({"receipt": str(file), "verified": True, **_receipt_row(proven)})


@verify.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--operators", type=_FILE, help="The operators' public keys; the home's operators.json unless told.")
@click.pass_obj
def evidence(instance: Instance, files: tuple[Path, ...], operators: Path | None) -> None:
    """Verify the evidence in FILES with the operators' public keys and nothing else; needs no network and no instance.

    Tells who published what, when, and the data. What counts is the time of the seal: a directory that has expired
    since proves it all the same. Stops at the first that does not hold, naming what does not.
    """
    trusted = instance.operators if operators is None else Operators.load(operators)
    for file in files:
        try:
            proven = verify_evidence(file.read_bytes(), trusted)
        except (TrustError, AuditError, RecordRefused) as error:
            step = f"step {error.step}: " if isinstance(error, RecordRefused) else ""
            raise type(error)(f"{file}: {step}{error.message}", code=error.code) from None
        emit_line({"evidence": str(file), "verified": True, **evidence_row(proven)})


def evidence_row(proven: Proven) -> dict[str, Any]:
    """What evidence proves, and what the broker told, as a row."""
    event, statement, directory = proven.event, proven.statement, proven.directory
    return {
        "agency": str(event.agency),
        "name": proven.publisher.member,
        "publisher": event.publisher,
        "key": proven.publisher.verifier,
        "sealed": format_millis(statement.time),
        "topic": event.topic,
        "id": event.id,
        "type": event.type,
        "time": format_micros(event.time),
        "entity": event.key,
        "subject": event.subject,
        "data": event.data,
        "epoch": event.epoch,
        "sequence": event.sequence,
        "directory_version": directory.version,
        "directory_issued": format_millis(directory.issued),
        "told_partition": event.partition,
        "told_offset": event.offset,
        "told_broker_time": format_micros(from_unix_millis(proven.timestamp)),
    }


def _receipt_row(proven: VerifiedReceipt) -> dict[str, Any]:
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
