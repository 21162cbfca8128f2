"""Letters that bring records back, as plain records: for tests of the subscriber, which opens what they bring."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.bus import Redelivered
from exchange.envelope import KafkaRecord, Opener, Record
from exchange.errors import SealMalformed
from exchange.transport.kafka import Received, TopicSpec, ensure_topics
from tests.fakes.bus_world import World, write_raw

_GROUP, _ORIGINAL, _DUE = "letter-group", "letter-original", "letter-due"


class PlainRedeliveries:
    """A `Redeliveries` of one group over `topics`; its letters bear no seal of their own."""

    def __init__(self, group: str, topics: Sequence[str]) -> None:
        self._group = group
        self._topics = tuple(topics)

    @property
    def topics(self) -> Sequence[str]:
        """The letters' topics."""
        return self._topics

    def read(self, record: Record, opener: Opener) -> Redelivered | None:
        """The original, from the headers before it; raises SealMalformed for what is no letter."""
        if not record.headers or record.headers[0][0] != _GROUP:
            raise SealMalformed("not a letter")
        (_, group), (_, original), (_, due), *headers = record.headers
        if group.decode() != self._group:
            return None
        topic, partition, offset, timestamp = original.decode().split(" ")
        place = (topic, int(partition), int(offset), int(timestamp))
        return Redelivered(KafkaRecord(*place, record.key, record.value, tuple(headers)), int(due), 1, "retry")


async def letter_topics(world: World, *names: str) -> list[str]:
    """Topics for letters, created."""
    topics = [f"{world.social.topic_prefix}{name}" for name in names]
    await ensure_topics(world.kafka, [TopicSpec(topic) for topic in topics])
    return topics


async def write_letter(world: World, topic: str, group: str, original: Received, due_millis: int = 0) -> None:
    """Bring a record back to a group."""
    place = f"{original.topic} {original.partition} {original.offset} {original.timestamp}"
    ours = [(_GROUP, group.encode()), (_ORIGINAL, place.encode()), (_DUE, str(due_millis).encode())]
    await write_raw(world, topic, original.value, [*ours, *original.headers], original.key)
