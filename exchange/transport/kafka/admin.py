"""Topics: which there are, with which settings, and making the ones that are missing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code
from aiokafka.structs import TopicPartition

from exchange.errors import SettingsError, TransportError
from exchange.transport.kafka.failures import CONNECT_SECONDS, translated

_REQUEST_SECONDS = 30.0
_RETRY_SECONDS = 0.1
_SETTLE_TRIES = 20
T = TypeVar("T")
_NO_ERROR = 0
_NOBODY = -1
_UNKNOWN_TOPIC: int = UnknownTopicOrPartitionError.errno
_TOPIC_EXISTS: int = TopicAlreadyExistsError.errno


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it must be. Broker time stamps its records (spec 3, step 5 compares with the broker's time)."""

    name: str
    partitions: int = 1
    compacted: bool = False
    replication: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)

    def configuration(self) -> dict[str, str]:
        """Kafka's topic settings: ours, then `settings` over them."""
        ours = {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "message.timestamp.type": "LogAppendTime",
        }
        return {**ours, **self.settings}


@dataclass(frozen=True, slots=True)
class GroupPosition:
    """A group's place in a partition: the next offset it reads, and the metadata that was committed with it."""

    offset: int
    metadata: str


@dataclass(frozen=True, slots=True)
class Replicas:
    """Who holds a partition: the node that leads it (None while none does), and the nodes whose copy is in sync."""

    leader: int | None
    in_sync: frozenset[int]


class KafkaAdmin:
    """Administration of one Kafka, as an async context manager; raises BrokerUnreachable on entering."""

    def __init__(self, bootstrap: str, *, timeout: float = CONNECT_SECONDS) -> None:
        self._bootstrap = bootstrap
        self._timeout = timeout
        self._client: Any = None

    async def __aenter__(self) -> KafkaAdmin:
        self._client = _Client(bootstrap_servers=self._bootstrap)
        try:
            async with translated(self._bootstrap, self._timeout):
                await self._client.start()
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def broker_count(self) -> int:
        """How many brokers the cluster has."""
        async with translated(self._bootstrap, self._timeout):
            return len((await self._client.describe_cluster())["brokers"])

    async def cluster_id(self) -> str:
        """What the cluster calls itself."""
        async with translated(self._bootstrap, self._timeout):
            return str((await self._client.describe_cluster())["cluster_id"])

    async def ensure_topics(self, specs: Iterable[TopicSpec]) -> None:
        """Create the topics that are missing and widen those with too few partitions; running it again is harmless.

        Raises SettingsError when a topic exists with another cleanup policy, TransportError when Kafka refuses.
        """
        wanted = {spec.name: spec for spec in specs}
        present = await self.partitions(wanted)
        await self._create([spec for name, spec in wanted.items() if name not in present])
        await self._widen(
            {name: wanted[name].partitions for name in present if present[name] < wanted[name].partitions}
        )
        await self._await_partitions(wanted)
        for name in present:
            await self._require_policy(wanted[name])

    async def partitions(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each of `topics` has; those that do not exist are left out."""
        names = list(topics)
        if not names:
            return {}
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            described = await self._client.describe_topics(names)
        return {each["topic"]: len(each["partitions"]) for each in described if each["error_code"] == _NO_ERROR}

    async def partition_count(self, topic: str) -> int:
        """How many partitions a topic has; raises SettingsError when there is no such topic."""
        counts = await _settled(lambda: self.partitions([topic]), lambda counts: topic in counts)
        if topic not in counts:
            raise SettingsError(
                f"topic {topic} does not exist on Kafka at {self._bootstrap}; `exchange up` creates topics"
            )
        return counts[topic]

    async def replicas(self, topic: str, partition: int) -> Replicas:
        """Who holds a partition now; raises SettingsError where there is no such partition."""
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            [described] = await self._client.describe_topics([topic])
        for each in described["partitions"]:
            if each["partition"] == partition:
                leader = each["leader"]
                return Replicas(None if leader == _NOBODY else leader, frozenset(each["isr"]))
        raise SettingsError(f"topic {topic} has no partition {partition} on Kafka at {self._bootstrap}")

    async def coordinator(self, name: str, kind: Literal["group", "transaction"]) -> int:
        """The node that keeps a consumer group, or decides over the transactions of a transactional id."""
        number = {"group": 0, "transaction": 1}[kind]
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            return int(await self._retried(lambda: self._client.find_coordinator(name, number)))

    async def settings(self, topic: str) -> dict[str, str]:
        """A topic's settings by name, the broker's defaults included."""
        code, message, _, _, entries = await _settled(
            lambda: self._described(topic), lambda described: described[0] != _UNKNOWN_TOPIC
        )
        if code != _NO_ERROR:
            reason = message or for_code(code).__name__
            raise TransportError(f"Kafka at {self._bootstrap} does not describe topic {topic}: {reason}")
        return {entry[0]: entry[1] for entry in entries}

    async def group_positions(self, group: str, topic: str, partitions: Iterable[int]) -> dict[int, GroupPosition]:
        """Where a consumer group stands in a topic, by partition; partitions it never committed are left out."""
        wanted = [TopicPartition(topic, partition) for partition in partitions]
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            found = await self._retried(lambda: self._client.list_consumer_group_offsets(group, partitions=wanted))
        return {
            place.partition: GroupPosition(stored.offset, stored.metadata or "")
            for place, stored in found.items()
            if stored.offset >= 0
        }

    async def _described(self, topic: str) -> tuple[Any, ...]:
        """Kafka's answer on a topic's settings: code, message, kind, name, entries."""
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            answers = await self._client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        [described] = answers[0].resources
        return tuple(described)

    async def _retried(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Until the caller's timeout: a new cluster makes its own topics on the first question, and moves leaders."""
        while True:
            try:
                return await ask()
            except KafkaError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(_RETRY_SECONDS)

    async def _create(self, specs: list[TopicSpec]) -> None:
        if not specs:
            return
        new = [
            NewTopic(spec.name, spec.partitions, spec.replication, topic_configs=spec.configuration()) for spec in specs
        ]
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            answer = await self._client.create_topics(new)
        for name, code, message in answer.topic_errors:
            if code not in (_NO_ERROR, _TOPIC_EXISTS):  # another process may have created it meanwhile
                raise TransportError(f"Kafka at {self._bootstrap} did not create topic {name}: {message}")

    async def _widen(self, counts: Mapping[str, int]) -> None:
        if not counts:
            return
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            answer = await self._client.create_partitions({name: NewPartitions(n) for name, n in counts.items()})
        for name, code, message in answer.topic_errors:
            if code != _NO_ERROR:
                raise TransportError(f"topic {name} could not be widened: {for_code(code).__name__} {message or ''}")

    async def _await_partitions(self, wanted: Mapping[str, TopicSpec]) -> None:
        """Until the broker tells of what the controller has done: whoever asks next finds the topics."""
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            while True:
                counts = await self.partitions(wanted)
                if all(counts.get(name, 0) >= spec.partitions for name, spec in wanted.items()):
                    return
                await asyncio.sleep(_RETRY_SECONDS)

    async def _require_policy(self, spec: TopicSpec) -> None:
        policy = (await self.settings(spec.name))["cleanup.policy"]
        if policy != spec.configuration()["cleanup.policy"]:
            raise SettingsError(
                f"topic {spec.name} has cleanup.policy {policy}, expected {spec.configuration()['cleanup.policy']}: "
                "change it with Kafka's kafka-configs, or remove the topic"
            )


async def _settled(ask: Callable[[], Awaitable[T]], is_known: Callable[[T], bool]) -> T:
    """The first answer that is known, or the last: what was created just now is not known everywhere for a moment."""
    for _ in range(_SETTLE_TRIES):
        found = await ask()
        if is_known(found):
            break
        await asyncio.sleep(_RETRY_SECONDS)
    return found


class _Client(AIOKafkaAdminClient):  # type: ignore[misc]
    """aiokafka's asks one node, chosen at random; this one asks another where that node is not there."""

    async def _send_request(self, request: Any, node_id: int | None = None) -> Any:
        nodes = [each.nodeId for each in self._client.cluster.brokers()]
        random.shuffle(nodes)
        for node in nodes if node_id is None else ():
            if await self._client.ready(node):
                return await super()._send_request(request, node)
        return await super()._send_request(request, node_id)


async def ensure_topics(bootstrap: str, specs: Iterable[TopicSpec]) -> None:
    """`KafkaAdmin.ensure_topics` in one call."""
    async with KafkaAdmin(bootstrap) as admin:
        await admin.ensure_topics(specs)
