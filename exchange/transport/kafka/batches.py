"""Records on their way into batches: appended as they come, each batch sent when it is full. Hot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

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


class Batches:
    """The batches of one write. Order within a partition is kept; a failed batch is raised by `finish`."""

    def __init__(self, producer: Any, sizes: BatchSizes) -> None:
        self._producer = producer
        self._sizes = sizes
        self._open: dict[tuple[str, int], RecordBatch] = {}
        self._sending: dict[tuple[str, int], list[asyncio.Task[Written]]] = {}
        self._turns: dict[tuple[str, int], asyncio.Lock] = {}

    def feed(self, records: Iterable[Encoded]) -> None:
        """Append records; a batch that is full goes out while the caller prepares more."""
        last, batch = ("", -1), None
        for topic, partition, parts, size in records:
            if batch is None or partition != last[1] or topic != last[0]:
                last = (topic, partition)
                batch = self._open.get(last) or self._begin(last)
            if not batch.append(parts, size):  # full: takes no more
                self._send(last)
                batch = self._begin(last)
                batch.append(parts, size)  # a batch's first record always fits

    async def finish(self) -> list[Written]:
        """Send the rest and wait until every batch is durable: where each lies, those of a partition in order."""
        for place in list(self._open):
            self._send(place)
        tasks = [task for tasks in self._sending.values() for task in tasks]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        failures = [each for each in outcomes if isinstance(each, BaseException)]
        if failures:  # all were awaited: a commit may only follow when none failed
            raise min(failures, key=lambda each: isinstance(each, IllegalOperation))  # the cause before its echoes
        return [task.result() for task in tasks]

    async def cancel(self) -> None:
        """Give up what is under way; the transaction is about to be aborted."""
        tasks = [task for tasks in self._sending.values() for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, place: tuple[str, int]) -> RecordBatch:
        batch = self._open[place] = self._sizes.create(place[0])
        return batch

    def _send(self, place: tuple[str, int]) -> None:
        """In its own task: handing a batch over waits until aiokafka has taken the one before it."""
        task = asyncio.create_task(self._deliver(self._open.pop(place), Partition(*place)))
        self._sending.setdefault(place, []).append(task)

    async def _deliver(self, batch: RecordBatch, place: Partition) -> Written:
        async with self._turns.setdefault(place, asyncio.Lock()):  # a lock is fair: batches keep their order
            await batch.compress()
            future = await self._producer.send_batch(batch, place.topic, partition=place.number)
        return written(place, await future, batch.record_count())


def written(place: Partition, meta: Any, count: int = 1) -> Written:
    """aiokafka's answer to a batch, as ours: the timestamp only where the broker set it."""
    stamp = None if meta.timestamp_type == _CREATE_TIME else meta.timestamp
    return Written(place.topic, place.number, meta.offset, stamp, meta.offset + count - 1)
