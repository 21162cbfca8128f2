"""Adapters: a legacy database as topics, topics as tables, a table as a lookup service; from one YAML file."""

from exchange.connect.check import check_adapter
from exchange.connect.file import AdapterFile, load_adapter
from exchange.connect.finding import Finding
from exchange.connect.grant import Grant, verify_grant
from exchange.connect.ports import AdapterContext, Schemas
from exchange.connect.retry import Patience
from exchange.connect.runtime import AdapterRuntime

__all__ = [
    "AdapterContext",
    "AdapterFile",
    "AdapterRuntime",
    "Finding",
    "Grant",
    "Patience",
    "Schemas",
    "check_adapter",
    "load_adapter",
    "verify_grant",
]
