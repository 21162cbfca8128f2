"""What gathers for the next transaction: the topics' channels, and the one bundle that grows. No waiting in here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from exchange.bus.publishing.bundle import Bundle, Cause
from exchange.bus.publishing.new_event import NewEvent, topic_and_value
from exchange.bus.publishing.outbox import Channel
from exchange.bus.publishing.prepared import Prepared
from exchange.clock import Clock
from exchange.errors import SettingsError, ValueInvalid
from exchange.transport.kafka import murmur2_all

_NOTHING = timedelta()
_MILLISECOND = timedelta(milliseconds=1)


class Gathering:
    """Numbers and encodes events into the growing bundle. Bundles are closed in the order of their sequences."""

    def __init__(self, publisher: str, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock
        self._channels: dict[str, Channel] = {}
        self._last = datetime.min.replace(tzinfo=UTC)
        self.bundle = Bundle(Cause.AUTOMATIC)
        """What grows."""

    def open(self, channel: Channel) -> None:
        """Take events of a topic from now on."""
        self._channels[channel.topic] = channel

    def put(self, event: NewEvent) -> int:
        """Add an event; its index in the bundle. Raises ValueInvalid, RecordTooLarge or SettingsError."""
        return self.bundle.append(self._record(event, self._now(), None))

    def put_many(self, events: Iterable[NewEvent], hashes: Iterable[int | None], *, most: int, most_bytes: int) -> None:
        """Add events of one moment until the bundle has `most` of them, or so many bytes. Raises as `put`.

        `hashes` are those of their keys (`hashes_of`).
        """
        bundle, now = self.bundle, self._now()
        for event, hashed in zip(events, hashes, strict=True):
            if bundle.append(self._record(event, now, hashed)) + 1 >= most or bundle.size >= most_bytes:
                return

    def hashes_of(self, events: Sequence[NewEvent]) -> Sequence[int | None]:
        """The hashes of the events' keys, taken together for less than one by one; None where there is no need."""
        if all(channel.partitions == 1 for channel in self._channels.values()):
            return [None] * len(events)
        encoded = [None if event.key is None else event.key.encode(errors="surrogatepass") for event in events]
        hashes = iter(murmur2_all([key for key in encoded if key is not None]))
        return [None if key is None else next(hashes) for key in encoded]

    def put_record(self, record: Prepared) -> int:
        """Add a record as it is, one without a sequence; its index."""
        return self.bundle.append(record)

    def begin(self, cause: Cause) -> None:
        """An empty bundle becomes one of `cause`."""
        self.bundle = Bundle(cause)

    def close(self) -> Bundle:
        """The bundle as it is, its sequences handed over; another grows from now on."""
        bundle, self.bundle = self.bundle, Bundle(Cause.AUTOMATIC)
        bundle.events = {topic: count for topic, each in self._channels.items() if (count := each.settle())}
        bundle.sequences = {topic: dict(enumerate(self._channels[topic].sequences)) for topic in bundle.events}
        return bundle

    def discard(self) -> Bundle:
        """The bundle, as if nothing had ever been in it: its sequences are given again."""
        bundle, self.bundle = self.bundle, Bundle(Cause.AUTOMATIC)
        for channel in self._channels.values():
            channel.roll_back()
        return bundle

    def _record(self, event: NewEvent, now: datetime, hashed: int | None) -> Prepared:
        topic, data, time = event.topic, event.data, event.time
        name, value = (topic, data) if type(topic) is str and type(data) is dict else topic_and_value(topic, data)
        channel = self._channels.get(name)
        if channel is None:
            raise SettingsError(f"topic {name} is not open on {self._publisher}: call `open` first")
        if time is not None and time.tzinfo is None:
            raise ValueInvalid(f"the time {time.isoformat()} of an event on {name} has no zone: pass an aware time")
        return channel.event(value, event.key, event.subject, time or now, event.traceparent, hashed)

    def _now(self) -> datetime:
        """The time, to the millisecond: events of one millisecond share one object, whose text is built once."""
        now = self._clock.now()
        if not _NOTHING <= now - self._last < _MILLISECOND:
            self._last = now
        return self._last
