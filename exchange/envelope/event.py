"""What comes out of a record that verified: an event (spec 2), or a record of our own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from exchange.ids import AgencyId


class Event(msgspec.Struct, frozen=True, gc=False):
    """A verified event. `data` is None for a tombstone; `publisher` is whose key signed, `epoch` and `sequence` its.

    `leaf` is the hash of the whole record, 32 bytes (spec 3): what the seal vouches for.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    id: str
    agency: AgencyId
    type: str
    time: datetime
    subject: str | None
    data: dict[str, Any] | None
    publisher: str
    epoch: int
    sequence: int
    traceparent: str | None
    leaf: bytes = b""


class OpenedInternal(msgspec.Struct, frozen=True):
    """A verified record that is no Avro event: who sealed it, in which epoch, and its value (None: a tombstone)."""

    publisher: str
    epoch: int
    value: bytes | None
    key: bytes | None
    agency: AgencyId
    flush: int
    time: datetime
