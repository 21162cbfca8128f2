"""The bus as it is: publishers, subscribers and dead letters on Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from exchange.bus import (
    Batch,
    DeadLetters,
    Failure,
    GroupRedeliveries,
    Membership,
    PositionStore,
    Post,
    Publisher,
    SetAside,
    Start,
    Subscriber,
    number_of,
    reason_of,
)
from exchange.connect.ports import AdapterContext, EventPublisher, EventSubscriber, UnfitEvent
from exchange.ids import AgencyId, PublisherId

_MEMBERSHIP = Membership(session_seconds=10.0)
"""Short: an adapter that was killed is started again at once, and a sink takes no batch from who lost its place."""


class KafkaBus:
    """Makes what one agency's adapter publishes and subscribes with."""

    def __init__(self, agency: AgencyId, context: AdapterContext) -> None:
        self._agency = agency
        self._context = context

    def publisher(self, publisher: PublisherId) -> EventPublisher:
        """A publisher, not started."""
        context = self._context
        return Publisher(
            publisher, context.bootstrap, context.signer, context.directory, context.schemas, context.clock
        )

    def subscriber(
        self, group: str, topic: str, positions: PositionStore, start: Literal["beginning", "end"]
    ) -> EventSubscriber:
        """A subscriber whose place is in the sink; records that do not verify become dead letters.

        It also takes what `exchange dlq retry` and `exchange topic replay` bring back: rows are upserts, so an event
        that comes again does no harm.
        """
        context = self._context
        letters = DeadLetters(self._agency, group, context.bootstrap, context.signer, context.directory, context.clock)
        return Subscriber(
            self._agency,
            group,
            [topic],
            context.bootstrap,
            context.directory,
            context.schemas,
            context.clock,
            positions=positions,
            dead_letters=letters,
            redeliveries=GroupRedeliveries(self._agency, group),
            start=Start(start),
            membership=_MEMBERSHIP,
        )

    def unfit_events(self, group: str) -> UnfitLetters:
        """The dead letters of a group's sink."""
        context = self._context
        post = Post(self._agency, context.bootstrap, context.signer, context.directory, context.clock)
        return UnfitLetters(group, post)


class UnfitLetters:
    """Events that a table does not take, as dead letters: whole, sealed by the subscriber's agency, each kept once."""

    def __init__(self, group: str, post: Post) -> None:
        self._aside = SetAside(group, post, purpose="unfit", handler=group.rpartition("/")[2])

    async def keep(self, batch: Batch, unfit: Sequence[UnfitEvent]) -> None:
        """Durable when it returns; raises what Kafka raises, and then none of this call was kept."""
        errors = {each.offset: each.error for each in unfit}
        numbers = [number_of(batch, index) for index in range(len(batch.events))]
        before = [each.attempts for each in batch.redelivered] or [0] * len(numbers)
        failures = [
            Failure(index, reason_of(errors[number]), retriable=False, attempts=before[index] + 1)
            for index, number in enumerate(numbers)
            if number in errors
        ]
        await self._aside.keep(batch, failures)

    async def close(self) -> None:
        """Close every publisher."""
        await self._aside.close()
