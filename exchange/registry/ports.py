"""What the registry needs from outside: a log of records with one writer, and a judge of who may write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from exchange.transport.http import HttpRequest

Apply = Callable[[bytes | None, bytes | None, int], None]
"""Takes one record in: key, value, offset. Must not raise."""


class SchemaStore(Protocol):
    """An ordered log of records (the topic `_schemas`) that one process writes at a time."""

    async def start(self, apply: Apply) -> None:
        """Become the writer, then apply all that is there; from now on every record is applied as it comes.

        Raises BrokerUnreachable or SettingsError.
        """
        ...

    async def prepare(self) -> None:
        """Return once all that was ever written is applied, so that what to write next can be decided.

        Raises PublisherFenced, BrokerUnreachable or TransportError.
        """
        ...

    async def append(self, key: bytes, value: bytes | None) -> None:
        """Write one record and return once it has been applied.

        Raises PublisherFenced, RecordTooLarge, BrokerUnreachable or TransportError; after the last two the record
        may be there all the same, and `prepare` finds out.
        """
        ...

    async def wait_stopped(self) -> None:
        """Return only by raising what keeps this store from going on: the process must end."""
        ...

    async def close(self) -> None:
        """Stop following and writing."""
        ...


class Authenticator(Protocol):
    """Decides whether a write is admitted."""

    def admit(self, request: HttpRequest, subject: str | None) -> None:
        """Raises RequestRefused (who asks is not known) or SchemaNotOwned; `subject` None concerns every subject."""
        ...
