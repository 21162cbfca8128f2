"""Batches of our own making: Kafka's clients read from them what was put in."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from exchange.transport.kafka import Outgoing, encode
from exchange.transport.kafka.encoding import RecordBatch, codec_of

BYTES = st.none() | st.binary(max_size=300)
HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=20), st.binary(max_size=40)), max_size=12)
RECORDS = st.lists(st.tuples(BYTES, BYTES, HEADERS), min_size=1, max_size=30)
NOW = 1_800_000_000_000


def built(records, compression=None, limit=1 << 30):
    """The bytes of a batch of (key, value, headers)."""
    batch = RecordBatch(limit, *codec_of(compression), transactional=True, millis=NOW)
    for key, value, headers in records:
        record = encode(Outgoing("t", 0, key, value, headers))
        assert batch.append(record.parts, record.size)
    asyncio.run(batch.compress())
    batch._set_producer_state(7, 3, 11)  # as aiokafka's sender does
    return batch._build()


def read(data):
    """The one batch of these bytes, checksum and all."""
    batch = MemoryRecords(data).next_batch()
    assert batch.validate_crc()
    return batch


@given(RECORDS)
def test_a_client_reads_back_what_was_put_in(records):
    """Keys, values and headers, null or empty, come back in their order with their offsets."""
    found = list(read(built(records)))
    assert [(each.key, each.value, each.headers) for each in found] == [tuple(each) for each in records]
    assert [each.offset for each in found] == list(range(len(records)))
    assert {each.timestamp for each in found} == {NOW}


@given(RECORDS)
def test_an_uncompressed_batch_is_the_clients_own_byte_for_byte(records):
    """aiokafka's builder, given the same records, makes the same batch."""
    theirs = DefaultRecordBatchBuilder(2, 0, 1, 7, 3, 11, 1 << 30)
    for offset, (key, value, headers) in enumerate(records):
        assert theirs.append(offset, NOW, key, value, headers)
    assert built(records) == bytes(theirs.build())


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("size", [10, 100_000])
def test_every_codec_is_read_back(compression, size):
    """Whatever compresses, here or in a thread, a client decompresses to the same records."""
    records = [(b"k", bytes([n]) * size, [("h", b"v")]) for n in range(5)]
    found = list(read(built(records, compression)))
    assert [(each.key, each.value, each.headers) for each in found] == records


def test_a_batch_says_whose_it_is():
    """The producer's id, epoch and sequence, and that it is a transaction's, are in the batch."""
    batch = read(built([(b"k", b"v", [])]))
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (7, 3, 11)
    assert batch.is_transactional


def test_a_full_batch_takes_no_more_and_a_first_record_is_always_taken():
    """The limit bounds what a batch holds; a record beyond it has a batch to itself."""
    batch = RecordBatch(1_000, *codec_of(None), transactional=False, millis=NOW)
    large = encode(Outgoing("t", 0, None, b"x" * 2_000, []))
    small = encode(Outgoing("t", 0, None, b"x", []))
    assert batch.append(large.parts, large.size)
    assert not batch.append(small.parts, small.size)
    assert batch.record_count() == 1
