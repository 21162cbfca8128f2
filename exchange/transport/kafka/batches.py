"""Records on their way into batches: appended as they come, each batch sent when it is full. Hot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from exchange.transport.kafka.record import Partition, Written

Writable = tuple[str, int, bytes | None, bytes | None, list[tuple[str, bytes]]]
"""topic, partition, key, value, headers: `Outgoing`, or any tuple of that shape."""

_CREATE_TIME = 0


class Batches:
    """The batches of one write. Order within a partition is kept; a failed batch is raised by `finish`."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._open: dict[tuple[str, int], Any] = {}
        self._first: dict[tuple[str, int], asyncio.Future[Any]] = {}
        self._waiting: list[asyncio.Future[Any]] = []

    async def feed(self, records: Iterable[Writable]) -> None:
        """Append records; what fills a batch goes out while the caller prepares more."""
        last, append = ("", -1), None
        for topic, partition, key, value, headers in records:
            if append is None or partition != last[1] or topic != last[0]:
                last = (topic, partition)
                append = (self._open.get(last) or self._begin(last)).append
            if append(timestamp=None, key=key, value=value, headers=headers) is None:  # full: takes no more
                await self._send(last)
                append = self._begin(last).append
                append(timestamp=None, key=key, value=value, headers=headers)  # a batch's first record always fits

    async def finish(self) -> list[Written]:
        """Send the rest and wait until every batch is durable: where each partition's records begin."""
        for place in list(self._open):
            await self._send(place)
        for outcome in await asyncio.gather(*self._waiting, return_exceptions=True):
            if isinstance(outcome, BaseException):  # all were awaited: a commit may only follow when none failed
                raise outcome
        return [written(Partition(*place), future.result()) for place, future in self._first.items()]

    def _begin(self, place: tuple[str, int]) -> Any:
        batch = self._open[place] = self._producer.create_batch()
        return batch

    async def _send(self, place: tuple[str, int]) -> None:
        topic, partition = place
        future = await self._producer.send_batch(self._open.pop(place), topic, partition=partition)
        self._first.setdefault(place, future)
        self._waiting.append(future)


def written(place: Partition, meta: Any) -> Written:
    """aiokafka's answer to a batch, as ours: the timestamp only where the broker set it."""
    by_broker = meta.timestamp_type != _CREATE_TIME
    return Written(place.topic, place.number, meta.offset, meta.timestamp if by_broker else None)
