"""Reading letters back: what a letter says, the record it keeps, and the marks on it (spec 2).

Only what verified as the agency's own comes here: `Opener.open_internal` first.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchange.bus.letters.letter import ORIGINAL, PREFIX
from exchange.envelope import KafkaRecord, Record
from exchange.errors import RecordRefused

MALFORMED = "letter_malformed"
"""The code of a letter that verified and does not say what a letter must."""

_MAX_OFFSET = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says. `number` is its own offset, `written` the broker's time of it (ms).

    `record` is the kept record at its own place, None where it was not kept whole. `topic`, `partition`, `offset` and
    `group` are None for what never became an event (a row): it can be looked at, and not be delivered again.
    """

    number: int
    written: int
    code: str
    step: int
    message: str
    topic: str | None
    partition: int | None
    offset: int | None
    group: str | None
    attempts: int
    handler: str | None
    due: int
    origin: str | None
    cut: str | None
    details: dict[str, str]
    record: KafkaRecord | None


@dataclass(frozen=True, slots=True)
class Mark:
    """That letter `number` was `retried` or `dropped`: why, by which key (its fingerprint), when (broker's ms)."""

    number: int
    state: str
    message: str
    by: str
    written: int


_KNOWN = {
    "code",
    "step",
    "message",
    "topic",
    "partition",
    "offset",
    "timestamp",
    "group",
    "attempts",
    "handler",
    "due",
    "origin",
    "cut",
}


def parse_letter(record: Record) -> Letter:
    """What a letter says; raises RecordRefused `letter_malformed` naming the header that is not as it must be."""
    says = _says(record)
    return Letter(
        number=record.offset,
        written=record.timestamp,
        code=_required(says, "code"),
        step=_number(says, "step"),
        message=_required(says, "message"),
        topic=says.get("topic"),
        partition=_optional_number(says, "partition"),
        offset=_optional_number(says, "offset"),
        group=says.get("group"),
        attempts=_number(says, "attempts"),
        handler=says.get("handler"),
        due=_optional_number(says, "due") or 0,
        origin=says.get("origin"),
        cut=says.get("cut"),
        details={name: text for name, text in says.items() if name not in _KNOWN},
        record=_kept(record, says),
    )


def parse_mark(record: Record) -> Mark | None:
    """The mark that a record of a dead-letter topic is, None for a letter; raises RecordRefused `letter_malformed`."""
    says = _says(record)
    if "mark" not in says:
        return None
    return Mark(
        _number(says, "number"), says["mark"], _required(says, "message"), _required(says, "by"), record.timestamp
    )


def group_of(record: Record) -> str | None:
    """For which group a letter is, unverified: so that other groups' letters cost nothing."""
    wanted = PREFIX + "group"
    for name, value in record.headers:
        if name == wanted:
            return (value or b"").decode(errors="replace")
    return None


def _says(record: Record) -> dict[str, str]:
    says: dict[str, str] = {}
    for name, value in record.headers:
        if name.startswith(PREFIX) and not name.startswith(ORIGINAL):
            says[name.removeprefix(PREFIX)] = (value or b"").decode(errors="replace")
    return says


def _kept(record: Record, says: dict[str, str]) -> KafkaRecord | None:
    if "cut" in says or not {"topic", "partition", "offset", "timestamp"} <= says.keys():
        return None
    headers = tuple((name.removeprefix(ORIGINAL), value) for name, value in record.headers if _is_original(name))
    return KafkaRecord(
        says["topic"],
        _number(says, "partition"),
        _number(says, "offset"),
        _number(says, "timestamp"),
        record.key,
        record.value,
        headers,
    )


def _is_original(name: str) -> bool:
    return name.startswith(ORIGINAL)


def _required(says: dict[str, str], name: str) -> str:
    if name not in says:
        raise _malformed(name, "missing")
    return says[name]


def _number(says: dict[str, str], name: str) -> int:
    text = _required(says, name)
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _MAX_OFFSET):
        raise _malformed(name, f"{text[:40]!r}, expected a whole number")
    return int(text)


def _optional_number(says: dict[str, str], name: str) -> int | None:
    return _number(says, name) if name in says else None


def _malformed(name: str, found: str) -> RecordRefused:
    return RecordRefused(f"the letter's header {PREFIX}{name} is {found}", code=MALFORMED)
