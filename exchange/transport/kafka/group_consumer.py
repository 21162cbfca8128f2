"""A member of a consumer group, and a reader of given partitions that keeps its place under a group's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from exchange.errors import SettingsError, TransportError
from exchange.transport.kafka.admin import GroupPosition, KafkaAdmin
from exchange.transport.kafka.consumer import REQUEST_SECONDS, Consumer
from exchange.transport.kafka.failures import translated
from exchange.transport.kafka.record import Partition

ASSIGNMENT_LOST = "assignment_lost"
"""The code of a commit that came too late: the partition is another member's."""

_HEARTBEATS_PER_SESSION = 10
_LONGEST_HEARTBEAT = 3.0
_REJOIN_SECONDS = 10.0
_METADATA_SECONDS = 30.0

OnMoved = Callable[[Sequence[Partition]], Awaitable[None]]
"""Told of partitions that were assigned, or are to be let go; the group waits for it."""


class GroupConsumer(Consumer):
    """A member of a consumer group; with `partitions` a reader of these alone, which never rebalances.

    The callbacks run while the group waits for this member: for `release_seconds`, and 10 s to join again. Assignment
    is round robin and eager: at every rebalance each member lets go of all its partitions, and may get others. (The
    sticky assignor of aiokafka is eager, too, and keeps its memory per process, not per consumer.) A member that was
    killed is replaced once its session has run out; one that polls nothing for `idle_seconds` leaves. Heartbeats, ten
    a session and at least one in 3 s, are sent from the event loop, which must come round within the session.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        *,
        on_assigned: OnMoved,
        on_revoked: OnMoved,
        partitions: Sequence[Partition] | None = None,
        session_seconds: float = 30.0,
        release_seconds: float = 20.0,
        idle_seconds: float = 300.0,
    ) -> None:
        super().__init__(
            bootstrap,
            group_id=group,
            session_timeout_ms=_millis(session_seconds),
            heartbeat_interval_ms=_millis(min(session_seconds / _HEARTBEATS_PER_SESSION, _LONGEST_HEARTBEAT)),
            rebalance_timeout_ms=_millis(release_seconds + _REJOIN_SECONDS),
            max_poll_interval_ms=_millis(idle_seconds),
            metadata_max_age_ms=_millis(_METADATA_SECONDS),
        )
        self._group = group
        self._topics = tuple(topics)
        self._partitions = None if partitions is None else tuple(partitions)
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked

    async def start(self) -> None:
        """Connect and join; raises BrokerUnreachable within 10 s, SettingsError for what is not there to be read."""
        await self._require_topics()
        await super().start()
        if self._partitions is None:
            self._consumer.subscribe(self._topics, listener=_Listener(self._assigned, self._revoked))
        else:
            self._consumer.assign([TopicPartition(*place) for place in self._partitions])
            await self._assigned(self._partitions)

    async def committed(self, places: Iterable[Partition]) -> dict[Partition, GroupPosition]:
        """Where the group stands, with the metadata that was committed; partitions without a place are left out."""
        topics: dict[str, list[int]] = {}
        for place in places:
            topics.setdefault(place.topic, []).append(place.number)
        found: dict[Partition, GroupPosition] = {}
        async with KafkaAdmin(self._bootstrap) as admin:
            for topic, numbers in topics.items():
                stored = await admin.group_positions(self._group, topic, numbers)
                found |= {Partition(topic, number): position for number, position in stored.items()}
        return found

    async def commit(self, positions: Mapping[Partition, GroupPosition]) -> None:
        """Commit next offsets with metadata; raises TransportError `assignment_lost` when a partition moved away."""
        offsets = {TopicPartition(*place): OffsetAndMetadata(at.offset, at.metadata) for place, at in positions.items()}
        async with translated(self._bootstrap, REQUEST_SECONDS):
            try:
                await self._consumer.commit(offsets)
            except (CommitFailedError, IllegalStateError) as error:
                raise TransportError(
                    f"group {self._group}: the partition moved to another member before the commit; "
                    "that member reads the batch again",
                    code=ASSIGNMENT_LOST,
                ) from error

    async def _require_topics(self) -> None:
        async with KafkaAdmin(self._bootstrap) as admin:
            counts = {topic: await admin.partition_count(topic) for topic in self._topics}
        for place in self._partitions or ():
            if not 0 <= place.number < counts.get(place.topic, 0):
                there = ", ".join(f"{topic} 0 to {count - 1}" for topic, count in sorted(counts.items()))
                raise SettingsError(
                    f"group {self._group}: no partition {place.topic}/{place.number}; there are {there}"
                )

    async def _assigned(self, places: Sequence[Partition]) -> None:
        self._generation += 1
        await self._on_assigned(places)

    async def _revoked(self, places: Sequence[Partition]) -> None:
        self._generation += 1
        self._handed_out.clear()
        await self._on_revoked(places)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, on_assigned: OnMoved, on_revoked: OnMoved) -> None:
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._on_assigned([Partition(*place) for place in assigned])

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._on_revoked([Partition(*place) for place in revoked])


def _millis(seconds: float) -> int:
    return int(seconds * 1000)
