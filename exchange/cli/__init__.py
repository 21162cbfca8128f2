"""The command line: one file a command, and the only place that wires the parts together."""

from exchange.cli.app import main

__all__ = ["main"]
