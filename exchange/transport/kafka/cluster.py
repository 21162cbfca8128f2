"""Several Kafka nodes as one cluster on one machine: three copies of everything, two of them before a write counts.

    async with KafkaCluster(libs=..., data=...) as cluster:
        cluster.bootstrap                                # "127.0.0.1:15001,127.0.0.1:15002,127.0.0.1:15003"
        await cluster.kill(await cluster.leader("events"))

For trying out what a cluster does when a node is lost; a cluster that matters has a machine for each node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from exchange.errors import TransportError
from exchange.transport.kafka.admin import KafkaAdmin, Replicas
from exchange.transport.kafka.node import KafkaNode, new_cluster_id
from exchange.transport.kafka.properties import Quorum
from exchange.transport.ports import free_port


class KafkaCluster:
    """`brokers` nodes, numbered from 1, as an async context manager; `settings` are Kafka's own names, over ours.

    `data` holds a folder a node, kept as a single node's is.
    """

    def __init__(
        self,
        *,
        libs: Path,
        data: Path,
        brokers: int = 3,
        heap: str = "320m",
        java: str = "java",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        ports = _free_ports(2 * brokers)
        numbers = range(1, brokers + 1)
        quorum = Quorum(new_cluster_id(), dict(zip(numbers, ports[brokers:], strict=True)))
        self._data = data
        self._nodes = {
            number: KafkaNode(
                libs=libs,
                data=data / f"node-{number}",
                port=port,
                heap=heap,
                java=java,
                node_id=number,
                quorum=quorum,
                settings=settings,
            )
            for number, port in zip(numbers, ports[:brokers], strict=True)
        }

    @property
    def nodes(self) -> Mapping[int, KafkaNode]:
        """Every node by its id, running or not."""
        return self._nodes

    @property
    def bootstrap(self) -> str:
        """The addresses clients are given, `127.0.0.1:PORT,127.0.0.1:PORT,127.0.0.1:PORT`."""
        return ",".join(node.bootstrap for node in self._nodes.values())

    async def __aenter__(self) -> KafkaCluster:
        await self.start_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill_all()

    async def start_all(self) -> None:
        """Start the nodes that do not run, all at once: none answers before most of them are there.

        Raises SettingsError or ProcessError as a node does; then none is left running.
        """
        starting = [asyncio.ensure_future(node.start()) for node in self._nodes.values()]
        try:
            await asyncio.gather(*starting)
        except BaseException:
            for each in starting:
                each.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            await self.kill_all()
            raise

    async def kill_all(self) -> None:
        """End every node at once (SIGKILL): the last of a quorum could not end in order, nobody answers it."""
        await asyncio.gather(*(node.kill() for node in self._nodes.values()))

    async def start(self, number: int) -> None:
        """Start one node, and wait until it answers."""
        await self._nodes[number].start()

    async def stop(self, number: int) -> None:
        """Ask one node to stop (SIGTERM): it hands over what it leads first."""
        await self._nodes[number].stop()

    async def kill(self, number: int) -> None:
        """End one node at once (SIGKILL)."""
        await self._nodes[number].kill()

    def pause(self, number: int) -> None:
        """Let one node stand still (SIGSTOP), its connections open."""
        self._nodes[number].pause()

    def resume(self, number: int) -> None:
        """Let a paused node go on (SIGCONT)."""
        self._nodes[number].resume()

    async def replicas(self, topic: str, partition: int = 0) -> Replicas:
        """Who leads a partition and who is in sync, as a node that answers knows it."""
        async with KafkaAdmin(self.bootstrap) as admin:
            return await admin.replicas(topic, partition)

    async def leader(self, topic: str, partition: int = 0) -> int:
        """The node that leads a partition; raises TransportError while none does."""
        found = (await self.replicas(topic, partition)).leader
        if found is None:
            raise TransportError(f"{topic}/{partition} has no leader now: too many of its nodes are away")
        return found

    async def transaction_coordinator(self, transactional_id: str) -> int:
        """The node that decides over a writer's transactions."""
        async with KafkaAdmin(self.bootstrap) as admin:
            return await admin.coordinator(transactional_id, "transaction")

    async def group_coordinator(self, group: str) -> int:
        """The node that keeps a consumer group."""
        async with KafkaAdmin(self.bootstrap) as admin:
            return await admin.coordinator(group, "group")


def _free_ports(count: int) -> list[int]:
    """Different ones: a port that was handed out is still free until somebody listens there."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)
