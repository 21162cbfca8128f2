"""Past a record that aiokafka cannot decode: a header whose name is not UTF-8, which the broker takes all the same.

aiokafka raises in the middle of what it fetched, again and again, and forgets what it had already taken from other
partitions. So the stretch is read anew, record by record, each attempt by a reader without a past.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from exchange.transport.kafka.record import Partition, Polled, Received

_WAIT_MS = 200


async def read_past(bootstrap: str, place: Partition, start: int, limit: int) -> Polled:
    """At most `limit` records from `start`, and the offset of the unreadable one that ended the stretch, if any.

    Of several unreadable records in a row the last is named: those before it look like the markers of transactions.
    """
    records, following, stopped = await _stretch(bootstrap, place, start, limit)
    if not stopped:
        return Polled(place, records, start, following)
    offset = following
    while True:
        _, reached, again = await _stretch(bootstrap, place, offset + 1, 1)
        if not (again and reached == offset + 1):
            return Polled(place, records, start, offset + 1, (offset,))
        offset += 1


async def _stretch(bootstrap: str, place: Partition, start: int, limit: int) -> tuple[list[Received], int, bool]:
    """(records, where it ended, whether an unreadable record ended it)."""
    tp = TopicPartition(*place)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    records: list[Received] = []
    async with consumer:
        consumer.assign([tp])
        consumer.seek(tp, start)
        try:
            while len(records) < limit and not await _ended(consumer, tp):
                found = await consumer.getmany(tp, timeout_ms=_WAIT_MS, max_records=1)
                records += found.get(tp, [])
        except UnicodeDecodeError:
            return records, await consumer.position(tp), True
        return records, await consumer.position(tp), False


async def _ended(consumer: Any, tp: TopicPartition) -> bool:
    end = consumer.last_stable_offset(tp)
    return end is not None and end >= 0 and await consumer.position(tp) >= end
