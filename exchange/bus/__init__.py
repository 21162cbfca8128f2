"""Publish and subscribe: sealed, numbered, exactly once; what does not verify is a dead letter (spec 2 and 3)."""

from exchange.bus.letters.dead_letters import DeadLetters
from exchange.bus.letters.letter import PREFIX as DEAD_LETTER_PREFIX
from exchange.bus.letters.letter import Refusal
from exchange.bus.publishing.positions import POSITIONS_TOPIC, Position, positions_topic
from exchange.bus.publishing.publisher import Publisher, SchemaResolver
from exchange.bus.subscribing.batch import Batch, PositionStore, StoredPosition
from exchange.bus.subscribing.membership import Membership
from exchange.bus.subscribing.ports import Redelivered, Redeliveries, SchemaCache
from exchange.bus.subscribing.start import Start
from exchange.bus.subscribing.subscriber import Subscriber
from exchange.bus.topics import event_topic, own_topics, topic_specs

__all__ = [
    "DEAD_LETTER_PREFIX",
    "POSITIONS_TOPIC",
    "Batch",
    "DeadLetters",
    "Membership",
    "Position",
    "PositionStore",
    "Publisher",
    "Redelivered",
    "Redeliveries",
    "Refusal",
    "SchemaCache",
    "SchemaResolver",
    "Start",
    "StoredPosition",
    "Subscriber",
    "event_topic",
    "own_topics",
    "positions_topic",
    "topic_specs",
]
