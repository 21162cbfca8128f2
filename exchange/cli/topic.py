"""`exchange topic`: topics for people: written, read, counted, verified and delivered again."""

from __future__ import annotations

import click

from exchange.cli.topic_count import count
from exchange.cli.topic_produce import produce
from exchange.cli.topic_read import head, tail
from exchange.cli.topic_replay import replay
from exchange.cli.topic_verify import verify


@click.group()
def topic() -> None:
    """Write, read, count, verify and replay topics."""


for _command in (produce, head, tail, count, verify, replay):
    topic.add_command(_command)
