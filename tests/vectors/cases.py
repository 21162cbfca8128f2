"""How records and verdicts are written in the vector files."""

from __future__ import annotations

from typing import Any

from exchange.clock import format_micros
from exchange.envelope import Event, KafkaRecord
from exchange.errors import RecordRefused
from tests.envelope.world import opener

Verdict = tuple[int, str]
"""The step that refuses, and its code."""

OPENS: Verdict = (0, "")
"""What opens has neither."""


def hexadecimal(raw: bytes | None) -> str | None:
    """Bytes as text; null stays null."""
    return None if raw is None else raw.hex()


def wire(record: KafkaRecord) -> dict[str, Any]:
    """A record as a consumer reads it."""
    return {
        "topic": record.topic,
        "timestamp": record.timestamp,
        "key": hexadecimal(record.key),
        "headers": [[name, hexadecimal(value)] for name, value in record.headers],
        "value": hexadecimal(record.value),
    }


def described(event: Event) -> dict[str, Any]:
    """What an event says."""
    fields = ("key", "id", "type", "subject", "data", "publisher", "epoch", "sequence", "traceparent")
    return {each: getattr(event, each) for each in fields} | {
        "agency": str(event.agency),
        "time": format_micros(event.time),
    }


def verdict(record: KafkaRecord) -> Verdict:
    """What opening makes of a record."""
    try:
        opener().open(record)
    except RecordRefused as error:
        return error.step, error.code
    return OPENS


def valid_case(name: str, record: KafkaRecord) -> dict[str, Any]:
    """A record and the event it opens to."""
    return {"name": name, "record": wire(record), "event": described(opener().open(record))}


def damaged_case(name: str, record: KafkaRecord) -> dict[str, Any]:
    """A record and the refusal it meets."""
    step, code = verdict(record)
    assert step, f"{name}: it opened"
    return {"name": name, "record": wire(record), "step": step, "code": code}
