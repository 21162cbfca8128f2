"""The `exchange` command: its options, its commands (imported when used), and how errors leave it."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import Any

import click

from exchange import __version__
from exchange.cli.instance import Instance
from exchange.errors import ExchangeError

_COMMANDS = {
    "init": ("init", "Create an instance: keys, directory, settings."),
    "directory": ("directory", "Show the directory, or sign a fresh one."),
    "keys": ("keys", "Show, check and rotate signing keys."),
    "up": ("up", "Start a single-node Kafka and every process of the instance."),
    "down": ("down", "Stop what `up` started."),
    "status": ("status", "Show what runs."),
    "registry": ("registry", "Run the schema registry."),
    "gateway": ("gateway", "Run a gateway."),
    "adapter": ("adapter", "Run or check an adapter file."),
    "audit": ("audit", "Run the audit log, or fetch what it proves."),
    "console": ("console", "Run the ops console."),
    "schema": ("schema", "Check, register, compare and evolve Avro schemas."),
    "lookup": ("lookup", "Look a record up at another agency."),
    "consent": ("consent", "Give, withdraw and show consents."),
    "topic": ("topic", "Write, read, count, verify and replay topics."),
    "dlq": ("dlq", "Show dead letters, deliver them again, or drop them."),
    "evidence": ("evidence", "Take an event out of its topic as a file that proves itself."),
    "verify": ("verify", "Verify receipts and evidence offline."),
    "config": ("config", "Print the settings in force."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"exchange.cli.{_COMMANDS[name][0]}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ExchangeError as error:
            fail(error)
        except BaseExceptionGroup as group:
            known, other = group.split(ExchangeError)
            if known is None or other is not None:
                raise
            fail(_first(known))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="exchange")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".exchange"),
    show_default=True,
    envvar="EXCHANGE_HOME",
    help="The instance's home folder.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How data are printed.")
@click.pass_context
def exchange(ctx: click.Context, home: Path, output: str) -> None:
    """An inter-agency data exchange bus.

    Data go to stdout, everything else to stderr. Exit codes: 0 done; 1 failed; 2 wrong usage, settings or names;
    3 not trusted; 4 schema; 5 Kafka or a peer does not answer; 6 denied; 7 lookup failed; 8 adapter; 9 audit;
    10 process; 11 another process took the publisher over: do not start again.
    """
    ctx.obj = Instance(home)
    # What goes wrong with Kafka is raised, once, in our words; aiokafka's own log says it over and over.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def main() -> None:
    """The console script."""
    exchange(auto_envvar_prefix="EXCHANGE")


def fail(error: ExchangeError) -> None:
    """Say in one line what is wrong, and exit with the error's code."""
    click.echo(f"error: {error.message} [{error.code}]", err=True)
    sys.exit(error.exit_code)


def _first(group: BaseExceptionGroup[ExchangeError]) -> ExchangeError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ExchangeError)  # noqa: S101  (split() left nothing else)
    return error
