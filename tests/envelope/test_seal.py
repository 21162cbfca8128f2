"""Seals and the sealer (spec 3)."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.envelope import (
    MAX_FLUSH,
    MAX_RECORD,
    Sealer,
    Unsealed,
    encode_record,
    encode_seal,
    parse_seal,
    parse_statement,
    record_leaf,
)
from exchange.errors import RecordTooLarge, SealMalformed
from exchange.merkle import leaf_hash, verify_inclusion

from .world import CUSTOMS, CUSTOMS_KEY, NOW, TARIFF, TOPIC, Draft, opener, seal, seal_of

headers = st.lists(st.tuples(st.text(max_size=40), st.binary(max_size=1500)), max_size=12)
optional = st.none() | st.binary(max_size=1500)


def plain_encoding(topic: str, key: bytes | None, headers: list[tuple[str, bytes]], value: bytes | None) -> bytes:
    """The bytes of a record, written down from the specification one field after the other."""
    out = struct.pack(">H", len(topic.encode())) + topic.encode()
    out += struct.pack(">i", -1) if key is None else struct.pack(">i", len(key)) + key
    out += struct.pack(">H", len(headers))
    for name, content in headers:
        out += struct.pack(">H", len(name.encode())) + name.encode() + struct.pack(">i", len(content)) + content
    return out + (struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value)


@given(topic=st.text(max_size=60), key=optional, headers=headers, value=optional)
def test_a_record_is_encoded_as_the_specification_draws_it(topic, key, headers, value):
    """Length by length, nulls as −1, and the leaf is the hash of 0x00 and these bytes."""
    expected = plain_encoding(topic, key, headers, value)
    assert encode_record(topic, key, headers, value) == expected
    assert record_leaf(topic, key, headers, value) == leaf_hash(expected)


@given(
    first=st.tuples(st.text(max_size=3), optional, headers, optional),
    second=st.tuples(st.text(max_size=3), optional, headers, optional),
)
def test_different_records_have_different_bytes(first, second):
    """The encoding says where each part ends: no two records share one."""
    assert (encode_record(*first) == encode_record(*second)) == (first == second)


@pytest.mark.parametrize(
    "record",
    [
        ("t" * 65_536, None, [], None),
        ("t", None, [("n" * 65_536, b"")], None),
        ("t", None, [("n", b"")] * 65_536, None),
        ("t", None, [("n", None)], None),
        ("\ud800", None, [], None),
    ],
    ids=["topic", "header name", "header count", "header null", "no Unicode"],
)
def test_what_does_not_fit_the_format_is_not_encoded(record):
    """A name, a count or a header that the format cannot say is an error of the writer."""
    with pytest.raises(ValueError, match="does not fit"):
        encode_record(*record)


@given(index=st.integers(0, 2**32 - 1), hashes=st.integers(0, 32), statement=st.binary(max_size=400))
def test_a_seal_comes_back(index, hashes, statement):
    """Reading a seal gives what was written."""
    path = bytes(range(32)) * hashes
    assert parse_seal(encode_seal(index, path, statement)) == (index, path, statement)


@given(st.binary(max_size=600))
def test_random_bytes_are_no_seal_or_read_as_they_are_written(raw):
    """What is read as a seal is written back to the same bytes."""
    try:
        parts = parse_seal(raw)
    except SealMalformed:
        return
    assert encode_seal(*parts) == raw


@given(cut=st.integers(0, 10_000))
def test_a_cut_seal_is_refused(cut):
    """Every beginning of a seal that is not all of it is malformed."""
    raw = encode_seal(5, bytes(96), b"statement")
    with pytest.raises(SealMalformed):
        parse_seal(raw[: cut % len(raw)])


@pytest.mark.parametrize("size", [*range(1, 34), 1999, 2000])
def test_each_seal_proves_its_record(size):
    """One statement for the flush; each path leads from its record's leaf to the statement's root."""
    unsealed = [Draft(sequence=number).unsealed(CUSTOMS) for number in range(size)]
    seals = Sealer(TARIFF, CUSTOMS_KEY).seal(unsealed, epoch=1, flush=2, time=NOW)
    texts = {parse_seal(each)[2] for each in seals}
    assert len(texts) == 1
    statement = parse_statement(texts.pop())
    assert statement.size == size
    for number, (record, sealed) in enumerate(zip(unsealed, seals, strict=True)):
        index, path, _ = parse_seal(sealed)
        siblings = [path[at : at + 32] for at in range(0, len(path), 32)]
        leaf = record_leaf(record.topic, record.key, record.headers, record.value)
        assert index == number
        verify_inclusion(leaf, index, size, siblings, statement.root)


def test_sealing_is_deterministic():
    """The same records, epoch, flush, time and key give the same seals."""
    drafts = [Draft(sequence=number) for number in range(5)]
    assert [seal_of(each) for each in seal(drafts)] == [seal_of(each) for each in seal(drafts)]


@pytest.mark.parametrize("size", [0, MAX_FLUSH + 1])
def test_a_flush_has_1_to_2000_records(size):
    """No records, or more than a statement may cover, are an error of the caller."""
    with pytest.raises(ValueError, match="1 to 2000"):
        Sealer(TARIFF, CUSTOMS_KEY).seal([Draft().unsealed(CUSTOMS)] * size, epoch=1, flush=1, time=NOW)


@pytest.mark.parametrize(
    ("key", "value", "extra"),
    [
        (None, bytes(MAX_RECORD + 1), []),
        (bytes(MAX_RECORD + 1), None, []),
        (None, None, [("x", bytes(MAX_RECORD))]),
    ],
    ids=["value", "key", "headers"],
)
def test_a_record_that_no_one_could_open_is_not_sealed(key, value, extra):
    """What every opener would refuse for its size is refused before it is written."""
    with pytest.raises(RecordTooLarge):
        Sealer(TARIFF, CUSTOMS_KEY).seal([Unsealed(TOPIC, 0, key, value, extra)], epoch=1, flush=1, time=NOW)


def test_the_largest_record_is_sealed_and_its_seal_holds():
    """A record of exactly the largest size goes through both sides."""
    empty = Draft(topic="_exchange.positions", value=b"")
    room = MAX_RECORD - 1 - len(encode_record(*_covered(empty)))
    record = seal([replace(empty, value=bytes(room))])[0]
    assert opener().open_internal(record).value == bytes(room)


def test_the_partition_is_the_brokers_and_not_sealed():
    """Where a record ends up may be chosen after sealing."""
    record = seal([Draft()])[0]
    assert opener().open(replace(record, partition=7, offset=99)).partition == 7


def test_leaf_data_is_hashed_with_sha_256():
    """The leaf of a record is plain SHA-256, as anyone can compute it."""
    expected = hashlib.sha256(b"\x00" + plain_encoding("t", b"k", [("n", b"v")], None)).digest()
    assert record_leaf("t", b"k", [("n", b"v")], None) == expected


def _covered(draft: Draft) -> tuple[str, bytes | None, list[tuple[str, bytes]], bytes | None]:
    unsealed = draft.unsealed(CUSTOMS)
    return unsealed.topic, unsealed.key, unsealed.headers, unsealed.value
