"""Reading records without verifying them: for development, where a record may lack its seal, or have any.

Steps 1 to 7 and 9 of opening are left out; what an event is (step 8) is not.
"""

from __future__ import annotations

from exchange.envelope.content import SchemaSource, Values, parse_content, parse_key
from exchange.envelope.event import Event
from exchange.envelope.headers import LAYOUTS, event_type, sole_source
from exchange.envelope.record import SEAL_HEADER, Record, record_leaf
from exchange.errors import SchemaMismatch
from exchange.ids import AgencyId

UNVERIFIED = "unverified"
"""What an unverified event says its publisher is: nobody vouches for it."""


class UnverifiedEvent(Event, frozen=True, gc=False):
    """An event that anyone may have written: `publisher` is "unverified", `epoch` 0, `agency` what it claims."""


class UnverifiedOpener:
    """Decodes records, whoever wrote them."""

    def __init__(self, schemas: SchemaSource) -> None:
        self._values = Values(schemas)

    def open(self, record: Record) -> UnverifiedEvent:
        """The event that a record claims to be; raises SchemaMismatch where it is no event."""
        headers = [(name, value) for name, value in record.headers if name != SEAL_HEADER]
        names, values = tuple(name for name, _ in headers), tuple(value for _, value in headers)
        layout = LAYOUTS.get((*names, SEAL_HEADER))
        kind = event_type(record.topic)
        content = parse_content((*values, b""), layout, kind.encode())
        event_id, time, dataschema, sequence, subject, traceparent = content
        return UnverifiedEvent(
            record.topic,
            record.partition,
            record.offset,
            parse_key(record.key),
            event_id,
            _claimed(sole_source(names, values, None)),
            kind,
            time,
            subject,
            self._values.decode(record.value, dataschema),
            UNVERIFIED,
            0,
            sequence,
            traceparent,
            record_leaf(record.topic, record.key, headers, record.value),
        )


def _claimed(source: bytes) -> AgencyId:
    try:
        return AgencyId.parse(source.decode().removeprefix("/"))
    except ValueError:
        raise SchemaMismatch(f"ce_source is {source[:80]!r}: expected /<agency>") from None
