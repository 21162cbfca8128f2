"""A letter: a record kept whole on one of the agency's own topics, sealed by the agency that keeps it (spec 2).

    key, value                           of the record, as they were
    exchange-dlq-code, -step, -message   why: the error's code, the step of spec 3 (0: none), one sentence
    exchange-dlq-topic, -partition, -offset, -timestamp     where the record was, and the broker's time there (ms)
    exchange-dlq-group, -attempts        for whom, and how often that group failed on it
    exchange-dlq-handler                 optional: which handler failed
    exchange-dlq-due                     optional: not to be delivered before (ms since 1970)
    exchange-dlq-origin                  optional: the letter, or the replay, that this one comes from
    exchange-dlq-h-<name>                each header of the record, its seal among them, in order

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
"""What the headers of a letter start with."""

ORIGINAL = PREFIX + "h-"
"""What the kept record's own headers start with."""

HANDLER_FAILED = "handler_failed"
"""The code of a handler's error that is none of the exchange's."""

BYTES_PER_COMMIT = 8 * 1024 * 1024
"""How many bytes of letters go into one transaction, some of them at least: letters may be large, and many."""

_MAX_BYTES = 7 * 1024 * 1024
_MAX_HEADERS = 1_000
_MAX_NAME = 60_000
_MAX_MESSAGE = 1_000
_HEADER_BYTES = 24


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that did not verify, and the error of the first step that did not hold.

    `letter` is what brought the record back, where it was a redelivery; `attempts` were made, this one included.
    """

    record: Record
    error: RecordRefused
    letter: Record | None = None
    attempts: int = 1

    @property
    def offset(self) -> int:
        """Where it stood in the partition that was read: the letter's offset of a redelivery."""
        return (self.letter or self.record).offset


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record is kept: a code that programs branch on, the step of spec 3 (0: none), one sentence."""

    code: str
    step: int
    message: str


@dataclass(frozen=True, slots=True)
class Case:
    """What a letter says beside the record: why, for which group, after how many attempts.

    `due`: not to be delivered before (ms since 1970). `origin`: the letter or the replay that it comes from.
    """

    reason: Reason
    group: str
    attempts: int
    handler: str | None = None
    due: int | None = None
    origin: str | None = None


def reason_of(error: BaseException) -> Reason:
    """An error as a letter has it, without anything personal.

    Messages of our own errors never hold what a record said; those of other exceptions may, so of them only the
    class is kept.
    """
    kind = type(error)
    if isinstance(error, ExchangeError):
        step = error.step if isinstance(error, RecordRefused) else 0
        return Reason(error.code, step, error.message[:_MAX_MESSAGE])
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return Reason(HANDLER_FAILED, 0, f"the handler raised {name}"[:_MAX_MESSAGE])


def refused_letter(publisher: PublisherId, refusal: Refusal, group: str, now: datetime) -> Unsealed:
    """The dead letter of a record that a group refused, the seal still to come."""
    letter = refusal.letter
    origin = None if letter is None else letter_place(letter.topic, letter.partition, letter.offset)
    case = Case(reason_of(refusal.error), group, refusal.attempts, origin=origin)
    return letter_of(publisher, publisher.agency.dead_letter_topic, refusal.record, case, now)


def letter_of(publisher: PublisherId, topic: str, record: Record, case: Case, now: datetime) -> Unsealed:
    """A letter on one of the agency's own topics, the seal still to come; too large a record is kept by its digest."""
    says = _says((record.topic, record.partition, record.offset), str(record.timestamp), case)
    if not is_whole(record.key, record.value, record.headers):
        return _letter(publisher, topic, None, None, _headers({**says, "cut": _digest(record)}), now)
    kept = [(ORIGINAL + name, value or b"") for name, value in record.headers]
    return _letter(publisher, topic, record.key, record.value, _headers(says) + kept, now)


def lost_letter(
    publisher: PublisherId, topic: str, place: tuple[str, int, int], key: bytes | None, case: Case, now: datetime
) -> Unsealed:
    """The dead letter of a record that its topic no longer has (compacted, expired): its place and its key."""
    says = {**_says(place, None, case), "cut": "its topic no longer has the record"}
    return _letter(publisher, topic, key, None, _headers(says), now)


def rejected_letter(
    publisher: PublisherId, code: str, message: str, key: str | None, details: Mapping[str, str], now: datetime
) -> Unsealed:
    """The dead letter of something that could not become an event: only its key and where it came from."""
    reasons = {"code": code, "step": "0", "message": message[:_MAX_MESSAGE], **details, "attempts": "1"}
    topic = publisher.agency.dead_letter_topic
    return _letter(publisher, topic, None if key is None else key.encode(), b"", _headers(reasons), now)


def mark_of(publisher: PublisherId, number: int, state: str, message: str, fingerprint: str, now: datetime) -> Unsealed:
    """The mark that letter `number` was `retried` or `dropped`, why, and by which key; the seal still to come."""
    says = {"mark": state, "number": str(number), "message": message[:_MAX_MESSAGE], "by": fingerprint}
    return _letter(publisher, publisher.agency.dead_letter_topic, None, None, _headers(says), now)


def letter_place(topic: str, partition: int, offset: int) -> str:
    """A letter's own place, as the letter that follows it names it: `<topic>/<partition>/<offset>`."""
    return f"{topic}/{partition}/{offset}"


def letter_bytes(letter: Unsealed) -> int:
    """About how large a letter is, its seal left out."""
    return len(letter.value or b"") + len(letter.key or b"") + sum(len(value) for _, value in letter.headers)


def is_whole(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> bool:
    """Whether a record is small enough to be kept whole."""
    if len(headers) > _MAX_HEADERS or any(len(name.encode()) > _MAX_NAME for name, _ in headers):
        return False
    size = sum(len(name.encode()) + len(data or b"") + _HEADER_BYTES for name, data in headers)
    return size + len(key or b"") + len(value or b"") <= _MAX_BYTES


def _says(place: tuple[str, int, int], timestamp: str | None, case: Case) -> dict[str, str]:
    says = {
        "code": case.reason.code,
        "step": str(case.reason.step),
        "message": case.reason.message,
        "topic": place[0],
        "partition": str(place[1]),
        "offset": str(place[2]),
        "timestamp": timestamp,
        "group": case.group,
        "attempts": str(case.attempts),
        "handler": case.handler,
        "due": None if case.due is None else str(case.due),
        "origin": case.origin,
    }
    return {name: text for name, text in says.items() if text is not None}


def _letter(
    publisher: PublisherId,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes]],
    now: datetime,
) -> Unsealed:
    ours = document_headers(
        publisher.agency, topic, event_id=uuid7(), time=now, content_type="application/octet-stream"
    )
    return Unsealed(topic, 0, key, value, ours + headers)


def _headers(says: Mapping[str, str]) -> list[tuple[str, bytes]]:
    return [(PREFIX + name, text.encode(errors="backslashreplace")) for name, text in says.items()]


def _digest(record: Record) -> str:
    value = record.value or b""
    return f"{len(value)} bytes, {len(record.headers)} headers, value SHA-256 {hashlib.sha256(value).hexdigest()}"
