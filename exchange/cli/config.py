"""`exchange config`: the settings in force, after file and environment. They hold no secrets."""

from __future__ import annotations

import click

from exchange.cli.instance import Instance
from exchange.cli.output import emit


@click.command()
@click.pass_obj
def config(instance: Instance) -> None:
    """Print the settings in force (file, then environment)."""
    emit(instance.settings.model_dump(mode="json"))
