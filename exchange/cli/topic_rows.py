"""A record as a row for people: decoded and verified, or with the step that refused it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchange.bus import DEAD_LETTER_PREFIX
from exchange.cli.instance import Instance
from exchange.clock import format_micros, from_unix_millis
from exchange.envelope import Opener, Record, schema_id_of
from exchange.errors import RecordRefused
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient


class Reader:
    """Opens the records of one topic; their schemas come from the registry when they are first met."""

    def __init__(self, instance: Instance, http: HttpClient, topic: str) -> None:
        self._schemas = SchemaCache(RegistryClient(http, instance.directory().registry_url, instance.clock))
        self.opener = Opener(instance.directory, self._schemas, clock=instance.clock)
        self.is_event = instance.directory().topic(topic) is not None
        """Whether the directory has the topic: what is on the others is no event (dead letters, records of our own)."""

    async def prepare(self, record: Record) -> None:
        """Fetch the record's schema, where it is not known yet; raises PeerUnreachable."""
        number = schema_id_of(record.value)
        if number is not None and self.is_event and self._schemas.get(number) is None:
            await self._schemas.load([number])

    async def row(self, record: Record) -> dict[str, Any]:
        """The record as a row; raises PeerUnreachable where the registry is away."""
        await self.prepare(record)
        return describe(record, self.opener, is_event=self.is_event)


def describe(record: Record, opener: Opener, *, is_event: bool) -> dict[str, Any]:
    """A record as a row: what it says once it verified, else the code and step of what did not hold."""
    row: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "broker_time": format_micros(from_unix_millis(record.timestamp)),
    }
    try:
        return row | (_event(record, opener) if is_event else _document(record, opener))
    except RecordRefused as error:
        return row | {"verified": False, "code": error.code, "step": error.step, "reason": error.message}


def _event(record: Record, opener: Opener) -> dict[str, Any]:
    event = opener.open(record)
    return {
        "verified": True,
        "publisher": event.publisher,
        "sequence": event.sequence,
        "id": event.id,
        "type": event.type,
        "time": format_micros(event.time),
        "key": event.key,
        "data": event.data,
    }


def _document(record: Record, opener: Opener) -> dict[str, Any]:
    """A dead letter or a record of our own: who sealed it, and a dead letter's reasons."""
    opened = opener.open_internal(record)
    row: dict[str, Any] = {"verified": True, "publisher": opened.publisher}
    reasons = dict(_reasons(record))
    return {**row, "refused": reasons} if reasons else row


def _reasons(record: Record) -> Iterator[tuple[str, str]]:
    for name, value in record.headers:
        tail_of_name = name.removeprefix(DEAD_LETTER_PREFIX)
        if tail_of_name != name and not tail_of_name.startswith("h-"):
            yield tail_of_name, value.decode("utf-8", "replace")
