"""Records whose headers, times or keys are just beyond what opens, and those that are just within."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from exchange.avro import frame
from exchange.envelope import KafkaRecord
from tests.envelope.world import (
    CUSTOMS,
    INTERIOR_TOPIC,
    NOW,
    OTHER_SCHEMA,
    OTHER_TOPIC,
    RETIRED_KEY,
    SCHEMA,
    Draft,
    seal_one,
)

_MILLI = timedelta(milliseconds=1)
_BORDER = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the retired key ends and its successor begins, both included."""

_HEADERS = tuple(Draft().unsealed(CUSTOMS).headers)


def within() -> dict[str, KafkaRecord]:
    """What opens, barely."""
    minutes = timedelta(minutes=10)
    return {
        "ten minutes before the broker": seal_one(timestamp=NOW + minutes),
        "ten minutes after the broker": seal_one(timestamp=NOW - minutes),
        "at the first moment of its key": seal_one(time=_BORDER),
        "at the last moment of its key": seal_one(key=RETIRED_KEY, time=_BORDER),
        "to another topic of the publisher": seal_one(Draft(topic=OTHER_TOPIC)),
        "an empty key": seal_one(Draft(key=b"")),
        "a key beyond ASCII": seal_one(Draft(key="калит".encode())),
        "the highest sequence": seal_one(Draft(sequence=10**20 - 1).with_header("ce_sequence", b"9" * 20)),
        "a value of long text": seal_one(Draft(value=frame(7, SCHEMA.encode(_with_title("т" * 500))))),
    }


def beyond() -> dict[str, KafkaRecord]:
    """What is refused, barely or plainly."""
    return {**dict(_times()), **dict(_orders()), **dict(_values()), **dict(_payloads()), **dict(_nulls())}


def _with_title(title: str) -> dict[str, object]:
    return {"code": "0101", "title": title, "duty": None}


def _times() -> Iterator[tuple[str, KafkaRecord]]:
    drift = timedelta(minutes=10) + _MILLI
    yield "a millisecond too far before the broker", seal_one(timestamp=NOW + drift)
    yield "a millisecond too far after the broker", seal_one(timestamp=NOW - drift)
    yield "a millisecond before its key", seal_one(time=_BORDER - _MILLI)
    yield "a millisecond after its key", seal_one(key=RETIRED_KEY, time=_BORDER + _MILLI)
    yield "after all keys", seal_one(time=datetime(2029, 1, 1, tzinfo=UTC))


def _orders() -> Iterator[tuple[str, KafkaRecord]]:
    """Other orders, sealed so and changed afterwards; a header missing, twice, or by another name."""
    good = seal_one()
    seal = good.headers[-1:]
    for at, (name, value) in enumerate(_HEADERS):
        swapped = (*_HEADERS[:at], *reversed(_HEADERS[at : at + 2]), *_HEADERS[at + 2 :])
        without = (*_HEADERS[:at], *_HEADERS[at + 1 :])
        twice = (*_HEADERS[: at + 1], *_HEADERS[at:])
        capital = (*_HEADERS[:at], (name.upper(), value), *_HEADERS[at + 1 :])
        for word, headers in (("missing", without), ("twice", twice), ("in capitals", capital)):
            yield f"sealed with {name} {word}", seal_one(Draft(headers=headers))
            yield f"{name} {word}", replace(good, headers=(*headers, *seal))
        if swapped != _HEADERS:
            yield f"sealed with {name} after the next", seal_one(Draft(headers=swapped))
            yield f"{name} after the next", replace(good, headers=(*swapped, *seal))
    yield "headers backwards", replace(good, headers=(*reversed(_HEADERS), *seal))
    yield "seal before the last", replace(good, headers=(*_HEADERS[:-1], *seal, _HEADERS[-1]))
    yield "seal in capitals", replace(good, headers=(*_HEADERS, (seal[0][0].upper(), seal[0][1])))
    yield "another seal before", replace(good, headers=(*_HEADERS, (seal[0][0], b""), *seal))
    yield "no headers at all", replace(good, headers=())


_OTHER_VALUES = {
    "content-type": (b"application/json", b"application/avro ", b""),
    "ce_specversion": (b"1.1", b"1"),
    "ce_id": (
        b"01A202B2-C57B-7000-8000-000000000000",
        b"01a202b2-c57b-4000-8000-000000000000",
        b"01a202b2-c57b-7000-c000-000000000000",
        b"01a202b2c57b70008000000000000000",
        b"",
    ),
    "ce_source": (
        b"UZ/GOV/customs/tariff",
        b"/UZ/GOV/customs",
        b"/UZ/GOV/customs/tariff/",
        b"/uz/gov/customs/tariff",
        b"",
    ),
    "ce_type": (b"gov.customs.tariff.code-listed.v1", b"gov.customs.tariff.code-withdrawn", b""),
    "ce_time": (
        b"2026-11-22T09:59:58.654Z",
        b"2026-11-22T09:59:58.654321+00:00",
        b"2026-11-22T24:00:00.000000Z",
        b"2026-02-30T09:59:58.654321Z",
        b"2026-11-22 09:59:58.654321Z",
        b"",
    ),
    "ce_dataschema": (SCHEMA.uri.encode()[:-1], OTHER_SCHEMA.uri.encode(), SCHEMA.uri.encode() + b"=", b""),
    "ce_sequence": (b"0", b"0" * 21, b"0000000000000000000a", b"-0000000000000000001", b"+0000000000000000001", b""),
    "ce_subject": (b"\xff",),
    "traceparent": (
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        b"",
    ),
}
"""Values of each header that no publisher writes."""


def _values() -> Iterator[tuple[str, KafkaRecord]]:
    for name, others in _OTHER_VALUES.items():
        for value in others:
            shown = value.decode("ascii", "replace")
            yield f"{name} {shown!r}", seal_one(Draft().with_header(name, value))
    yield "a key that is no UTF-8", seal_one(Draft(key=b"\xff"))
    yield "topic of an agency's dead letters", seal_one(Draft(topic="gov.customs.tariff.dead-letters"))
    yield "topic of our own", seal_one(Draft(topic="_exchange.positions"))
    yield "topic of nobody", seal_one(Draft(topic=""))
    yield "topic without a version", seal_one(Draft(topic=INTERIOR_TOPIC.rpartition(".")[0]))


def _payloads() -> Iterator[tuple[str, KafkaRecord]]:
    """Values under the best of seals that are not of the schema."""
    good = Draft().value or b""
    for size in range(len(good)):
        yield f"the value's first {size} bytes", seal_one(Draft(value=good[:size]))
    for magic in (1, 255):
        yield f"magic byte {magic}", seal_one(Draft(value=bytes([magic]) + good[1:]))
    yield "a negative schema id", seal_one(Draft(value=b"\x00\xff\xff\xff\xff" + good[5:]))
    yield "a schema that is no record", seal_one(Draft(value=frame(9, b"\x00")))
    yield "another schema's value", seal_one(Draft(value=frame(8, good[5:])))
    yield "a branch that is not there", seal_one(Draft(value=good[:23] + b"\x04" + good[24:]))
    yield "text that is no UTF-8", seal_one(Draft(value=good[:6] + b"\xff" + good[7:]))
    yield "the value twice", seal_one(Draft(value=good + good[5:]))


def _nulls() -> Iterator[tuple[str, KafkaRecord]]:
    """Kafka lets a header be null; no sealer writes one."""
    good = seal_one()
    for at, (name, _) in enumerate(good.headers):
        headers = (*good.headers[:at], (name, None), *good.headers[at + 1 :])
        yield f"{name} null", replace(good, headers=headers)  # type: ignore[arg-type]
