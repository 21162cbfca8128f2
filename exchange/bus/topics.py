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
"""What a dead-letter topic takes: any record of another topic, and the reason it was refused."""


def topic_specs(directory: Directory, replication: int = 1) -> Iterator[TopicSpec]:
    """Every topic of the directory, each agency's dead letters, and the positions."""
    yield positions_topic(replication)
    for topic in directory.topics():
        yield event_topic(topic, replication)
    for agency in directory.agencies:
        yield dead_letter_topic(agency, replication)


def event_topic(topic: TopicEntry, replication: int = 1) -> TopicSpec:
    """One topic of the directory."""
    settings = {"max.message.bytes": str(EVENT_BYTES)}
    return TopicSpec(topic.name, topic.partitions, topic.compacted, replication, settings)


def dead_letter_topic(agency: AgencyId, replication: int = 1) -> TopicSpec:
    """Where an agency keeps what it refused."""
    settings = {"max.message.bytes": str(DEAD_LETTER_BYTES)}
    return TopicSpec(agency.dead_letter_topic, replication=replication, settings=settings)
