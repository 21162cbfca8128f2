"""The headers of an event record (spec 2): CloudEvents 1.0, Kafka binding, binary mode; in one fixed order.

content-type  ce_specversion  ce_id  ce_source  ce_type  ce_time  ce_dataschema  ce_sequence
[ce_subject]  [traceparent]   exchange-seal
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from exchange.clock import format_micros
from exchange.envelope.record import SEAL_HEADER, Headers
from exchange.errors import OriginMismatch, SealMalformed
from exchange.ids import AgencyId

EVENT_CONTENT_TYPE = b"application/avro"
"""The content type of every event, tombstones included."""

SPEC_VERSION = b"1.0"
"""The version of CloudEvents."""

SOURCE = "ce_source"
"""The header that names the agency, `/<agency>`."""

EVENT_NAMES = (
    "content-type",
    "ce_specversion",
    "ce_id",
    SOURCE,
    "ce_type",
    "ce_time",
    "ce_dataschema",
    "ce_sequence",
)
"""The headers every event has, in order."""

_SOURCE_AT = EVENT_NAMES.index(SOURCE)
_OWN = tuple(EVENT_NAMES.index(name) for name in ("ce_id", "ce_time", "ce_sequence"))


@dataclass(frozen=True, slots=True)
class Layout:
    """Which of the optional headers an event has."""

    subject: bool
    traceparent: bool


LAYOUTS = {
    (*EVENT_NAMES, SEAL_HEADER): Layout(False, False),
    (*EVENT_NAMES, "ce_subject", SEAL_HEADER): Layout(True, False),
    (*EVENT_NAMES, "traceparent", SEAL_HEADER): Layout(False, True),
    (*EVENT_NAMES, "ce_subject", "traceparent", SEAL_HEADER): Layout(True, True),
}
"""The header names an event record may have, in order."""


def split_headers(headers: Headers) -> tuple[tuple[str, ...], tuple[bytes, ...], Layout | None]:
    """Step 1: names and values, and the layout where they are an event's; raises SealMalformed.

    The seal is the last header and occurs once.
    """
    if not headers:
        raise SealMalformed(f"the record has no headers: without {SEAL_HEADER} it was not published by the exchange")
    names, values = zip(*headers, strict=True)
    layout = LAYOUTS.get(names)
    if layout is None and (names[-1] != SEAL_HEADER or names.count(SEAL_HEADER) != 1):
        raise SealMalformed(f"the record needs one {SEAL_HEADER} header, as its last: {', '.join(names)[:200]}")
    return names, values, layout


def sole_source(names: tuple[str, ...], values: tuple[bytes, ...], layout: Layout | None) -> bytes:
    """Step 3: the value of the one `ce_source`; raises OriginMismatch where there is none, or another."""
    if layout is not None:
        return values[_SOURCE_AT]
    if names.count(SOURCE) != 1:
        raise OriginMismatch(f"the record has {names.count(SOURCE)} {SOURCE} headers instead of one")
    return values[names.index(SOURCE)]


def event_type(topic: str) -> str:
    """`ce_type`: the topic without its version."""
    return topic.rpartition(".")[0]


def source_of(agency: AgencyId) -> bytes:
    """`ce_source`: `/<agency>`."""
    return f"/{agency}".encode()


class EventHeaders:
    """Builds the headers of one topic's events; what never changes is built once."""

    def __init__(self, agency: AgencyId, topic: str, dataschema: str) -> None:
        self._before = [("content-type", EVENT_CONTENT_TYPE), ("ce_specversion", SPEC_VERSION)]
        self._source = [(SOURCE, source_of(agency)), ("ce_type", event_type(topic).encode())]
        self._dataschema = ("ce_dataschema", dataschema.encode())
        self._time: tuple[datetime | None, tuple[str, bytes]] = (None, ("ce_time", b""))

    def build(
        self,
        event_id: str,
        time: datetime,
        sequence: int,
        *,
        subject: str | None = None,
        traceparent: str | None = None,
    ) -> list[tuple[str, bytes]]:
        """The headers of one event, the seal still to come: a new list.

        `event_id` is a UUIDv7, `time` aware, `sequence` 0 to 10^20-1, `subject` a pseudonym (personal-data topics).
        """
        seen, stamp = self._time
        if time is not seen:
            stamp = ("ce_time", format_micros(time).encode())
            self._time = (time, stamp)
        headers = [
            *self._before,
            ("ce_id", event_id.encode()),
            *self._source,
            stamp,
            self._dataschema,
            ("ce_sequence", b"%020d" % sequence),
        ]
        if subject is not None:
            headers.append(("ce_subject", subject.encode()))
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        return headers


def around_own(headers: Headers, encode: Callable[[str, bytes], bytes]) -> tuple[bytes, bytes, bytes]:
    """What is encoded before the values of ce_id, ce_time and ce_sequence: the same for all events of a topic.

    `encode` writes one header, its value last. After the sequence come the optional headers.
    """
    encoded = [encode(name, value) for name, value in headers[: len(EVENT_NAMES)]]
    for at in _OWN:
        encoded[at] = encoded[at][: -len(headers[at][1])]  # the name and the size stay
    event_id, time, sequence = _OWN
    before = encoded[: event_id + 1], encoded[event_id + 1 : time + 1], encoded[time + 1 : sequence + 1]
    return b"".join(before[0]), b"".join(before[1]), b"".join(before[2])


def document_headers(
    agency: AgencyId, topic: str, *, event_id: str, time: datetime, content_type: str = "application/json"
) -> list[tuple[str, bytes]]:
    """The headers of a sealed record that is no Avro event (positions, audit, dead letters), the seal still to come."""
    return [
        ("content-type", content_type.encode()),
        ("ce_specversion", SPEC_VERSION),
        ("ce_id", event_id.encode()),
        (SOURCE, source_of(agency)),
        ("ce_type", topic.encode()),
        ("ce_time", format_micros(time).encode()),
    ]
