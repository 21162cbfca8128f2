"""What a program hands to a publisher: an event, plain or typed."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Protocol

import msgspec

from exchange.errors import ValueInvalid


class TypedEvent(Protocol):
    """An object that knows its topic and its schema: what `exchange schema generate` writes a class for."""

    __topic__: ClassVar[str]
    __schema__: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """The value, as the schema has it."""
        ...


class Absent(Enum):
    """Nothing was given, which None (a tombstone) is not."""

    DATA = "no data"


Data = dict[str, Any] | Absent | None
"""A value; None is a tombstone: the entity of the key is gone."""


class NewEvent(msgspec.Struct, frozen=True):
    """An event to publish: a topic with a plain value, or a typed event alone.

        NewEvent("gov.interior.civil.moved.v1", {"n": 1}, key="k")
        NewEvent(Moved(n=1), key="k")

    `key`: the entity's (events of one key keep their order). `subject`: the pseudonym, on topics with personal data.
    `time`: when it happened, aware; None for now. `traceparent`: W3C Trace Context.
    """

    topic: str | TypedEvent
    data: Data = Absent.DATA
    key: str | None = None
    subject: str | None = None
    time: datetime | None = None
    traceparent: str | None = None


def topic_and_value(topic: str | TypedEvent, data: Data) -> tuple[str, dict[str, Any] | None]:
    """Where an event goes and what it says; raises ValueInvalid where it says nothing, or twice."""
    if isinstance(topic, str):
        if data is Absent.DATA:
            raise ValueInvalid(f"an event for {topic} has no data: give a dict, or None for a tombstone")
        return topic, data
    if data is not Absent.DATA:
        raise ValueInvalid(f"a typed event for {topic.__topic__} carries its own data: give no other")
    return topic.__topic__, topic.to_dict()
