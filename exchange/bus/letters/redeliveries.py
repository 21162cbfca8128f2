"""Redeliveries: letters of the agency that bring records back to one of its groups (spec 2)."""

from __future__ import annotations

from exchange.bus.letters.reading import MALFORMED, Letter, group_of, parse_letter
from exchange.bus.subscribing.ports import Redelivered
from exchange.envelope import Opener, Record
from exchange.errors import OriginMismatch, RecordRefused
from exchange.ids import AgencyId


class GroupRedeliveries:
    """What a group of an agency is to read again: hand it to its `Subscriber` as `redeliveries`."""

    def __init__(self, agency: AgencyId, group: str) -> None:
        self._agency = agency
        self._group = group
        self._topics = (agency.redelivery_topic, *agency.retry_topics)

    @property
    def topics(self) -> tuple[str, ...]:
        """The agency's redeliveries and its back-off topics."""
        return self._topics

    def read(self, record: Record, opener: Opener) -> Redelivered | None:
        """What a letter brings back, verified as the agency's own (steps 1 to 7); None where it is for another group.

        The group is read first: a letter with its group changed is passed over by the one it was for and refused
        by the one it names. Raises RecordRefused; the record it brings back is still to be verified.
        """
        if group_of(record) != self._group:
            return None
        opened = opener.open_internal(record)
        if opened.agency != self._agency:
            raise OriginMismatch(f"a letter to {self._group} is sealed by {opened.agency}: expected {self._agency}")
        letter = parse_letter(record)
        if letter.record is None:
            raise RecordRefused(f"the letter to {self._group} does not hold the record whole", code=MALFORMED)
        return Redelivered(letter.record, letter.due, letter.attempts, origin_of(record.topic, letter), record.offset)


def origin_of(topic: str, letter: Letter) -> str:
    """In a word, what brings a record back: `replay`, `retry` (by `exchange dlq retry`), or the back-off topic."""
    name = topic.rpartition(".")[2]
    if name != "redeliveries":
        return name
    return "replay" if (letter.origin or "").startswith("replay/") else "retry"
