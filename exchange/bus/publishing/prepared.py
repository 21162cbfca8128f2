"""A record ready to be sealed and written: hashed once, encoded once, for whichever flush it will be in. Hot.

An event's headers are, but for its id, time and sequence, the same for all of its topic: what stands between those
three is encoded when the topic is opened, for the leaf (spec 3) and for Kafka. So an event costs one join and one hash
when it is added, and its bytes are joined once more with those of its batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from exchange.clock import format_micros
from exchange.envelope import (
    EVENT_NAMES,
    MAX_RECORD,
    SEAL_HEADER,
    EventHeaders,
    Seal,
    Unsealed,
    around_own,
    encode_count,
    encode_head,
    encode_header,
    encode_size,
    record_leaf,
)
from exchange.errors import RecordTooLarge
from exchange.ids import AgencyId
from exchange.transport import kafka
from exchange.transport.kafka import Encoded, Outgoing
from exchange.varint import zigzag

_ID_AT, _SEQUENCE_AT = 5, 7
_SAMPLE_ID = "01934f2e-0000-7000-8000-000000000000"


class Prepared(NamedTuple):
    """A record, the seal still to come: the parts of its body for Kafka, how many bytes they have, its leaf hash."""

    topic: str
    partition: int
    parts: tuple[bytes, ...]
    size: int
    leaf: bytes

    @property
    def event_id(self) -> str:
        """An event's `ce_id`."""
        return self.parts[_ID_AT].decode()

    @property
    def sequence(self) -> int:
        """An event's `ce_sequence`."""
        return int(self.parts[_SEQUENCE_AT][:20])


class EventForm:
    """Prepares the events of one topic."""

    def __init__(self, agency: AgencyId, topic: str, dataschema: str) -> None:
        headers = EventHeaders(agency, topic, dataschema).build(_SAMPLE_ID, datetime.fromtimestamp(0, UTC), 0)
        self._topic = topic
        self._leaf_head = encode_head(topic)
        self._leaf_id, self._leaf_time, self._leaf_sequence = around_own(headers, encode_header)
        self._id, self._time, self._sequence = around_own(headers, kafka.encode_header)
        self._constant = 36 + len(self._time) + 27 + len(self._sequence)  # an id and a time have always as many bytes
        self._plain = self._counted(0)
        self._moment: datetime | None = None
        self._leaf_moment = self._kafka_moment = b""

    def prepare(
        self,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        event_id: str,
        time: datetime,
        sequence: int,
        more: Sequence[tuple[str, bytes]] = (),
    ) -> Prepared:
        """One event. `more` are the optional headers. Raises RecordTooLarge beyond spec 3's limit."""
        if time is not self._moment:
            self._stamp(time)
        identity, number = event_id.encode(), b"%020d" % sequence
        (leaf_id, before_id), leaf_last, last = self._plain, number, number
        if more:
            leaf_id, before_id = self._counted(len(more))
            leaf_last = number + b"".join([encode_header(*each) for each in more])
            last = number + b"".join([kafka.encode_header(*each) for each in more])
        data = b"".join(
            (
                self._leaf_head,
                encode_size(key),
                key or b"",
                leaf_id,
                identity,
                self._leaf_moment,
                leaf_last,
                encode_size(value),
                value or b"",
            )
        )
        if len(data) > MAX_RECORD:
            raise RecordTooLarge(f"a record for {self._topic} has {len(data)} bytes: at most {MAX_RECORD}")
        key_size, key = kafka.encode_bytes(key)
        value_size, value = kafka.encode_bytes(value)
        size = len(key_size) + len(key) + len(value_size) + len(value) + len(before_id) + self._constant + len(last)
        parts = (key_size, key, value_size, value, before_id, identity, self._kafka_moment, last)
        return Prepared(self._topic, partition, parts, size, sha256(data).digest())

    def _stamp(self, time: datetime) -> None:
        """What stands between the id and the sequence; events of one flush mostly share one time."""
        stamp = format_micros(time).encode()
        self._leaf_moment = self._leaf_time + stamp + self._leaf_sequence
        self._kafka_moment = self._time + stamp + self._sequence
        self._moment = time

    def _counted(self, more: int) -> tuple[bytes, bytes]:
        """What stands before the id, with the number of headers: of the leaf without the seal, of Kafka's with it."""
        count = len(EVENT_NAMES) + more
        return encode_count(count) + self._leaf_id, zigzag(count + 1) + self._id


def prepare(record: Unsealed) -> Prepared:
    """A record that is no event: a position, a dead letter. Raises RecordTooLarge; ValueError as `record_leaf`."""
    topic, partition, key, value, headers = record
    encoded = kafka.encode(Outgoing(topic, partition, key, value, [*headers, (SEAL_HEADER, b"")]))
    parts = encoded.parts[:-1]  # the seal's header is counted, and comes when it is there
    return Prepared(topic, partition, parts, sum(map(len, parts)), record_leaf(topic, key, headers, value))


def sealing_order(records: Sequence[Prepared]) -> list[int]:
    """The indices of records in the order of a transaction's leaves: partition by partition, each in its order.

    Neighbours in the tree share most of their paths. Where they are neighbours in a partition, too, those paths
    compress away, and a reader climbs a node or two for each.
    """
    places: dict[tuple[object, ...], list[int]] = {}
    for index, record in enumerate(records):
        places.setdefault(record[:2], []).append(index)
    return [index for indices in places.values() for index in indices]


def sealed(records: Iterable[Prepared], seals: Iterable[Seal]) -> Iterator[Encoded]:
    """Each record with its seal: what is written. The records are not changed: they can be sealed again."""
    name = kafka.encode_header(SEAL_HEADER, None)[:-1]
    befores: dict[int, bytes] = {}
    for (topic, partition, parts, size, _), (head, path, tail) in zip(records, seals, strict=True):
        length = len(head) + len(path) + len(tail)
        before = befores.get(length) or befores.setdefault(length, name + zigzag(length))
        yield Encoded(topic, partition, (*parts, before, head, path, tail), size + len(before) + length)
