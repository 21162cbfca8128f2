"""Readers of committed records: what all of them share, and one of given partitions without a group."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import TopicPartition

from exchange.transport.kafka.admin import KafkaAdmin
from exchange.transport.kafka.failures import CONNECT_SECONDS, translated
from exchange.transport.kafka.record import Partition, Polled, Received
from exchange.transport.kafka.unreadable import read_past

REQUEST_SECONDS = 30.0
"""How long an answer to a question may take."""
_LEAVE_SECONDS = 3.0
_BREAK_OFF_SECONDS = 0.5
_FETCH_BYTES = 2 * 1024 * 1024
_PARTITION_BYTES = 4 * 1024 * 1024


class Consumer:
    """What both readers share: polling, seeking, lag. Commits are explicit, isolation is read-committed."""

    def __init__(self, bootstrap: str, **settings: Any) -> None:
        self._bootstrap = bootstrap
        self._settings = {
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",  # only of a place that is gone: what is left is read, the hole is noticed
            "fetch_max_bytes": _FETCH_BYTES,  # of all partitions together: what is read ahead is bounded
            "max_partition_fetch_bytes": _PARTITION_BYTES,
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
        """Leave the group, if any, and disconnect; where Kafka does not answer the group waits out the session."""
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        try:
            await asyncio.wait_for(consumer.stop(), _LEAVE_SECONDS)
        except TimeoutError:
            await _break_off(consumer)

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

    def pause(self, places: Iterable[Partition]) -> None:
        """Read nothing of these until `resume`; what was fetched and not handed out is fetched again then."""
        self._consumer.pause(*(TopicPartition(*place) for place in places))

    def resume(self, places: Iterable[Partition]) -> None:
        """Read on."""
        self._consumer.resume(*(TopicPartition(*place) for place in places))

    async def position(self, place: Partition) -> int:
        """The offset the next record will be read from; it passes transaction markers, which are no records."""
        async with translated(self._bootstrap, REQUEST_SECONDS):
            return int(await self._consumer.position(TopicPartition(*place)))

    async def beginning_offsets(self, places: Iterable[Partition]) -> dict[Partition, int]:
        """The first offset that each partition still has."""
        return await self._offsets(self._consumer.beginning_offsets, places)

    async def end_offsets(self, places: Iterable[Partition]) -> dict[Partition, int]:
        """Where each partition ends: the last stable offset, or with `read_uncommitted` the high watermark."""
        return await self._offsets(self._consumer.end_offsets, places)

    async def offsets_at(self, places: Iterable[Partition], millis: int) -> dict[Partition, int]:
        """The first offset whose broker's timestamp (ms) is `millis` or later; the end where there is none."""
        wanted = [TopicPartition(*place) for place in places]
        async with translated(self._bootstrap, REQUEST_SECONDS):
            found = await self._consumer.offsets_for_times(dict.fromkeys(wanted, millis)) if wanted else {}
        known = {Partition(*tp): at.offset for tp, at in found.items() if at is not None}
        return known | await self.end_offsets([Partition(*tp) for tp in wanted if Partition(*tp) not in known])

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

    async def _offsets(self, ask: Any, places: Iterable[Partition]) -> dict[Partition, int]:
        wanted = [TopicPartition(*place) for place in places]
        async with translated(self._bootstrap, REQUEST_SECONDS):
            found = await ask(wanted) if wanted else {}
        return {Partition(*tp): offset for tp, offset in found.items()}

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
        super().__init__(bootstrap, isolation_level=isolation)

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

    def confirmed(self, place: Partition, position: int) -> int | None:
        """When (ms, this machine) the broker last said that nothing committed lies beyond `position`, or None."""
        key = TopicPartition(*place)
        end = self._consumer.last_stable_offset(key)
        stamp = self._consumer.last_poll_timestamp(key)
        return int(stamp) if end is not None and position >= end else None


async def _break_off(consumer: Any) -> None:
    """End what aiokafka has under way for a consumer whose `stop` met a broker that stands still."""
    coordinator = consumer._coordinator
    for step in (
        getattr(coordinator, "_stop_heartbeat_task", None),
        getattr(coordinator, "_stop_commit_offsets_refresh_task", None),
        consumer._fetcher and consumer._fetcher.close,
        consumer._client.close,
    ):
        if step is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(step(), _BREAK_OFF_SECONDS)
