"""Whose statement a record's seal has, unverified: for counting, where each statement is of many records."""

from __future__ import annotations

from functools import lru_cache

from exchange.envelope import SEAL_HEADER, Record, Statement, parse_seal, parse_statement
from exchange.errors import RecordRefused


def statement_of(record: Record) -> Statement | None:
    """The statement in the record's last header; None where that is no seal of ours."""
    headers = record.headers
    if not headers or headers[-1][0] != SEAL_HEADER:
        return None
    try:
        return _parsed(parse_seal(headers[-1][1])[2])
    except RecordRefused:
        return None


@lru_cache(maxsize=1024)
def _parsed(raw: bytes) -> Statement:
    return parse_statement(raw)
