"""What a Kafka of ours is told at its start: `server.properties` of a single node, and of a cluster's member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
"""Where nodes of ours listen."""

_COPIES = 3


@dataclass(frozen=True, slots=True)
class Quorum:
    """Who forms a cluster: its id (22 characters of base64url), and each node's id with its controller's port."""

    cluster_id: str
    controllers: Mapping[int, int]

    @property
    def copies(self) -> int:
        """How many copies of a record there are: three, or as many as there are nodes."""
        return min(_COPIES, len(self.controllers))

    @property
    def in_sync(self) -> int:
        """How many copies must be there before a write is acknowledged: one less, so that one node may be away."""
        return max(1, self.copies - 1)


def server_properties(node_id: int, quorum: Quorum, port: int, log: Path) -> dict[str, str]:
    """Kafka's settings by name for a node that is broker and controller; `log` is the folder of its data."""
    controller = quorum.controllers[node_id]
    voters = ",".join(f"{number}@{HOST}:{each}" for number, each in quorum.controllers.items())
    return {
        "process.roles": "broker,controller",
        "node.id": str(node_id),
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(log),
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "offset.metadata.max.bytes": "65536",  # a subscriber's place: one entry a publisher of the partition
        "message.max.bytes": "8388608",
        "replica.fetch.max.bytes": "8388608",
        "log.cleaner.dedupe.buffer.size": "16777216",
        "log.retention.ms": "-1",
        **_copies(quorum),
    }


def advertised(port: int, direct: int, listeners: str) -> dict[str, str]:
    """Clients are sent to `port`; the broker's own traffic (transaction markers) goes to `direct`."""
    return {
        "listeners": f"{listeners},DIRECT://{HOST}:{direct}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port},DIRECT://{HOST}:{direct}",
        "inter.broker.listener.name": "DIRECT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT",
    }


def _copies(quorum: Quorum) -> dict[str, str]:
    copies, in_sync = str(quorum.copies), str(quorum.in_sync)
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "1",
    }
