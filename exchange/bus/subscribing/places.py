"""Where to read on: from what the sink or the group stored, or else from the subscriber's start."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.bus.subscribing.batch import PositionStore, StoredPosition
from exchange.bus.subscribing.start import BEGINNING, Start
from exchange.envelope import SequenceTracker
from exchange.errors import SequenceRefused, TransportError
from exchange.transport.kafka import GroupConsumer, Partition


class Places:
    """The places of one group; in a sink, where it is given one."""

    def __init__(self, group: str, start: Start, redelivery_topics: Sequence[str]) -> None:
        self._group = group
        self._start = start
        self._redelivery_topics = frozenset(redelivery_topics)
        self._begun: set[Partition] = set()
        self.sink: PositionStore | None = None

    async def find(
        self, consumer: GroupConsumer, places: Sequence[Partition]
    ) -> dict[Partition, tuple[int, SequenceTracker]]:
        """The offset to read next of each, and the sequences met before it.

        Raises whatever the sink raises, BrokerUnreachable, and TransportError `place_malformed` for a stored place
        whose sequences cannot be read: reading on without them would let replays pass.
        """
        stored = await self._stored(consumer, [place for place in places if not self._is_overridden(place)])
        found = {place: (at.next_offset, self._tracker(place, at.sequences)) for place, at in stored.items()}
        new = [place for place in places if place not in found]
        # A letter can only be there for a group that was here before: none is passed over.
        letters = [place for place in new if place.topic in self._redelivery_topics]
        begins = await BEGINNING.find(consumer, letters)
        begins |= await self._start.find(consumer, [place for place in new if place not in begins])
        self._begun.update(places)
        return found | {place: (offset, SequenceTracker()) for place, offset in begins.items()}

    def _is_overridden(self, place: Partition) -> bool:
        return self._start.overrides and place not in self._begun and place.topic not in self._redelivery_topics

    async def _stored(self, consumer: GroupConsumer, places: Sequence[Partition]) -> dict[Partition, StoredPosition]:
        if self.sink is None:
            committed = await consumer.committed(places)
            return {place: StoredPosition(at.offset, at.metadata) for place, at in committed.items()}
        found = [(place, await self.sink.load(self._group, place.topic, place.number)) for place in places]
        return {place: stored for place, stored in found if stored is not None}

    def _tracker(self, place: Partition, sequences: str) -> SequenceTracker:
        try:
            return SequenceTracker.from_metadata(sequences)
        except SequenceRefused as error:
            kept = "the group's committed offset" if self.sink is None else "the sink"
            raise TransportError(
                f"group {self._group}: the place of {place.topic}/{place.number} in {kept} cannot be read: "
                f"{error.message}; reset it (kafka-consumer-groups --reset-offsets, or the sink's row) to go on from "
                "that offset as if every publisher were new",
                code="place_malformed",
                retriable=False,
            ) from error
