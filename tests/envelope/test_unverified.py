"""Reading without verifying: the seal does not count, what an event is does."""

from __future__ import annotations

import pytest

from exchange.envelope import KafkaRecord, UnverifiedEvent, UnverifiedOpener
from exchange.errors import SchemaMismatch

from .world import Draft, Schemas, opener, seal


def changed(record, headers):
    """The record with other headers."""
    return KafkaRecord(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers
    )


def test_an_unverified_event_says_what_the_verified_one_says():
    """Everything but who vouches for it is the same, its leaf included."""
    [record] = seal([Draft(sequence=4)])
    verified, unverified = opener().open(record), UnverifiedOpener(Schemas()).open(record)
    assert isinstance(unverified, UnverifiedEvent)
    assert (unverified.publisher, unverified.epoch) == ("unverified", 0)
    for name in ("topic", "key", "id", "agency", "type", "time", "subject", "data", "sequence", "traceparent", "leaf"):
        assert getattr(unverified, name) == getattr(verified, name)


@pytest.mark.parametrize("tail", [(), (("exchange-seal", b"forged"),)])
def test_the_seal_does_not_count(tail):
    """Without a seal, or with a forged one, it is the same event."""
    [record] = seal([Draft()])
    found = UnverifiedOpener(Schemas()).open(changed(record, (*record.headers[:-1], *tail)))
    assert found.data == opener().open(record).data


def test_what_is_no_event_is_refused():
    """Other headers, or a source that is no agency, are no event's."""
    [record] = seal([Draft()])
    reader = UnverifiedOpener(Schemas())
    with pytest.raises(SchemaMismatch, match="headers"):
        reader.open(changed(record, ()))
    with pytest.raises(SchemaMismatch, match="ce_source"):
        reader.open(changed(record, tuple((n, b"/?" if n == "ce_source" else v) for n, v in record.headers)))
