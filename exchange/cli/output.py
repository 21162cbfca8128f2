"""What commands print: data on stdout, as text or as JSON (`-o json`); everything else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]


def emit(data: Row | Sequence[Row]) -> None:
    """Print one mapping, or several rows of the same keys, in the form the user asked for."""
    if _wants_json():
        _print_json(data)
    elif isinstance(data, Mapping):
        _print_mapping(data)
    else:
        _print_rows(data)


def emit_report(data: Row, lines: Iterable[str], rows: Sequence[Row] = ()) -> None:
    """Print what is told in sentences: for a person the lines, then the rows as a table; the data as JSON."""
    if _wants_json():
        _print_json(data)
        return
    for line in lines:
        click.echo(line)
    _print_rows(rows)


def emit_line(row: Row) -> None:
    """Print one row of a stream: a JSON object on a line of its own, or `key=value` pairs."""
    if _wants_json():
        click.echo(msgspec.json.encode(row, enc_hook=str).decode())
    else:
        click.echo("  ".join(f"{name}={_text(value)}" for name, value in row.items()))
    sys.stdout.flush()


def note(message: str) -> None:
    """Tell the person at the terminal something that is not data."""
    click.echo(message, err=True)


def _wants_json() -> bool:
    return click.get_current_context().find_root().params.get("output") == "json"


def _print_json(data: Row | Sequence[Row]) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(data, enc_hook=str), indent=2).decode())


def lines_of(data: Row) -> list[str]:
    """One mapping as a person reads it, name and value a line."""
    width = max((len(name) for name in data), default=0)
    return [f"{name:<{width}}  {_text(value)}" for name, value in data.items()]


def _print_mapping(data: Row) -> None:
    for line in lines_of(data):
        click.echo(line)


def _print_rows(rows: Sequence[Row]) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 200)
    console.print(table)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value, enc_hook=str).decode()
