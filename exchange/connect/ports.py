"""What an adapter needs of the bus, and what it is given of the process: the seams that tests fake."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from exchange.avro import RegisteredSchema
from exchange.bus import Batch, PositionStore
from exchange.clock import Clock
from exchange.connect.retry import Patience
from exchange.errors import ExchangeError
from exchange.ids import PublisherId
from exchange.trust import Directory, Signer


class Schemas(Protocol):
    """The registry: schemas by text for publishing, by number for subscribing."""

    async def resolve(self, subject: str, text: str) -> RegisteredSchema:
        """The schema as registered; raises SchemaNotFound or PeerUnreachable."""
        ...

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """What is cached."""
        ...

    async def load(self, ids: Sequence[int]) -> None:
        """Fetch what is missing; raises PeerUnreachable."""
        ...


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What a process gives its adapter. `pepper`: the instance's, for pseudonyms (spec 1)."""

    bootstrap: str
    directory: Callable[[], Directory]
    signer: Signer
    schemas: Schemas
    pepper: bytes = field(repr=False)
    clock: Clock
    patience: Patience = field(default_factory=Patience)


class EventPublisher(Protocol):
    """`exchange.bus.Publisher`, as an adapter uses it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    @property
    def position(self) -> dict[str, Any] | None:
        """The position last committed."""
        ...

    async def open(self, topic: str, schema_text: str) -> None:
        """Make ready for a topic."""
        ...

    def add(
        self,
        topic: str,
        data: dict[str, Any] | None,
        *,
        key: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
    ) -> None:
        """Buffer an event; raises ValueInvalid or RecordTooLarge and leaves the buffer as it was."""
        ...

    def add_rejected(self, code: str, message: str, *, key: str | None, details: Mapping[str, str]) -> None:
        """Buffer a dead letter."""
        ...

    async def commit(self, position: dict[str, Any] | None = None) -> int:
        """All that was buffered and the position, or nothing."""
        ...

    async def begin_commit(self, position: dict[str, Any] | None = None) -> None:
        """Start a commit, after the one before it; what is added next belongs to the next. Raises what that raised."""
        ...

    async def finish_commit(self) -> int:
        """Wait until the commit under way holds; raises as `commit`."""
        ...


class EventSubscriber(Protocol):
    """`exchange.bus.Subscriber`, as an adapter uses it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def batches(self) -> AsyncIterator[Batch]:
        """Verified batches until `stop`."""
        ...

    async def commit(self, batch: Batch) -> None:
        """Tell the group; the place that counts is the sink's."""
        ...

    def stop(self) -> None:
        """End `batches` after the batch in hand."""
        ...


@dataclass(frozen=True, slots=True)
class UnfitEvent:
    """An event that a sink's table does not take, by the offset it was read at (`number_of`); never what it said."""

    offset: int
    key: str | None
    error: ExchangeError


class UnfitEvents(Protocol):
    """Where events go that verified and do not fit the table: dead letters, each kept once."""

    async def keep(self, batch: Batch, unfit: Sequence[UnfitEvent]) -> None:
        """Durable when it returns; those of the batch that were kept before are not kept again."""
        ...

    async def close(self) -> None:
        """Let go of Kafka."""
        ...


class Bus(Protocol):
    """Makes what an adapter publishes and subscribes with."""

    def publisher(self, publisher: PublisherId) -> EventPublisher:
        """A publisher, not started."""
        ...

    def subscriber(
        self, group: str, topic: str, positions: PositionStore, start: Literal["beginning", "end"]
    ) -> EventSubscriber:
        """A subscriber of one topic, not started."""
        ...

    def unfit_events(self, group: str) -> UnfitEvents:
        """The dead letters of a group's sink."""
        ...
