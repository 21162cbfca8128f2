"""What a subscriber needs from others: schemas, and letters that bring a record back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from exchange.avro import RegisteredSchema
from exchange.envelope import Opener, Record


class SchemaCache(Protocol):
    """Schemas by number: what is cached at once, the rest from the registry."""

    def get(self, schema_id: int, /) -> RegisteredSchema | None:
        """The schema, or None where the cache does not have it."""
        ...

    async def load(self, ids: Sequence[int], /) -> None:
        """Fetch what is missing; numbers the registry does not know stay missing. Raises PeerUnreachable."""
        ...


class Redelivered(msgspec.Struct, frozen=True, gc=False):
    """A record that comes again to one group, as a letter of its agency had it.

    `record` is the original: its own topic, partition, offset, broker's timestamp (ms), key, value and headers, the
    seal among them. Not to be handed out before `due_millis` (ms since 1970). `attempts` were made so far; `origin`
    says in a word what brings it back, e.g. `retry` or `replay`; `number` is the letter's own offset.
    """

    record: Record
    due_millis: int
    attempts: int
    origin: str
    number: int = -1


class Redeliveries(Protocol):
    """Letters that bring records back to one group of an agency, on topics of the agency's own."""

    @property
    def topics(self) -> Sequence[str]:
        """What the group reads besides its own topics. The letters of a partition stand in the order they are due."""
        ...

    def read(self, record: Record, opener: Opener) -> Redelivered | None:
        """What a letter brings back, or None where it is for another group.

        The letter itself is verified in here, steps 1 to 7 of spec 3, and its agency is the group's own; what it
        brings back, the subscriber verifies. Raises RecordRefused: then the letter is a dead letter itself.
        """
        ...
