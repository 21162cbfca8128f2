"""Which topics a publisher may write to: the directory says."""

from __future__ import annotations

from exchange.errors import PublisherNotAllowed
from exchange.ids import PublisherId
from exchange.trust import Directory


def require_topic(directory: Directory, publisher: PublisherId, topic: str) -> None:
    """Raises PublisherNotAllowed unless the topic is there, its agency's own, and the publisher among its writers."""
    entry = directory.topic(topic)
    if entry is None:
        raise PublisherNotAllowed(f"topic {topic} is not in the directory: its owner has it added first")
    if entry.owner != publisher.agency:
        raise PublisherNotAllowed(f"topic {topic} belongs to {entry.owner}, not to {publisher.agency}")
    if str(publisher) not in entry.publishers:
        raise PublisherNotAllowed(f"{publisher} is not among the publishers of {topic} in the directory")
