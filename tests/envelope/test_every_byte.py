"""One sealed record, damaged at every byte and beyond every size that it may have: refused each time, never a crash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from exchange.envelope import MAX_RECORD, SEAL_HEADER, KafkaRecord, Opener, encode_seal, parse_seal
from exchange.errors import RecordRefused

from .world import TOPIC, Draft, directory, opener, seal, seal_of, seal_one, with_seal

FLUSH = seal([Draft(sequence=number) for number in range(9)])
GOOD = FLUSH[4]
DIRECTORY = directory()
INDEX, PATH, STATEMENT = parse_seal(seal_of(GOOD))


def cold() -> Opener:
    """An opener that has opened nothing yet."""
    return opener(directory=DIRECTORY)


def warm() -> Opener:
    """An opener that has opened all of the flush: the short way of records that are alike is taken."""
    reader = cold()
    for record in FLUSH:
        reader.open(record)
    return reader


def refusal_of(reader: Opener, record: KafkaRecord) -> RecordRefused | None:
    """What refuses the record; None where nothing does. Any other exception fails the test."""
    try:
        reader.open(record)
    except RecordRefused as error:
        return error
    return None


def step_of(reader: Opener, record: KafkaRecord) -> int:
    """The step that refuses the record; 0 where none does. What is said about it fits a line, whatever was in it."""
    refusal = refusal_of(reader, record)
    assert refusal is None or len(refusal.message) < 1_000
    return refusal.step if refusal else 0


def others(data: bytes) -> Iterator[bytes]:
    """The same bytes with one of them another, at every position: its lowest bit, its highest, all of its bits."""
    for at, byte in enumerate(data):
        for mask in (0x01, 0x80, 0xFF):
            yield data[:at] + bytes([byte ^ mask]) + data[at + 1 :]


def changed_at_every_byte() -> Iterator[KafkaRecord]:
    """The good record with a byte of its topic, key, value, a header's name or a header's value changed."""
    for topic in others(TOPIC.encode()):
        yield replace(GOOD, topic=topic.decode("latin-1"))
    for key in others(GOOD.key or b""):
        yield replace(GOOD, key=key)
    for value in others(GOOD.value or b""):
        yield replace(GOOD, value=value)
    for number, (name, content) in enumerate(GOOD.headers):
        for other in others(name.encode()):
            yield with_header(number, other.decode("latin-1"), content)
        for other in others(content):
            yield with_header(number, name, other)


def with_header(number: int, name: str, value: bytes) -> KafkaRecord:
    """The good record with another header at one place."""
    return replace(GOOD, headers=(*GOOD.headers[:number], (name, value), *GOOD.headers[number + 1 :]))


def test_a_changed_byte_at_any_place_is_refused():
    """Each byte of the record, changed in three ways: refused by an opener that knows the flush and by a new one."""
    reader, count = warm(), 0
    for record in changed_at_every_byte():
        step = step_of(cold(), record)
        assert step in range(1, 8)
        assert step_of(reader, record) == step
        count += 1
    parts = [
        TOPIC.encode(),
        GOOD.key or b"",
        GOOD.value or b"",
        *(name.encode() + value for name, value in GOOD.headers),
    ]
    assert count == 3 * sum(map(len, parts))
    assert [reader.open(record).sequence for record in FLUSH] == list(range(9))


def test_a_missing_or_added_byte_at_any_place_is_refused():
    """Each byte of key, value and headers left out, and a zero put before it."""
    reader = warm()
    for field in ("key", "value"):
        data = getattr(GOOD, field)
        for at in range(len(data)):
            for other in (data[:at] + data[at + 1 :], data[:at] + b"\x00" + data[at:]):
                assert step_of(reader, replace(GOOD, **{field: other})) == step_of(
                    cold(), replace(GOOD, **{field: other})
                )
                assert step_of(reader, replace(GOOD, **{field: other})) in range(1, 8)
    for number, (name, data) in enumerate(GOOD.headers):
        for at in range(len(data)):
            for other in (data[:at] + data[at + 1 :], data[:at] + b"\x00" + data[at:]):
                record = with_header(number, name, other)
                assert step_of(reader, record) == step_of(cold(), record) in range(1, 8)


def test_bytes_moved_between_neighbours_are_refused():
    """The same bytes, cut elsewhere: between topic, key, headers' names and values, and the value."""
    topic, key, value = GOOD.topic, GOOD.key or b"", GOOD.value or b""
    (first, content), *rest = GOOD.headers
    moved = [
        replace(GOOD, topic=topic[:-1], key=topic[-1:].encode() + key),
        replace(GOOD, topic=topic + key[:1].decode(), key=key[1:]),
        replace(GOOD, key=None, value=key + value),
        replace(GOOD, headers=((first[:-1], first[-1:].encode() + content), *rest)),
        replace(GOOD, headers=((first + content[:1].decode(), content[1:]), *rest)),
        replace(GOOD, headers=((first, content + rest[0][0].encode() + rest[0][1]), *rest[1:])),
        replace(
            GOOD, headers=(*GOOD.headers[:-2], (*GOOD.headers[-2][:1], GOOD.headers[-2][1] + value), GOOD.headers[-1])
        ),
        replace(GOOD, key=value, value=key),
    ]
    for record in moved:
        assert step_of(warm(), record) == step_of(cold(), record) in range(1, 8)


def test_a_seal_of_any_length_is_refused():
    """Cut after each byte, and with one to 300 zeros behind it."""
    reader, sealed = warm(), seal_of(GOOD)
    for size in range(len(sealed)):
        assert step_of(reader, with_seal(GOOD, sealed[:size])) == step_of(cold(), with_seal(GOOD, sealed[:size])) == 1
    for size in range(1, 300):
        assert step_of(reader, with_seal(GOOD, sealed + bytes(size))) == 1


@pytest.mark.parametrize("filler", [bytes(32), PATH[:32], b"\xff" * 32], ids=["zeros", "its own", "ones"])
def test_a_path_of_any_length_is_refused(filler):
    """Paths of 0 to 255 hashes, but for the one that is right."""
    for count in range(256):
        path = PATH[: 32 * count] + filler * (count - len(PATH) // 32)
        record = with_seal(GOOD, encode_seal(INDEX, path, STATEMENT))
        assert step_of(warm(), record) == step_of(cold(), record) == (0 if path == PATH else 7)


def test_an_index_of_any_size_is_refused():
    """Every index of the flush but its own, the flush's size, and the ends of four bytes."""
    for index in [*range(20), 2**16, 2**31 - 1, 2**31, 2**32 - 1]:
        record = with_seal(GOOD, encode_seal(index, PATH, STATEMENT))
        assert step_of(warm(), record) == step_of(cold(), record) == (0 if index == INDEX else 7)


LARGE = {
    "newlines": b"\n" * 65_535,
    "digits": b"x\n" + b"9" * 65_533,
    "an origin": STATEMENT.replace(b"UZ/", b"U" * 65_000 + b"/", 1),
    "an origin and its name": STATEMENT.replace(b"UZ/", b"U" * 30_000 + b"/"),
    "a root": STATEMENT.replace(b"=\nepoch", b"A" * 65_000 + b"=\nepoch"),
    "an epoch": STATEMENT.replace(b"epoch ", b"epoch " + b"1" * 65_000),
    "a time": STATEMENT.replace(b"time ", b"time " + b"2" * 65_000),
    "a line more": STATEMENT.replace(b"epoch ", b"x" * 65_000 + b"\nepoch "),
    "lines more": STATEMENT.replace(b"epoch ", b"x\n" * 32_000 + b"epoch "),
    "signatures": STATEMENT + STATEMENT.rpartition(b"\n\n")[2] * 400,
    "dashes": STATEMENT + "— ".encode() * 16_000,
    "zeros": STATEMENT.ljust(65_535, b"\x00"),
    "no UTF-8": STATEMENT.ljust(65_535, b"\xff"),
}


@pytest.mark.parametrize("statement", LARGE.values(), ids=LARGE.keys())
def test_a_statement_of_64_kib_is_refused(statement):
    """As much as a seal holds of anything is refused at step 2."""
    record = with_seal(GOOD, encode_seal(INDEX, PATH, statement[:65_535]))
    assert step_of(warm(), record) == step_of(cold(), record) == 2


@pytest.mark.parametrize("count", [10_000, 65_535, 65_536, 100_000])
def test_ten_thousand_headers_are_refused(count):
    """However many headers there are before a good seal, and seals among them."""
    many = tuple((f"h{number}", b"x") for number in range(count))
    for headers in (
        (*many, GOOD.headers[-1]),
        (*GOOD.headers[:-1], *many, GOOD.headers[-1]),
        (*GOOD.headers, *many),
        ((SEAL_HEADER, b""),) * count,
        (("ce_source", b"/UZ/GOV/customs/tariff"),) * count + GOOD.headers[-1:],
    ):
        record = replace(GOOD, headers=headers)
        assert step_of(warm(), record) == step_of(cold(), record) in (1, 3, 7)


def test_parts_that_no_record_has_are_refused():
    """Names beyond two bytes of length, and more than 16 MiB altogether, in any part."""
    for record in (
        replace(GOOD, topic="t" * 65_536),
        with_header(0, "n" * 65_536, b""),
        with_header(0, "content-type", bytes(MAX_RECORD)),
        replace(GOOD, key=bytes(MAX_RECORD)),
        replace(GOOD, value=bytes(MAX_RECORD)),
        with_header(0, "\ud800", b""),
        replace(GOOD, topic="\ud800"),
        with_seal(GOOD, bytes(MAX_RECORD)),
    ):
        assert step_of(warm(), record) == step_of(cold(), record) == 1


def test_ten_thousand_headers_under_a_good_seal_are_no_event():
    """An agency that seals them is refused at step 8, as for anything else that is no event."""
    headers = tuple(Draft().unsealed(DIRECTORY_AGENCY).headers) + tuple((f"h{number}", b"") for number in range(10_000))
    assert step_of(cold(), seal_one(Draft(headers=headers))) == 8


DIRECTORY_AGENCY = next(iter(DIRECTORY.agencies))
