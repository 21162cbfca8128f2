"""Records on their way into batches: appended as they come, each batch sent when it is full. Hot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from aiokafka.errors import IllegalOperation
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from exchange.errors import RecordTooLarge
from exchange.transport.kafka.failures import TOO_LARGE
from exchange.transport.kafka.record import Partition, Written

Writable = tuple[str, int, bytes | None, bytes | None, list[tuple[str, bytes]]]
"""topic, partition, key, value, headers: `Outgoing`, or any tuple of that shape."""

BATCH_BYTES = 900_000
"""What a batch holds before compression where nothing is known of its topic: below Kafka's default limit (1 MiB)."""

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""The most that a batch holds before compression."""

_MARGIN = 64 * 1024
_CREATE_TIME = 0
_CODECS = {
    None: DefaultRecordBatch.CODEC_NONE,
    "gzip": DefaultRecordBatch.CODEC_GZIP,
    "lz4": DefaultRecordBatch.CODEC_LZ4,
    "snappy": DefaultRecordBatch.CODEC_SNAPPY,
    "zstd": DefaultRecordBatch.CODEC_ZSTD,
}


class BatchSizes:
    """Makes empty batches, as large as each topic takes: the fewer batches, the fewer round trips."""

    def __init__(self, compression: str | None, *, transactional: bool) -> None:
        self._codec = _CODECS[compression]
        self._transactional = transactional
        self._limits: dict[str, int] = {}
        self._largest: dict[str, int] = {}

    def learn(self, topic: str, largest: int) -> None:
        """The topic takes batches of `largest` bytes (max.message.bytes)."""
        self._largest[topic] = largest
        self._limits[topic] = max(1, min(largest - _MARGIN, MAX_BATCH_BYTES))

    def create(self, topic: str) -> Any:
        """An empty batch."""
        return BatchBuilder(
            self._limits.get(topic, BATCH_BYTES), self._codec, is_transactional=int(self._transactional)
        )

    def require_fits(self, record: Writable) -> None:
        """Raises RecordTooLarge where the topic would not take the record, compressed and alone in its batch.

        Known only of topics that were learned. A writer that asks first is not closed by the broker's refusal.
        """
        topic, _, key, value, headers = record
        largest = self._largest.get(topic)
        if largest is None or len(key or b"") + len(value or b"") <= self._limits[topic]:
            return
        batch = DefaultRecordBatchBuilder(2, self._codec, int(self._transactional), -1, -1, 0, self._limits[topic])
        batch.append(0, None, key, value, headers)
        if len(batch.build()) > largest:
            raise RecordTooLarge(TOO_LARGE)


class Batches:
    """The batches of one write. Order within a partition is kept; a failed batch is raised by `finish`."""

    def __init__(self, producer: Any, sizes: BatchSizes) -> None:
        self._producer = producer
        self._sizes = sizes
        self._open: dict[tuple[str, int], Any] = {}
        self._sending: dict[tuple[str, int], list[asyncio.Task[Written]]] = {}
        self._turns: dict[tuple[str, int], asyncio.Lock] = {}

    def feed(self, records: Iterable[Writable]) -> None:
        """Append records; a batch that is full goes out while the caller prepares more."""
        last, append = ("", -1), None
        for topic, partition, key, value, headers in records:
            if append is None or partition != last[1] or topic != last[0]:
                last = (topic, partition)
                append = (self._open.get(last) or self._begin(last)).append
            if append(timestamp=None, key=key, value=value, headers=headers) is None:  # full: takes no more
                self._send(last)
                append = self._begin(last).append
                append(timestamp=None, key=key, value=value, headers=headers)  # a batch's first record always fits

    async def finish(self) -> list[Written]:
        """Send the rest and wait until every batch is durable: where each partition's records begin and end."""
        for place in list(self._open):
            self._send(place)
        tasks = [task for tasks in self._sending.values() for task in tasks]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        failures = [each for each in outcomes if isinstance(each, BaseException)]
        if failures:  # all were awaited: a commit may only follow when none failed
            raise min(failures, key=lambda each: isinstance(each, IllegalOperation))  # the cause before its echoes
        return [replace(each[0].result(), last=each[-1].result().last) for each in self._sending.values()]

    async def cancel(self) -> None:
        """Give up what is under way; the transaction is about to be aborted."""
        tasks = [task for tasks in self._sending.values() for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, place: tuple[str, int]) -> Any:
        batch = self._open[place] = self._sizes.create(place[0])
        return batch

    def _send(self, place: tuple[str, int]) -> None:
        """In its own task: handing a batch over waits until aiokafka has taken the one before it."""
        task = asyncio.create_task(self._deliver(self._open.pop(place), Partition(*place)))
        self._sending.setdefault(place, []).append(task)

    async def _deliver(self, batch: Any, place: Partition) -> Written:
        async with self._turns.setdefault(place, asyncio.Lock()):  # a lock is fair: batches keep their order
            future = await self._producer.send_batch(batch, place.topic, partition=place.number)
        return written(place, await future, batch.record_count())


def written(place: Partition, meta: Any, count: int = 1) -> Written:
    """aiokafka's answer to a batch, as ours: the timestamp only where the broker set it."""
    stamp = None if meta.timestamp_type == _CREATE_TIME else meta.timestamp
    return Written(place.topic, place.number, meta.offset, stamp, meta.offset + count - 1)
