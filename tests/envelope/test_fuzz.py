"""No bytes make opening end in anything but an event or a refusal (spec 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from exchange.envelope import SEAL_HEADER, KafkaRecord, encode_seal
from exchange.errors import RecordRefused

from .world import NOW, TOPIC, Draft, opener, seal, seal_of, with_seal

READER = opener()
RECORDS = seal([Draft(sequence=number) for number in range(9)])
NAMES = [name for name, _ in RECORDS[0].headers]

names = st.sampled_from([*NAMES, "ce_subject", "traceparent", "exchange-dlq-reason"]) | st.text(max_size=20)
values = st.none() | st.binary(max_size=80) | st.sampled_from([value for _, value in RECORDS[0].headers])
seals = (
    st.binary(max_size=200)
    | st.just(seal_of(RECORDS[0]))
    | st.builds(encode_seal, st.integers(0, 2**32 - 1), st.just(bytes(64)), st.binary(max_size=300))
)


@st.composite
def records(draw: st.DrawFn) -> KafkaRecord:
    """Any record a broker could hand out, sealed by no one or with someone's seal."""
    headers = draw(st.lists(st.tuples(names, values), max_size=12))
    if draw(st.booleans()):
        headers = [*headers, (SEAL_HEADER, draw(seals))]
    return KafkaRecord(
        draw(st.sampled_from([TOPIC, "_exchange.positions"]) | st.text(max_size=10)),
        draw(st.integers(0, 2**31 - 1)),
        draw(st.integers(0, 2**63 - 1)),
        draw(st.integers(-1, 2**63 - 1)),
        draw(st.none() | st.binary(max_size=50)),
        draw(st.none() | st.binary(max_size=200)),
        tuple(headers),
    )


def refusing_step(read: Callable[[KafkaRecord], object], record: KafkaRecord) -> int:
    """The step that refuses the record, 0 where none does; any other exception fails the test."""
    try:
        read(record)
    except RecordRefused as error:
        return error.step
    return 0


def is_refused(record: KafkaRecord) -> bool:
    """Whether both ways of opening refuse the record, each at one of their steps."""
    as_event, as_internal = refusing_step(READER.open, record), refusing_step(READER.open_internal, record)
    return as_event in range(1, 9) and as_internal in range(1, 8)


@given(records())
@example(KafkaRecord("", 0, 0, -1, None, None, ()))
def test_a_random_record_is_refused(record):
    """Bytes that nobody sealed never open, and never end in another error."""
    assert is_refused(record)


@given(index=st.integers(0, 8), position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_seal_with_a_changed_byte_is_refused(index, position, byte):
    """One byte of a seal changed, wherever: the record is refused, before and after its neighbours were opened."""
    record = RECORDS[index]
    raw = seal_of(record)
    at = position % len(raw)
    changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
    if changed != raw:
        assert is_refused(with_seal(record, changed))
    assert READER.open(record).sequence == index


@given(index=st.integers(0, 8), cut=st.integers(0, 10_000), tail=st.binary(max_size=40))
def test_a_seal_cut_or_trailed_is_refused(index, cut, tail):
    """A seal cut off anywhere, and one with anything behind it, is refused."""
    raw = seal_of(RECORDS[index])
    damaged = raw[: cut % len(raw)] + tail
    if damaged != raw:
        assert is_refused(with_seal(RECORDS[index], damaged))


@given(index=st.integers(0, 8), header=st.integers(0, 7), value=values)
def test_a_changed_header_is_refused(index, header, value):
    """Any other value of any header is refused."""
    record = RECORDS[index]
    headers = [(name, value if at == header else old) for at, (name, old) in enumerate(record.headers)]
    if tuple(headers) != tuple(record.headers):
        assert is_refused(replace(record, headers=tuple(headers)))


@given(st.permutations(range(9)))
def test_another_order_of_headers_is_refused(order):
    """The order of the headers is part of what is signed."""
    record = RECORDS[3]
    headers = tuple(record.headers[at] for at in order)
    if headers != tuple(record.headers):
        assert is_refused(replace(record, headers=headers))


@given(payload=st.binary(max_size=200))
def test_a_sealed_value_of_any_bytes_opens_or_is_refused(payload):
    """An agency that seals nonsense is refused as for any other reason, without another error."""
    assert refusing_step(opener().open, seal([Draft(value=payload)])[0]) in (0, 8)


@given(
    content=st.lists(st.tuples(names, st.binary(max_size=80)), max_size=12),
    key=st.none() | st.binary(max_size=20),
    topic=st.sampled_from([TOPIC, "_exchange.audit.customs", "gov.customs.tariff.dead-letters"]),
)
def test_sealed_headers_of_any_kind_open_or_are_refused(content, key, topic):
    """Headers that no event has are refused, under the best of seals."""
    record = seal([Draft(topic=topic, key=key, headers=tuple(content))])[0]
    assert refusing_step(READER.open_internal, record) in (0, 1, 3)
    assert refusing_step(READER.open, record) in (0, 1, 3, 8)


@given(order=st.lists(st.integers(0, 8), max_size=40), damaged=st.sets(st.integers(0, 39), max_size=20))
def test_what_was_opened_before_never_changes_the_verdict(order, damaged):
    """Good and damaged records in any order: each verdict is the one it would have alone."""
    reader = opener()
    for at, index in enumerate(order):
        record = RECORDS[index]
        if at in damaged:
            raw = seal_of(record)
            record = with_seal(record, raw[:6] + bytes([raw[6] ^ 1]) + raw[7:])
        assert (refusing_step(reader.open, record) != 0) == (at in damaged)


def test_the_time_of_these_tests_is_the_directorys():
    """The records above open at all, so that every refusal is for the damage."""
    assert [READER.open(record).sequence for record in RECORDS] == list(range(9))
    assert RECORDS[0].timestamp == int(NOW.timestamp() * 1000)
