"""Records on their way into batches: appended as they come, each batch compressed when it is full. Hot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka.errors import IllegalOperation

from exchange.errors import RecordTooLarge
from exchange.transport.kafka.encoding import Encoded, RecordBatch, codec_of, compressed_size, encode
from exchange.transport.kafka.failures import TOO_LARGE
from exchange.transport.kafka.record import Outgoing, Partition, Written

BATCH_BYTES = 900_000
"""What a batch holds before compression where nothing is known of its topic: below Kafka's default limit (1 MiB)."""

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""The most that a batch holds before compression."""

_MARGIN = 64 * 1024
_CREATE_TIME = 0


class BatchSizes:
    """Makes empty batches, as large as each topic takes: the fewer batches, the fewer round trips."""

    def __init__(self, compression: str | None, *, transactional: bool) -> None:
        self._compression = compression
        self._codec = codec_of(compression)
        self._transactional = transactional
        self._limits: dict[str, int] = {}
        self._largest: dict[str, int] = {}

    def learn(self, topic: str, largest: int) -> None:
        """The topic takes batches of `largest` bytes (max.message.bytes)."""
        self._largest[topic] = largest
        self._limits[topic] = max(1, min(largest - _MARGIN, MAX_BATCH_BYTES))

    def create(self, topic: str) -> RecordBatch:
        """An empty batch."""
        return RecordBatch(
            self._limits.get(topic, BATCH_BYTES),
            *self._codec,
            transactional=self._transactional,
            millis=time.time_ns() // 1_000_000,
        )

    def require_fits(self, record: Outgoing) -> None:
        """Raises RecordTooLarge where the topic would not take the record, compressed and alone in its batch.

        Known only of topics that were learned. A writer that asks first is not closed by the broker's refusal.
        """
        largest = self._largest.get(record.topic)
        if largest is None or len(record.key or b"") + len(record.value or b"") <= self._limits[record.topic]:
            return
        if compressed_size(encode(record), self._compression) > largest:
            raise RecordTooLarge(TOO_LARGE)


class Packed(NamedTuple):
    """A batch that is complete and compressed, and where it goes."""

    place: Partition
    batch: RecordBatch


class Packing:
    """Records on their way into batches. No transaction is needed for it: the next one's can be packed while one runs.

    A batch that is full is compressed while the caller prepares more.
    """

    def __init__(self, sizes: BatchSizes) -> None:
        self._sizes = sizes
        self._open: dict[tuple[str, int], RecordBatch] = {}
        self._closed: list[Packed] = []
        self._compressing: list[asyncio.Task[None]] = []

    def feed(self, records: Iterable[Encoded]) -> None:
        """Append records."""
        last, batch = ("", -1), None
        for topic, partition, parts, size in records:
            if batch is None or partition != last[1] or topic != last[0]:
                last = (topic, partition)
                batch = self._open.get(last) or self._begin(last)
            if not batch.append(parts, size):  # full: takes no more
                self._close(last)
                batch = self._begin(last)
                batch.append(parts, size)  # a batch's first record always fits

    async def finish(self) -> list[Packed]:
        """Every batch, those of a partition in their order."""
        for place in list(self._open):
            self._close(place)
        try:
            await asyncio.gather(*self._compressing)
        finally:
            for task in self._compressing:
                task.cancel()
        return self._closed

    def _begin(self, place: tuple[str, int]) -> RecordBatch:
        batch = self._open[place] = self._sizes.create(place[0])
        return batch

    def _close(self, place: tuple[str, int]) -> None:
        batch = self._open.pop(place)
        self._closed.append(Packed(Partition(*place), batch))
        self._compressing.append(asyncio.create_task(batch.compress()))


async def send(producer: Any, batches: Iterable[Packed]) -> list[Written]:
    """Send batches and wait until every one is durable: where each lies. Order within a partition is kept.

    Raises what the first that failed did, once the fate of all is known.
    """
    turns: dict[Partition, asyncio.Lock] = {}
    tasks = [asyncio.create_task(_deliver(producer, each, turns)) for each in batches]
    try:
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:  # given up: nothing of it may be under way when the transaction is aborted
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    failures = [each for each in outcomes if isinstance(each, BaseException)]
    if failures:  # all were awaited: a commit may only follow when none failed
        raise min(failures, key=lambda each: isinstance(each, IllegalOperation))  # the cause before its echoes
    return [task.result() for task in tasks]


async def _deliver(producer: Any, packed: Packed, turns: dict[Partition, asyncio.Lock]) -> Written:
    """In its own task: handing a batch over waits until aiokafka has taken the one before it."""
    place, batch = packed
    async with turns.setdefault(place, asyncio.Lock()):  # a lock is fair: batches keep their order
        future = await producer.send_batch(batch, place.topic, partition=place.number)
    return written(place, await future, batch.record_count())


def written(place: Partition, meta: Any, count: int = 1) -> Written:
    """aiokafka's answer to a batch, as ours: the timestamp only where the broker set it."""
    stamp = None if meta.timestamp_type == _CREATE_TIME else meta.timestamp
    return Written(place.topic, place.number, meta.offset, stamp, meta.offset + count - 1)
