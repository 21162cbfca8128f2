"""The bus as it is: publishers, subscribers and dead letters on Kafka."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

from exchange.bus import DeadLetters, Membership, PositionStore, Publisher, Start, Subscriber
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
        """A subscriber whose place is in the sink; records that do not verify become dead letters."""
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
            start=Start(start),
            membership=_MEMBERSHIP,
        )

    def unfit_events(self, group: str) -> UnfitLetters:
        """The dead letters of a group's sink."""
        return UnfitLetters(self._agency, group, self)


class UnfitLetters:
    """Events that a table does not take, as dead letters: their keys and places, sealed by the subscriber's agency.

    One publisher a partition, so that whoever is assigned the partition fences its predecessor. Its position holds
    the offsets kept since the sink's place: in the transaction of the letters, so each is kept once.
    """

    def __init__(self, agency: AgencyId, group: str, bus: KafkaBus) -> None:
        self._agency = agency
        self._group = group
        self._bus = bus
        self._publishers: dict[tuple[str, int], EventPublisher] = {}

    async def keep(self, topic: str, partition: int, first_offset: int, unfit: Sequence[UnfitEvent]) -> None:
        """Durable when it returns; raises what Kafka raises, and then none of this call was kept."""
        publisher = await self._publisher(topic, partition)
        kept = [offset for offset in _kept(publisher.position) if offset >= first_offset]
        fresh = [each for each in unfit if each.offset not in kept]
        if not fresh:
            return
        for each in fresh:
            details = {"topic": topic, "partition": str(partition), "offset": str(each.offset), "group": self._group}
            publisher.add_rejected(each.error.code, each.error.message, key=each.key, details=details)
        try:
            await publisher.commit({"kept": [*kept, *(each.offset for each in fresh)]})
        except BaseException:
            await self._forget(topic, partition)
            raise

    async def close(self) -> None:
        """Close every publisher."""
        for topic, partition in list(self._publishers):
            await self._forget(topic, partition)

    async def _publisher(self, topic: str, partition: int) -> EventPublisher:
        if (topic, partition) not in self._publishers:
            named = hashlib.sha256(f"{self._group}\x00{topic}\x00{partition}".encode()).hexdigest()[:16]
            publisher = self._bus.publisher(PublisherId(self._agency, f"unfit-{named}"))
            await publisher.__aenter__()
            self._publishers[topic, partition] = publisher
        return self._publishers[topic, partition]

    async def _forget(self, topic: str, partition: int) -> None:
        await self._publishers.pop((topic, partition)).__aexit__(None, None, None)


def _kept(position: dict[str, Any] | None) -> list[int]:
    return [] if position is None else list(position["kept"])
