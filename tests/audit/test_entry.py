"""Audit entries: one encoding, and nothing in them that must not be there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from exchange.audit import AuditEntry, EntryKind
from exchange.audit.entry import MAX_ENTRY_BYTES
from exchange.errors import AuditError, DocumentInvalid
from tests.fakes.moving_clock import NOON

from .world import World

WORLD = World()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(purpose=TEXT, basis=TEXT, service=TEXT, names=st.lists(TEXT, max_size=4), version=st.integers(0, 2**53 - 1))
def test_any_entry_is_rfc_8785_and_reads_back(
    purpose: str, basis: str, service: str, names: list[str], version: int
) -> None:
    """Whatever the texts are, an entry's bytes are its RFC 8785 form, and reading them gives the entry again."""
    entry = WORLD.entry(purpose=purpose, basis=basis, service=service, fields=tuple(names), directory_version=version)
    assert entry.encode() == rfc8785.dumps(entry.content())
    assert AuditEntry.parse(entry.encode()) == entry


def test_a_name_without_a_value_is_left_out() -> None:
    """An entry of little content has only the names it needs."""
    entry = AuditEntry(
        id="01930000-0000-7000-8000-000000000000",
        time=NOON,
        kind=EntryKind.CONSENT_CHANGED,
        gateway=WORLD.gateway,
        directory_version=3,
    )
    assert entry.encode() == (
        b'{"directory_version":3,"gateway":"UZ/GOV/egov/gateway","id":"01930000-0000-7000-8000-000000000000",'
        b'"kind":"consent-changed","time":"2026-11-22T12:00:00.000000Z","version":1}'
    )


def test_every_attribute_is_in_the_bytes() -> None:
    """Nothing that is said about an event is lost on the way to what is signed."""
    content = msgspec.json.decode(WORLD.entry().encode())
    assert set(content) == {field.name for field in fields(AuditEntry)} | {"version"}


def test_times_are_written_in_utc() -> None:
    """The same moment gives the same bytes in every time zone."""
    tashkent = NOON.astimezone(timezone(timedelta(hours=5)))
    assert WORLD.entry(time=tashkent).encode() == WORLD.entry(time=NOON).encode()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"individual": "31234567890123"}, "individual is not a pseudonym"),
        ({"id": "7"}, "id is not a UUID"),
        ({"transaction_id": "x"}, "transaction_id is not a UUID"),
        ({"request_digest": "00"}, "request_digest is not a SHA-256"),
        ({"response_digest": "Z" * 64}, "response_digest is not a SHA-256"),
        ({"consent_digest": "A" * 64}, "consent_digest is not a SHA-256"),
        ({"time": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
        ({"directory_version": -1}, "directory_version"),
    ],
)
def test_a_value_that_is_not_what_its_name_says_makes_no_entry(changes: dict[str, Any], what: str) -> None:
    """A personal number where a pseudonym belongs, or a wrong digest, is refused before anything is written."""
    with pytest.raises(AuditError, match=what) as caught:
        WORLD.entry(**changes)
    assert caught.value.code == "entry_invalid"


def test_the_message_about_an_individual_does_not_repeat_it() -> None:
    """A personal number that was refused is in no error message."""
    with pytest.raises(AuditError) as caught:
        WORLD.entry(individual="31234567890123")
    assert "31234567890123" not in str(caught.value)


def changed(**changes: Any) -> bytes:
    return rfc8785.dumps(WORLD.entry().content() | changes)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        WORLD.entry().encode() + b" ",
        WORLD.entry().encode().replace(b",", b", ", 1),
        changed(version=2),
        changed(kind="something-else"),
        changed(time="2026-11-22"),
        changed(gateway="nobody"),
        changed(individual="31234567890123"),
        changed(fields=[]),
        changed(basis=None),
        changed(surplus=1),
        changed(purpose="x" * MAX_ENTRY_BYTES),
    ],
)
def test_what_encode_does_not_write_is_not_read(data: bytes) -> None:
    """Other spellings, other versions, unknown names and wrong values are no entries."""
    with pytest.raises(DocumentInvalid):
        AuditEntry.parse(data)


def test_two_entries_differ_in_their_bytes_when_anything_differs() -> None:
    """A change of any value is a change of what is signed."""
    entry = WORLD.entry()
    others = [
        replace(entry, decision="consent_missing"),
        replace(entry, fields=("standing",)),
        replace(entry, time=NOON + timedelta(microseconds=1)),
        replace(entry, basis=None),
    ]
    assert len({each.encode() for each in [entry, *others]}) == 5


@given(data=st.binary(max_size=300), at=st.integers(0, 700), width=st.integers(0, 8))
def test_random_bytes_in_an_entry_are_refused_or_another_entry(data: bytes, at: int, width: int) -> None:
    """Whatever is put into an entry's bytes, reading ends in an entry of exactly these bytes or in one clear error."""
    whole = WORLD.entry().encode()
    for candidate in (data, whole[:at] + data + whole[at + width :]):
        try:
            assert AuditEntry.parse(candidate).encode() == candidate
        except DocumentInvalid:
            continue


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"])
@pytest.mark.parametrize("purpose", [r"\ud800", r"\u0000", "\x7f", "é", r"\/"])
def test_the_ends_of_time_and_of_text_are_read_or_refused(time: str, purpose: str) -> None:
    """Odd texts and times at the ends of the calendar end in an entry or in one clear error."""
    text = WORLD.entry(purpose="P").encode().decode().replace("2026-11-22T12:00:00.000000Z", time)
    data = text.replace('"P"', f'"{purpose}"').encode()
    with suppress(DocumentInvalid):
        assert AuditEntry.parse(data).encode() == data
