"""The topics that the bus needs, as the directory has them: for whoever creates topics."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.bus.publishing.positions import positions_topic
from exchange.ids import AgencyId
from exchange.transport.kafka import TopicSpec
from exchange.trust import Directory, TopicEntry

EVENT_BYTES = 4 * 1024 * 1024
"""What an event topic takes in one batch, hence in one record."""

DEAD_LETTER_BYTES = 8 * 1024 * 1024
"""What an agency's own topics take: any record of another topic, and the reason it was refused."""

DEAD_LETTER_DAYS = 90
"""How long an agency's own topics keep a letter: long enough to repair a handler, and not for ever: they are data."""


def topic_specs(directory: Directory, replication: int = 1) -> Iterator[TopicSpec]:
    """Every topic of the directory, each agency's own ones, and the positions."""
    yield positions_topic(replication)
    for topic in directory.topics():
        yield event_topic(topic, replication)
    for agency in directory.agencies:
        yield from own_topics(agency, replication)


def event_topic(topic: TopicEntry, replication: int = 1) -> TopicSpec:
    """One topic of the directory."""
    settings = {"max.message.bytes": str(EVENT_BYTES)}
    return TopicSpec(topic.name, topic.partitions, topic.compacted, replication, settings)


def own_topics(agency: AgencyId, replication: int = 1) -> Iterator[TopicSpec]:
    """An agency's dead letters, and what its groups read again. One partition each: a letter is known by its offset."""
    settings = {
        "max.message.bytes": str(DEAD_LETTER_BYTES),
        "retention.ms": str(DEAD_LETTER_DAYS * 24 * 60 * 60 * 1000),
    }
    for name in agency.own_topics:
        yield TopicSpec(name, replication=replication, settings=settings)
