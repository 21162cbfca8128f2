"""The generated decoder: it reads what fastavro reads, and refuses what it refuses."""

import io
import json

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.avro import Schema
from exchange.errors import ValueInvalid
from tests.avro.test_avro_writer import EDGES, PLAIN, SIMPLE, by_fastavro, plain_records, record

TIMES = ["date", "millis", "micros", "int", "long", "boolean", "enum"]


def read_by_fastavro(raw, data):
    """The value, as text for NaN is not itself, or None where fastavro finds none that takes all bytes."""
    source = io.BytesIO(data)
    try:
        value = fastavro.schemaless_reader(source, fastavro.parse_schema(raw), None)
    except Exception:  # whatever it raises
        return None
    return repr(value) if source.tell() == len(data) else None


def read_by_us(raw, data):
    """The value as text, or None where it is refused."""
    try:
        return repr(Schema.parse(json.dumps(raw)).decode(data))
    except ValueInvalid:
        return None


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(st.data(), st.sampled_from([SIMPLE, TIMES, list(PLAIN)]))
def test_what_is_read_is_what_fastavro_reads(data, kinds):
    """Values as they were written, with a byte changed, cut short or trailed by others."""
    raw, value = data.draw(plain_records(kinds))
    written = bytearray(by_fastavro(raw, value))
    change = data.draw(st.sampled_from(["none", "none", "change", "cut", "trail"]))
    if change == "change" and written:
        written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    elif change == "cut":
        del written[data.draw(st.integers(0, len(written))) :]
    elif change == "trail":
        written += data.draw(st.binary(max_size=3))
    assert read_by_us(raw, bytes(written)) == read_by_fastavro(raw, bytes(written))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(st.data(), st.binary(max_size=24) | st.lists(st.sampled_from([0, 1, 2, 128, 255]), max_size=24).map(bytes))
def test_random_bytes_are_read_or_refused_as_by_fastavro(data, received):
    """Bytes of any kind, many of them numbers that never end."""
    raw, _ = data.draw(plain_records(SIMPLE))
    assert read_by_us(raw, received) == read_by_fastavro(raw, received)


@pytest.mark.parametrize("name", ["long", "int", "millis", "micros", "date"])
def test_numbers_are_read_as_by_fastavro_wherever_a_byte_is_added(name):
    """Around each power of two, below and above zero, days and instants that no calendar has among them."""
    raw = record(PLAIN[name][0])
    written = [by_fastavro(record("long"), {"f": number}) for number in [*EDGES, 2**63 - 1, -(2**63)]]
    assert [read_by_us(raw, each) for each in written] == [read_by_fastavro(raw, each) for each in written]


@pytest.mark.parametrize(
    "data", [b"\x84\x00ab", b"\x01", b"\x03ab", b"\x81\x01", b"\x84\x80\x00ab", b"\x80" * 12 + b"\0", b"\xff" * 9]
)
def test_lengths_that_no_writer_writes_are_read_or_refused_as_by_fastavro(data):
    """Of more bytes than they need, below zero, or without end."""
    for name in ("string", "bytes", "enum"):
        raw = {"type": "record", "name": "R", "fields": [{"name": "f", "type": PLAIN[name][0]}]}
        raw["fields"][0]["type"] = PLAIN["enum"][0] | {"name": "E"} if name == "enum" else name
        assert read_by_us(raw, data) == read_by_fastavro(raw, data)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_value_is_read_from_whatever_holds_bytes(kind):
    """A view of a message, a buffer, and bytes."""
    assert Schema.parse(json.dumps(record("string"))).decode(kind(b"\x04ab")) == {"f": "ab"}
