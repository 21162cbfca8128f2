"""What consent needs of the world outside: a compacted topic that is read back, and a witness of each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from exchange.consent.document import StoredConsent
from exchange.ids import AgencyId


@dataclass(frozen=True, slots=True)
class TopicDocument:
    """One record of the consent topic: its key, the signed document (None deletes), the broker's time."""

    key: str
    envelope: bytes | None
    written: datetime


Apply = Callable[[TopicDocument], None]


class ConsentTopic(Protocol):
    """The compacted topic `_exchange.consent`, written to and followed."""

    async def write(self, key: str, envelope: bytes) -> None:
        """Returns once the document is durable and has been read back; raises TransportError."""
        ...

    def current_at(self) -> datetime | None:
        """The latest time at which everything on the topic had been read; None before the first."""
        ...


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A change about to be written: the record as it will be, and who makes it."""

    consent: StoredConsent
    by: AgencyId
    transaction_id: str


class Witness(Protocol):
    """Told of each change before it is written, so that no change is without a trace."""

    async def witness(self, change: ConsentChange) -> Mapping[str, Any]:
        """The trace's receipt, once it is durable; raises an ExchangeError, and then nothing is written."""
        ...
