"""What one instance runs, from its settings: the processes and topics of `exchange up`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from exchange.audit import audit_topic
from exchange.cli.instance import Instance
from exchange.cli.supervisor import Process
from exchange.ids import AgencyId
from exchange.transport.kafka import TopicSpec
from exchange.transport.web import free_port

SERVICES = ("registry", "gateway", "audit", "console")


def services(instance: Instance) -> list[Process]:
    """Registry, gateway, audit log and console."""
    listens = {name: getattr(instance.settings, name).listen for name in SERVICES}
    arguments = {name: (name, "run") if name == "audit" else (name,) for name in SERVICES}
    return [Process(name, arguments[name], f"http://{listens[name]}") for name in SERVICES]


def adapters(instance: Instance) -> list[Process]:
    """One process an adapter file of the settings, each with a free port for metrics and health."""
    return [_adapter(path) for path in instance.settings.adapters]


def adapter_name(path: Path) -> str:
    """`adapters/interior/civil.yaml` runs as `adapter-interior-civil`."""
    return f"adapter-{path.parent.name}-{path.stem}"


def topics(instance: Instance) -> Iterator[TopicSpec]:
    """Every topic of the directory, the agencies' dead letters, and the exchange's own."""
    directory = instance.directory()
    for topic in directory.topics():
        yield TopicSpec(topic.name, topic.partitions, compacted=topic.compacted)
    for agency in directory.agencies:
        yield TopicSpec(agency.dead_letter_topic)
    yield from internal_topics(gateway.agency for gateway in directory.gateways)


def internal_topics(gateways: Iterator[AgencyId]) -> Iterator[TopicSpec]:
    """Schemas, positions, consents (all compacted, one partition) and each gateway's audit entries."""
    for name in ("_schemas", "_exchange.positions", "_exchange.consent"):
        yield TopicSpec(name, compacted=True)
    for gateway in gateways:
        yield TopicSpec(audit_topic(gateway), settings={"retention.ms": "-1"})


def _adapter(path: Path) -> Process:
    listen = f"127.0.0.1:{free_port()}"
    environment = {"EXCHANGE_ADAPTER_METRICS_LISTEN": listen}
    return Process(adapter_name(path), ("adapter", "run", str(path)), f"http://{listen}", environment)
