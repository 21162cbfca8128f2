"""What one instance runs, from its settings: the processes of `exchange up`."""

from __future__ import annotations

from pathlib import Path

from exchange.cli.instance import Instance
from exchange.cli.supervisor import Process
from exchange.transport.web import free_port

SERVICES = ("registry", "gateway", "audit", "console")


def services(instance: Instance) -> list[Process]:
    """Registry, gateway, audit log and console."""
    listens = {name: getattr(instance.settings, name).listen for name in SERVICES}
    return [Process(name, (name,), f"http://{listen}") for name, listen in listens.items()]


def adapters(instance: Instance) -> list[Process]:
    """One process an adapter file of the settings, each with a free port for metrics and health."""
    return [_adapter(path) for path in instance.settings.adapters]


def adapter_name(path: Path) -> str:
    """`adapters/interior/civil.yaml` runs as `adapter-interior-civil`."""
    return f"adapter-{path.parent.name}-{path.stem}"


def _adapter(path: Path) -> Process:
    listen = f"127.0.0.1:{free_port()}"
    environment = {"EXCHANGE_ADAPTER_METRICS_LISTEN": listen}
    return Process(adapter_name(path), ("adapter", "run", str(path)), f"http://{listen}", environment)
