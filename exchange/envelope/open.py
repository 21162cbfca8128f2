"""Opening a sealed record (spec 3): numbered steps that raise, one error class each; an event once all have held."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from exchange.clock import Clock, SystemClock
from exchange.envelope.alike import Alike
from exchange.envelope.authenticated import AuthenticatedTree
from exchange.envelope.content import (
    SchemaSource,
    Values,
    parse_content,
    parse_id,
    parse_key,
    parse_moment,
    parse_sequence,
)
from exchange.envelope.event import Event, OpenedInternal
from exchange.envelope.headers import Layout, event_type, sole_source, split_headers
from exchange.envelope.record import Record, record_leaf
from exchange.envelope.seal import parse_seal
from exchange.envelope.statement import Statement, parse_statement
from exchange.envelope.verify import keys_for, verify_may_publish, verify_origin, verify_recent, verify_signature
from exchange.errors import RecordTooLarge, SealMalformed
from exchange.trust import Directory

MAX_CACHED = 256
"""Verified statements that an opener keeps, unless told otherwise."""


_PLAIN = Layout(subject=False, traceparent=False)


class _Verified:
    """A statement whose signature held, what its tree vouched for, and `ce_type` by the topics it was met on."""

    __slots__ = ("statement", "topics", "tree")

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.tree = AuthenticatedTree(statement.size, statement.root)
        self.topics: dict[str, tuple[str, bytes | None]] = {}


class Opener:
    """Verifies records against the directory and decodes them; keeps verified statements, bounded.

    `directory` gives the current snapshot, the same object until it changes: a new one empties the cache. Not for
    several threads at once.
    """

    def __init__(
        self,
        directory: Callable[[], Directory],
        schemas: SchemaSource,
        max_cached: int = MAX_CACHED,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._directory = directory
        self._values = Values(schemas)
        self._max_cached = max_cached
        self._clock = clock or SystemClock()
        self._snapshot: Directory | None = None
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()
        self._last: tuple[bytes, _Verified | None] = (b"", None)
        self._alike: tuple[Alike, _Verified] | None = None

    def open(self, record: Record) -> Event:
        """The event of a record, once steps 1 to 8 have held; step 9 is `SequenceTracker.observe`.

        Raises the RecordRefused subclass of the first step that does not hold, or DirectoryExpired.
        """
        if self._alike is not None and self._alike[0].topic == record.topic:
            event = self._open_alike(record, *self._alike)
            if event is not None:
                return event
        names, values, layout = split_headers(record.headers)  # 1
        verified, leaf = self._verify(record, names, values, layout)  # 1 to 7
        statement = verified.statement
        kind, expected = verified.topics[record.topic]
        event_id, time, dataschema, sequence, subject, traceparent = parse_content(values, layout, expected)  # 8
        event = Event(
            record.topic,
            record.partition,
            record.offset,
            parse_key(record.key),
            event_id,
            statement.publisher.agency,
            kind,
            time,
            subject,
            self._values.decode(record.value, dataschema),  # 8
            statement.origin,
            statement.epoch,
            sequence,
            traceparent,
            leaf,
        )
        if layout == _PLAIN:
            self._alike = Alike(record.topic, record.headers, parse_seal(values[-1])[2]), verified
        return event

    def _open_alike(self, record: Record, alike: Alike, verified: _Verified) -> Event | None:
        """The event of a record like the last one; None where it is not, for the long way to find out why."""
        own = alike.own(record.headers)
        place = alike.place(own[3]) if own else None
        leaf = alike.leaf(record.key, own, record.value) if own and place else None  # 1
        if own is None or place is None or leaf is None:
            return None
        self._current()
        if self._alike is None:  # the directory is another: nothing holds until it is verified again
            return None
        statement = verified.statement  # 2 to 4 held for it, and for these headers
        verify_recent(statement, record.timestamp)  # 5; 6 held
        verified.tree.verify(leaf, *place)  # 7
        event_id, time, sequence = parse_id(own[0]), parse_moment(own[1]), parse_sequence(own[2])  # 8
        return Event(
            record.topic,
            record.partition,
            record.offset,
            parse_key(record.key),
            event_id,
            statement.publisher.agency,
            verified.topics[record.topic][0],
            time,
            None,
            self._values.decode(record.value, alike.dataschema),  # 8
            statement.origin,
            statement.epoch,
            sequence,
            None,
            leaf,
        )

    def open_internal(self, record: Record) -> OpenedInternal:
        """The value of a sealed record that is no Avro event (our own topics, dead letters), after steps 1 to 7.

        Whether its publisher may say what the value says is the reader's to check. Raises as `open`.
        """
        statement = self._verify(record, *split_headers(record.headers))[0].statement
        return OpenedInternal(
            publisher=statement.origin,
            epoch=statement.epoch,
            value=record.value,
            key=record.key,
            agency=statement.publisher.agency,
            flush=statement.flush,
            time=statement.time,
        )

    def _verify(
        self, record: Record, names: tuple[str, ...], values: tuple[bytes, ...], layout: Layout | None
    ) -> tuple[_Verified, bytes]:
        """Steps 1 to 7: the statement, and the record's leaf hash."""
        directory = self._current()
        index, path, raw = parse_seal(values[-1])  # 1
        leaf = _leaf(record)
        verified = self._recall(raw)
        statement = verified.statement if verified else parse_statement(raw)  # 2
        verify_origin(statement, sole_source(names, values, layout))  # 3
        if verified is None or record.topic not in verified.topics:
            agency = verify_may_publish(statement, record.topic, directory)  # 4
        verify_recent(statement, record.timestamp)  # 5
        if verified is None:
            verify_signature(statement, keys_for(statement, agency))  # 5, 6
            verified = self._keep(raw, statement)
        verified.tree.verify(leaf, index, path)  # 7
        if record.topic not in verified.topics:
            verified.topics[record.topic] = _kind(record.topic, directory)
        return verified, leaf

    def _current(self) -> Directory:
        directory = self._directory()
        if self._clock.now() >= directory.expires:
            directory.require_current(self._clock.now())
        if directory is not self._snapshot:  # another directory may have withdrawn what held under the last one
            self._snapshot = directory
            self._cache.clear()
            self._last = (b"", None)
            self._alike = None
        return directory

    def _recall(self, raw: bytes) -> _Verified | None:
        last, verified = self._last
        if raw == last:
            return verified
        verified = self._cache.get(raw)
        if verified is not None:
            self._cache.move_to_end(raw)
            self._last = (raw, verified)
        return verified

    def _keep(self, raw: bytes, statement: Statement) -> _Verified:
        verified = self._cache[raw] = _Verified(statement)
        self._last = (raw, verified)
        if len(self._cache) > self._max_cached:
            self._cache.popitem(last=False)
        return verified


def _leaf(record: Record) -> bytes:
    try:
        return record_leaf(record.topic, record.key, record.headers[:-1], record.value)
    except (ValueError, RecordTooLarge) as error:
        raise SealMalformed(f"no sealer writes such a record: {error}") from None


def _kind(topic: str, directory: Directory) -> tuple[str, bytes | None]:
    """`ce_type` on a topic, and what the header must be: None where the topic does not take events."""
    kind = event_type(topic)
    return kind, None if directory.topic(topic) is None else kind.encode()
