"""`exchange up`: a single-node Kafka and every process of the instance, detached."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import click

from exchange.audit import audit_topic, ensure_audit_topic
from exchange.bus import topic_specs
from exchange.cli import plan
from exchange.cli.instance import Instance
from exchange.cli.output import emit, note
from exchange.cli.supervisor import Process, Supervisor
from exchange.consent import consent_topic_spec
from exchange.errors import SettingsError
from exchange.registry import schemas_topic
from exchange.transport.kafka import KafkaNode, ensure_topics

_CHOICES = ("kafka", "topics", *plan.SERVICES, "adapters")


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(_CHOICES))
@click.pass_obj
def up(instance: Instance, parts: tuple[str, ...]) -> None:
    """Start a single-node Kafka, create the topics, then start every process and wait until all are ready.

    PARTS limits it to some of: kafka, topics, registry, gateway, audit, console, adapters. What runs already is left
    alone. With a Kafka cluster of your own, leave out kafka: topics creates what is missing there.
    """
    asyncio.run(start(instance, parts or _CHOICES))
    emit([{"process": name, "url": url} for name, url in Supervisor(instance.home).urls().items()])


async def start(instance: Instance, parts: Iterable[str]) -> None:
    """Start `parts`; raises ProcessError naming the one that did not come up."""
    wanted = set(parts)
    if "kafka" in wanted:
        _require_single_node(instance)
        await kafka_node(instance).start()
        note(f"kafka ready at {instance.settings.kafka.bootstrap}")
    if "topics" in wanted:
        await create_topics(instance)
    supervisor = Supervisor(instance.home)
    registry, *others = plan.services(instance)
    await _start_all(supervisor, [each for each in [registry] if each.name in wanted])
    await _start_all(supervisor, [each for each in others if each.name in wanted])
    if "adapters" in wanted:
        await _start_all(supervisor, plan.adapters(instance))


async def create_topics(instance: Instance) -> None:
    """Create the topics that are missing; raises SettingsError, BrokerUnreachable or TransportError."""
    kafka, directory = instance.settings.kafka, instance.directory()
    consents = replace(consent_topic_spec(), replication=kafka.replication)
    specs = [*topic_specs(directory, kafka.replication), schemas_topic(kafka.replication), consents]
    await ensure_topics(kafka.bootstrap, specs)
    for topic in {audit_topic(gateway.agency) for gateway in directory.gateways}:
        await ensure_audit_topic(kafka.bootstrap, topic, kafka.replication)


def _require_single_node(instance: Instance) -> None:
    addresses = instance.settings.kafka.bootstrap
    if "," in addresses:
        raise SettingsError(
            f"kafka.bootstrap = {addresses!r} is a cluster of your own: `exchange up` starts a single node. Start the "
            "cluster's nodes on their machines, and name the parts to start here: `exchange up topics registry …`"
        )


def kafka_node(instance: Instance) -> KafkaNode:
    """The instance's single node, running or not."""
    settings = instance.settings.kafka
    return KafkaNode(
        libs=settings.libs,
        data=instance.home / "kafka",
        port=int(settings.bootstrap.partition(",")[0].rpartition(":")[2]),
        heap=f"{settings.heap_mib}m",
        log=instance.home / "logs" / "kafka.log",
    )


async def _start_all(supervisor: Supervisor, processes: list[Process]) -> None:
    for process, started in zip(
        processes, await asyncio.gather(*(supervisor.start(each) for each in processes)), strict=True
    ):
        url = supervisor.running()[process.name].url
        note(f"{process.name} {'ready' if started else 'runs already'} at {url}")
