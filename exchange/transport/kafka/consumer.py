"""Readers of committed records: a member of a group, and one with partitions assigned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from exchange.errors import TransportError
from exchange.transport.kafka.admin import GroupPosition, KafkaAdmin
from exchange.transport.kafka.failures import CONNECT_SECONDS, translated
from exchange.transport.kafka.record import Partition, Polled, Received
from exchange.transport.kafka.unreadable import read_past

_REQUEST_SECONDS = 30.0
_REBALANCE_SECONDS = 30.0
_HEARTBEATS_PER_SESSION = 3
_FETCH_BYTES = 4 * 1024 * 1024
_RESET = {"beginning": "earliest", "end": "latest"}

OnAssigned = Callable[[Sequence[Partition]], Awaitable[None]]
OnRevoked = Callable[[Sequence[Partition]], Awaitable[None]]


class Consumer:
    """What both readers share: polling, seeking, lag. Commits are explicit, isolation is read-committed."""

    def __init__(self, bootstrap: str, *, start: Literal["beginning", "end"], **settings: Any) -> None:
        self._bootstrap = bootstrap
        self._settings = {
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "auto_offset_reset": _RESET[start],
            "max_partition_fetch_bytes": _FETCH_BYTES,
            **settings,
        }
        self._consumer: Any = None
        self._handed_out: dict[Partition, int] = {}
        self._generation = 0

    async def start(self) -> None:
        """Connect; raises BrokerUnreachable within 10 s."""
        self._consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, **self._settings)
        try:
            async with translated(self._bootstrap, CONNECT_SECONDS):
                await self._consumer.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the group, if any, and disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def poll(self, *, seconds: float, limit: int) -> list[Polled]:
        """What arrived, by partition, at most `limit` records; waits up to `seconds` for the first."""
        async with translated(self._bootstrap):
            try:
                found = await self._consumer.getmany(timeout_ms=int(seconds * 1000), max_records=limit)
            except UnicodeDecodeError:
                return await self._step_over(limit)
            return [await self._polled(place, records) for place, records in found.items() if records]

    def seek(self, place: Partition, offset: int) -> None:
        """Continue at `offset`."""
        self._consumer.seek(TopicPartition(*place), offset)
        self._handed_out[place] = offset

    async def position(self, place: Partition) -> int:
        """The offset the next record will be read from; it passes transaction markers, which are no records."""
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            return int(await self._consumer.position(TopicPartition(*place)))

    def lag(self, place: Partition, next_offset: int) -> int | None:
        """How many offsets lie between `next_offset` and what can be read so far; None before the first answer.

        An open transaction is not counted: a reader of committed records cannot read any of it yet.
        """
        try:
            end = self._consumer.last_stable_offset(TopicPartition(*place))
        except AssertionError:  # no longer assigned
            return None
        return None if end is None or end < 0 else max(0, end - next_offset)

    async def lags(self) -> dict[Partition, int]:
        """`lag` of each assigned partition from the offset to be read next, beyond the markers of transactions."""
        found: dict[Partition, int] = {}
        for tp in self._consumer.assignment():
            with suppress(TimeoutError, IllegalStateError):
                async with asyncio.timeout(0):  # where the position is known, nothing is awaited
                    position = await self._consumer.position(tp)
                lag = self.lag(Partition(*tp), position)
                if lag is not None:
                    found[Partition(*tp)] = lag
        return found

    async def _polled(self, tp: TopicPartition, records: Sequence[Received]) -> Polled:
        following = await self._consumer.position(tp)  # beyond transaction markers; at once: nothing awaited since
        place = Partition(*tp)
        self._handed_out[place] = following
        return Polled(place, records, records[0].offset, following)

    async def _step_over(self, limit: int) -> list[Polled]:
        """Read what follows the last records handed out by another way, past the one that cannot be decoded."""
        generation = self._generation
        found = [
            await read_past(self._bootstrap, place, start, limit) for place, start in (await self._starts()).items()
        ]
        if generation != self._generation:  # partitions moved meanwhile: whoever assigned them has sought anew
            return []
        for polled in found:
            self.seek(polled.place, polled.next_offset)
        return [polled for polled in found if polled.records or polled.unreadable]

    async def _starts(self) -> dict[Partition, int]:
        assigned = [Partition(*tp) for tp in sorted(self._consumer.assignment())]
        unknown = [TopicPartition(*place) for place in assigned if place not in self._handed_out]
        first = await self._consumer.beginning_offsets(unknown) if unknown else {}
        starts = {Partition(*tp): offset for tp, offset in first.items()} | self._handed_out
        return {place: starts[place] for place in assigned}


class PartitionConsumer(Consumer):
    """A reader of given partitions, without a group; as an async context manager."""

    def __init__(self, bootstrap: str, *, isolation: Literal["read_committed", "read_uncommitted"] = "read_committed"):
        super().__init__(bootstrap, start="beginning", isolation_level=isolation)

    async def __aenter__(self) -> PartitionConsumer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def partitions(self, topic: str) -> list[Partition]:
        """The topic's partitions; raises SettingsError when there is no such topic."""
        async with KafkaAdmin(self._bootstrap) as admin:
            count = await admin.partition_count(topic)
        return [Partition(topic, number) for number in range(count)]

    def assign(self, places: Iterable[Partition]) -> None:
        """Read these partitions, from their beginning unless `seek` says otherwise."""
        self._handed_out.clear()
        self._consumer.assign([TopicPartition(*place) for place in places])

    async def end_offsets(self, places: Iterable[Partition]) -> dict[Partition, int]:
        """Where each partition ends: the last stable offset, or with `read_uncommitted` the high watermark."""
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            found = await self._consumer.end_offsets([TopicPartition(*place) for place in places])
        return {Partition(*place): offset for place, offset in found.items()}

    def confirmed(self, place: Partition, position: int) -> int | None:
        """When (ms, this machine) the broker last said that nothing committed lies beyond `position`, or None."""
        key = TopicPartition(*place)
        end = self._consumer.last_stable_offset(key)
        stamp = self._consumer.last_poll_timestamp(key)
        return int(stamp) if end is not None and position >= end else None


class GroupConsumer(Consumer):
    """A member of a consumer group. The callbacks run while the group waits for this member, up to 30 s.

    A member that was killed is replaced once its session has run out: 6 s, the least that Kafka takes unless told
    otherwise. Heartbeats are sent from the event loop, which must come round within that time.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        *,
        on_assigned: OnAssigned,
        on_revoked: OnRevoked,
        start: Literal["beginning", "end"] = "beginning",
        session_seconds: float = 6.0,
    ) -> None:
        super().__init__(
            bootstrap,
            start=start,
            group_id=group,
            session_timeout_ms=int(session_seconds * 1000),
            heartbeat_interval_ms=int(session_seconds * 1000) // _HEARTBEATS_PER_SESSION,
            rebalance_timeout_ms=int(_REBALANCE_SECONDS * 1000),
            metadata_max_age_ms=30_000,
        )
        self._group = group
        self._from_end = start == "end"
        self._topics = tuple(topics)
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked

    async def start(self) -> None:
        """Connect and join; raises BrokerUnreachable within 10 s, SettingsError for a topic that is not there."""
        await self._require_topics()
        await super().start()
        self._consumer.subscribe(self._topics, listener=_Listener(self._assigned, self._revoked))

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

    async def reset_offsets(self, places: Sequence[Partition]) -> dict[Partition, int]:
        """Where partitions without a place are read from: their beginning, or their end, as `start` says."""
        wanted = [TopicPartition(*place) for place in places]
        ask = self._consumer.end_offsets if self._from_end else self._consumer.beginning_offsets
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            found = await ask(wanted) if wanted else {}
        return {Partition(*place): offset for place, offset in found.items()}

    async def commit(self, positions: Mapping[Partition, GroupPosition]) -> None:
        """Commit next offsets with metadata; raises TransportError `assignment_lost` when a partition moved away."""
        offsets = {TopicPartition(*place): OffsetAndMetadata(at.offset, at.metadata) for place, at in positions.items()}
        async with translated(self._bootstrap, _REQUEST_SECONDS):
            try:
                await self._consumer.commit(offsets)
            except (CommitFailedError, IllegalStateError) as error:
                raise TransportError(
                    f"group {self._group}: the partition moved to another member before the commit; "
                    "that member reads the batch again",
                    code="assignment_lost",
                ) from error

    async def _require_topics(self) -> None:
        async with KafkaAdmin(self._bootstrap) as admin:
            for topic in self._topics:
                await admin.partition_count(topic)

    async def _assigned(self, places: Sequence[Partition]) -> None:
        self._generation += 1
        await self._on_assigned(places)

    async def _revoked(self, places: Sequence[Partition]) -> None:
        self._generation += 1
        self._handed_out.clear()
        await self._on_revoked(places)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, on_assigned: OnAssigned, on_revoked: OnRevoked) -> None:
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._on_assigned([Partition(*place) for place in assigned])

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._on_revoked([Partition(*place) for place in revoked])
