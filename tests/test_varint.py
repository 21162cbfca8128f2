"""Zigzag varints: as Avro and Kafka both write them."""

from io import BytesIO

from aiokafka.record.util import decode_varint
from fastavro.write import schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from exchange.varint import zigzag

WHOLE = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**15), 2**15), st.integers(-(2**29), 2**29))


@given(WHOLE)
def test_a_number_is_written_as_avro_does(number):
    """fastavro writes the same bytes for a long."""
    written = BytesIO()
    schemaless_writer(written, "long", number)
    assert zigzag(number) == written.getvalue()


@given(st.integers(-(2**31), 2**31 - 1))
def test_kafka_reads_the_number_back(number):
    """Kafka's client reads the number, and nothing is left over."""
    written = zigzag(number)
    assert decode_varint(bytearray(written), 0) == (number, len(written))
