"""Publish and subscribe: sealed, numbered, exactly once; what does not verify is a dead letter (spec 2 and 3)."""

from exchange.bus.letters.dead_letters import DeadLetters
from exchange.bus.letters.desk import DeadLetterDesk, require_deliverable
from exchange.bus.letters.handling import Handling
from exchange.bus.letters.ledger import Entry, Ledger, Selection, read_ledger
from exchange.bus.letters.letter import PREFIX as DEAD_LETTER_PREFIX
from exchange.bus.letters.letter import Reason, Refusal, reason_of
from exchange.bus.letters.originals import Originals
from exchange.bus.letters.policy import RetryPolicy
from exchange.bus.letters.reading import Letter, parse_letter
from exchange.bus.letters.redeliveries import GroupRedeliveries
from exchange.bus.letters.replay import Progress, Replay, ReplayOrder, Spans, read_span, replay_start
from exchange.bus.letters.set_aside import Failure, SetAside, number_of
from exchange.bus.letters.writers import Post
from exchange.bus.publishing.delivery import Deliveries, Delivery
from exchange.bus.publishing.flushing import FlushPolicy
from exchange.bus.publishing.new_event import NewEvent, TypedEvent
from exchange.bus.publishing.positions import POSITIONS_TOPIC, Position, positions_topic
from exchange.bus.publishing.publisher import Publisher, SchemaResolver
from exchange.bus.publishing.sync import SyncPublisher
from exchange.bus.publishing.transaction import Transaction
from exchange.bus.subscribing.batch import Batch, PositionStore, Sink, StoredPosition
from exchange.bus.subscribing.membership import Membership
from exchange.bus.subscribing.ports import Redelivered, Redeliveries, SchemaCache
from exchange.bus.subscribing.start import Start
from exchange.bus.subscribing.subscriber import Subscriber
from exchange.bus.topics import event_topic, own_topics, topic_specs
from exchange.transport.kafka import Partition

__all__ = [
    "DEAD_LETTER_PREFIX",
    "POSITIONS_TOPIC",
    "Batch",
    "DeadLetterDesk",
    "DeadLetters",
    "Deliveries",
    "Delivery",
    "Entry",
    "Failure",
    "FlushPolicy",
    "GroupRedeliveries",
    "Handling",
    "Ledger",
    "Letter",
    "Membership",
    "NewEvent",
    "Originals",
    "Partition",
    "Position",
    "PositionStore",
    "Post",
    "Progress",
    "Publisher",
    "Reason",
    "Redelivered",
    "Redeliveries",
    "Refusal",
    "Replay",
    "ReplayOrder",
    "RetryPolicy",
    "SchemaCache",
    "SchemaResolver",
    "Selection",
    "SetAside",
    "Sink",
    "Spans",
    "Start",
    "StoredPosition",
    "Subscriber",
    "SyncPublisher",
    "Transaction",
    "TypedEvent",
    "event_topic",
    "number_of",
    "own_topics",
    "parse_letter",
    "positions_topic",
    "read_ledger",
    "read_span",
    "reason_of",
    "replay_start",
    "require_deliverable",
    "topic_specs",
]
