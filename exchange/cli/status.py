"""`exchange status`: what runs, and whether it is ready."""

from __future__ import annotations

import asyncio
import sys

import click

from exchange.cli.instance import Instance
from exchange.cli.output import Row, emit
from exchange.cli.supervisor import Running, Supervisor
from exchange.cli.up import kafka_node
from exchange.errors import PeerUnreachable
from exchange.transport.http import HttpClient


@click.command()
@click.pass_obj
def status(instance: Instance) -> None:
    """Show each process with its state; exits with 1 unless all of them are ready."""
    rows = asyncio.run(_rows(instance))
    emit(rows)
    sys.exit(0 if all(row["state"] == "ready" for row in rows) else 1)


async def _rows(instance: Instance) -> list[Row]:
    node = kafka_node(instance)
    kafka = {
        "process": "kafka",
        "state": "ready" if node.pid is not None else "stopped",
        "pid": node.pid,
        "url": instance.settings.kafka.bootstrap,
    }
    async with HttpClient(timeout=2.0) as http:
        states = Supervisor(instance.home).running().items()
        return [kafka, *await asyncio.gather(*(_row(http, name, state) for name, state in states))]


async def _row(http: HttpClient, name: str, state: Running) -> Row:
    word = await _state(http, state) if state.is_alive else "died"
    return {"process": name, "state": word, "pid": state.pid, "url": state.url}


async def _state(http: HttpClient, state: Running) -> str:
    try:
        answer = await http.send("GET", f"{state.url}/readyz")
    except PeerUnreachable:
        return "not answering"
    return "ready" if answer.status == 200 else answer.body.decode(errors="replace").strip()
