"""Reading the gateway's own entries back from the audit topic, so that caps outlive a restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from exchange.audit import AuditEntry, AuditRecord, verify_entry
from exchange.clock import from_unix_millis
from exchange.errors import DocumentInvalid
from exchange.transport.kafka import PartitionConsumer, Received
from exchange.trust import Directory

_POLL_SECONDS = 0.5
_POLL_LIMIT = 5_000

log = structlog.get_logger()


async def replay_entries(
    bootstrap: str, topic: str, since: datetime, directory: Directory, apply: Callable[[AuditEntry], None]
) -> None:
    """Hand `apply` every verified entry the broker stamped at `since` or later; raises BrokerUnreachable."""
    async with PartitionConsumer(bootstrap) as consumer:
        places = await consumer.partitions(topic)
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=_POLL_LIMIT):
                _apply_all(polled.records, since, directory, apply)


def _apply_all(
    records: Sequence[Received], since: datetime, directory: Directory, apply: Callable[[AuditEntry], None]
) -> None:
    for record in records:
        if from_unix_millis(record.timestamp) < since or record.value is None:
            continue
        try:
            apply(verify_entry(AuditRecord.parse(record.value), directory).entry)
        except DocumentInvalid as error:
            # What does not verify was not written by a gateway: it counts towards nobody's caps.
            log.warning("audit_entry_refused", topic=record.topic, offset=record.offset, reason=error.message)
