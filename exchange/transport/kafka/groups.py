"""Consumer groups seen from outside: whether there is such a group, and whether it reads a topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import KafkaError

from exchange.transport.kafka.failures import CONNECT_SECONDS, translated

_REQUEST_SECONDS = 30.0
_MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as Kafka knows it: the topics its members read now, how many members, and where it has a place."""

    members: int
    subscribed: frozenset[str]
    placed: frozenset[str]

    @property
    def exists(self) -> bool:
        """Whether Kafka knows of such a group."""
        return self.members > 0 or bool(self.placed)

    def reads(self, topic: str) -> bool:
        """Whether the group reads a topic, now or when its members are back."""
        return topic in self.subscribed or topic in self.placed


async def view_group(bootstrap: str, group: str) -> GroupView:
    """What Kafka knows of a consumer group; a group that is not there has nothing. Raises BrokerUnreachable."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        async with translated(bootstrap, CONNECT_SECONDS):
            await client.start()
        async with translated(bootstrap, _REQUEST_SECONDS):
            return await _view(client, group)
    finally:
        await client.close()


async def _view(client: Any, group: str) -> GroupView:
    [answer] = await client.describe_consumer_groups([group])
    [described] = answer.to_object()["groups"]
    topics = [_topics(member["member_metadata"]) for member in described[_MEMBERS]]
    try:
        placed = await client.list_consumer_group_offsets(group)
    except KafkaError:
        placed = {}
    return GroupView(
        members=len(topics),
        subscribed=frozenset(topic for each in topics for topic in each),
        placed=frozenset(place.topic for place, at in placed.items() if at.offset >= 0),
    )


def _topics(metadata: bytes) -> list[str]:
    """What a member subscribed to; nothing of a member that is only joining."""
    return list(ConsumerProtocolMemberMetadata.decode(metadata).subscription) if metadata else []
