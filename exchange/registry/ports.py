"""What the registry needs from outside: a log of records with one writer at a time, and a judge of who may write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from exchange.transport.http import HttpRequest

Apply = Callable[[bytes | None, bytes | None, int], None]
"""Takes one record in: key, value, offset. Must not raise."""
KeyValue = tuple[bytes, bytes | None]
"""One record to write; the value None takes the key's record away."""


class SchemaStore(Protocol):
    """An ordered log of records (the topic `_schemas`) that many processes follow and one of them writes."""

    async def start(self, apply: Apply) -> None:
        """Apply all that is there, and from now on every record as it comes; raises BrokerUnreachable, SettingsError.

        The store only follows until `lead` is called.
        """
        ...

    async def lead(self) -> None:
        """Become the one writer: fence every other, and return once all that was ever written is applied.

        May be called again, after PublisherFenced or a write whose outcome is unknown. Raises BrokerUnreachable or
        TransportError.
        """
        ...

    async def append(self, records: Sequence[KeyValue]) -> int:
        """Write all these records or none, and return the last one's offset once they have been applied.

        Raises PublisherFenced (another writes now: nothing was written), RecordTooLarge (nothing was written),
        BrokerUnreachable or TransportError; after the last two they may be there all the same, and `lead` finds out.
        """
        ...

    async def applied(self, offset: int) -> None:
        """Return once the record at `offset`, which another may have written, is applied; raises BrokerUnreachable."""
        ...

    async def wait_stopped(self) -> None:
        """Return only by raising what keeps this store from following: the process must end."""
        ...

    async def close(self) -> None:
        """Stop following and writing."""
        ...


class Authenticator(Protocol):
    """Decides whether a write is admitted."""

    def admit(self, request: HttpRequest, subject: str | None) -> None:
        """Raises RequestRefused (who asks is not known) or SchemaNotOwned; `subject` None concerns every subject."""
        ...
