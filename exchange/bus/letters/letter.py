"""Dead letters: what was refused, kept whole on the agency's own topic, sealed by the agency that refused it.

    key, value                           of the refused record, as they were
    exchange-dlq-code, -step, -message   why: the error's code, the step of spec 3 (0: none), one sentence
    exchange-dlq-topic, -partition, -offset, -timestamp, -group, -attempts     where it was, and for whom
    exchange-dlq-h-<name>                each header of the refused record, its seal among them, in order

A record too large, or with too many headers, to be kept whole is kept by its size and SHA-256 (`exchange-dlq-cut`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange.envelope import Record, Unsealed, document_headers
from exchange.errors import ExchangeError, RecordRefused
from exchange.ids import PublisherId, uuid7

PREFIX = "exchange-dlq-"
"""What the headers of a dead letter start with."""

ORIGINAL = PREFIX + "h-"
"""What the refused record's own headers start with."""

_MAX_BYTES = 7 * 1024 * 1024
_MAX_HEADERS = 1_000
_MAX_NAME = 60_000
_HEADER_BYTES = 24


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that did not verify, and the error of the first step that did not hold."""

    record: Record
    error: RecordRefused


def refused_letter(publisher: PublisherId, refusal: Refusal, group: str, now: datetime) -> Unsealed:
    """The dead letter of a record that a group refused, the seal still to come."""
    record = refusal.record
    reasons = {
        **_why(refusal.error, refusal.error.step),
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
        "group": group,
        "attempts": "1",
    }
    if _is_whole(record.key, record.value, record.headers):
        kept = [(ORIGINAL + name, value or b"") for name, value in record.headers]
        return _letter(publisher, record.key, record.value, _headers(reasons) + kept, now)
    return _letter(publisher, None, None, _headers({**reasons, "cut": _digest(record)}), now)


def rejected_letter(
    publisher: PublisherId, code: str, message: str, key: str | None, details: Mapping[str, str], now: datetime
) -> Unsealed:
    """The dead letter of something that could not become an event: only its key and where it came from."""
    reasons = {"code": code, "step": "0", "message": message, **details, "attempts": "1"}
    return _letter(publisher, None if key is None else key.encode(), b"", _headers(reasons), now)


def _letter(
    publisher: PublisherId,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes]],
    now: datetime,
) -> Unsealed:
    topic = publisher.agency.dead_letter_topic
    ours = document_headers(
        publisher.agency, topic, event_id=uuid7(), time=now, content_type="application/octet-stream"
    )
    return Unsealed(topic, 0, key, value, ours + headers)


def _why(error: ExchangeError, step: int) -> dict[str, str]:
    return {"code": error.code, "step": str(step), "message": error.message[:1000]}


def _headers(reasons: Mapping[str, str]) -> list[tuple[str, bytes]]:
    return [(PREFIX + name, text.encode(errors="backslashreplace")) for name, text in reasons.items()]


def _is_whole(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> bool:
    if len(headers) > _MAX_HEADERS or any(len(name.encode()) > _MAX_NAME for name, _ in headers):
        return False
    size = sum(len(name.encode()) + len(data or b"") + _HEADER_BYTES for name, data in headers)
    return size + len(key or b"") + len(value or b"") <= _MAX_BYTES


def _digest(record: Record) -> str:
    value = record.value or b""
    return f"{len(value)} bytes, {len(record.headers)} headers, value SHA-256 {hashlib.sha256(value).hexdigest()}"
