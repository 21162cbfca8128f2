"""Framing: 0x00, the schema id, the Avro bytes (spec 2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.avro import frame, unframe
from exchange.errors import SchemaMismatch


@given(st.integers(0, 2**31 - 1), st.binary(max_size=200))
def test_what_is_framed_comes_out_again(schema_id, payload):
    """An id and a payload survive framing."""
    found, rest = unframe(frame(schema_id, payload))
    assert (found, bytes(rest)) == (schema_id, payload)


def test_the_bytes_are_those_of_confluent():
    """A zero byte, four bytes of id, then the payload."""
    assert frame(258, b"\x06abc") == b"\x00\x00\x00\x01\x02\x06abc"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "at least 5 bytes, this one has 0"),
        (b"\x00\x00\x00\x01", "at least 5 bytes, this one has 4"),
        (b"\x01\x00\x00\x00\x01abc", "starts with 0x00, this one with 0x01"),
        (b"\xff\x00\x00\x00\x01", "this one with 0xff"),
        (b"\x00\xff\xff\xff\xff", "schema id -1 is negative"),
    ],
)
def test_what_is_no_framed_value_is_refused(value, reason):
    """A value that is too short, of another magic byte or of a negative id is a schema mismatch."""
    with pytest.raises(SchemaMismatch, match=reason):
        unframe(value)


@given(st.binary(max_size=64))
def test_random_bytes_are_unframed_or_refused(value):
    """Nothing but SchemaMismatch is ever raised."""
    try:
        schema_id, payload = unframe(value)
    except SchemaMismatch:
        return
    assert frame(schema_id, bytes(payload)) == value


def test_the_payload_is_a_view():
    """Unframing copies nothing."""
    value = frame(7, b"payload")
    assert unframe(value)[1].obj is value
