"""The statement (spec 3): read exactly as it is written, and nothing that merely looks like it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.envelope import parse_statement
from exchange.errors import StatementMalformed
from exchange.merkle import NoteVerifier, open_note, sign_note
from tests.fakes.statements import sign_statement

from .world import CUSTOMS, CUSTOMS_KEY, INTERIOR_KEY, NOW, TARIFF

ROOT = bytes(range(32))
ROOT_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
NAME = str(TARIFF)


def statement(**options: object) -> bytes:
    """A statement over 1,000 records, with whatever a test wants otherwise."""
    fields = {"size": 1000, "root": ROOT, "epoch": 3, "flush": 4217, "time": NOW} | options
    return sign_statement(TARIFF, CUSTOMS_KEY, **fields)


def test_a_statement_reads_as_the_specification_draws_it():
    """The text is a checkpoint with epoch, flush and time, and one signature line by the publisher."""
    text, _, signature = statement().decode().partition("\n\n")
    assert text == f"{NAME}\n1000\n{ROOT_TEXT}\nepoch 3\nflush 4217\ntime 2026-11-22T10:00:00.123Z"
    assert signature.startswith(f"— {NAME} ")
    assert signature.count("\n") == 1


def test_anyones_note_verifier_accepts_a_statement():
    """A statement is a C2SP signed note under the publisher's name."""
    assert open_note(statement(), [NoteVerifier(NAME, CUSTOMS_KEY.public)]).signatures[0].name == NAME


def test_what_was_written_is_what_is_read():
    """Every field comes back."""
    parsed = parse_statement(statement())
    assert (parsed.publisher, parsed.origin, parsed.source) == (TARIFF, NAME, f"/{CUSTOMS}".encode())
    assert (parsed.size, parsed.root, parsed.epoch, parsed.flush, parsed.time) == (1000, ROOT, 3, 4217, NOW)


@given(
    size=st.integers(1, 2000),
    root=st.binary(min_size=32, max_size=32),
    epoch=st.integers(0, 10**19 - 1),
    flush=st.integers(0, 10**19 - 1),
    time=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5))]), min_value=datetime(1900, 1, 1)),  # noqa: DTZ001
)
def test_any_statement_comes_back(size, root, epoch, flush, time):
    """Reading gives what was written, the time to the millisecond."""
    parsed = parse_statement(statement(size=size, root=root, epoch=epoch, flush=flush, time=time))
    assert (parsed.size, parsed.root, parsed.epoch, parsed.flush) == (size, root, epoch, flush)
    assert timedelta() <= time - parsed.time < timedelta(milliseconds=1)


GOOD = [NAME, "1000", ROOT_TEXT, "epoch 3", "flush 4217", "time 2026-11-22T10:00:00.123Z"]


def bent(**lines: str | None) -> str:
    """The text with lines replaced by number (`l0` …), or left out where None."""
    changed = [lines.get(f"l{number}", line) for number, line in enumerate(GOOD)]
    return "".join(f"{line}\n" for line in changed if line is not None)


MALFORMED = {
    "no publisher": bent(l0="UZ/GOV/customs/tariff"),
    "publisher upper case": bent(l0="UZ/GOV/Customs/tariff/x"),
    "size zero": bent(l1="0"),
    "size over 2,000": bent(l1="2001"),
    "size with leading zero": bent(l1="01000"),
    "size signed": bent(l1="+1000"),
    "size negative": bent(l1="-1"),
    "size of other digits": bent(l1="١٠"),
    "size endless": bent(l1="1" * 5000),
    "root short": bent(l2="AAEC"),
    "root long": bent(l2="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"),
    "root unpadded": bent(l2=ROOT_TEXT.rstrip("=")),
    "root with stray bits": bent(l2=ROOT_TEXT[:-2] + "9="),
    "root no base64": bent(l2="!" * 44),
    "no epoch": bent(l3=None),
    "no time": bent(l5=None),
    "order": bent(l3="flush 4217", l4="epoch 3"),
    "epoch leading zero": bent(l3="epoch 03"),
    "epoch signed": bent(l3="epoch -3"),
    "epoch text": bent(l3="epoch x"),
    "epoch two spaces": bent(l3="epoch  3"),
    "flush of 20 digits": bent(l4="flush " + "9" * 20),
    "time in seconds": bent(l5="time 2026-11-22T10:00:00Z"),
    "time in microseconds": bent(l5="time 2026-11-22T10:00:00.123456Z"),
    "time with offset": bent(l5="time 2026-11-22T15:00:00.123+05:00"),
    "time of no day": bent(l5="time 2026-11-31T10:00:00.123Z"),
    "time text": bent(l5="time now"),
    "line more": bent(l5="time 2026-11-22T10:00:00.123Z\nmore 1"),
    "line empty": bent(l4="\nflush 4217"),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_bent_text_is_refused_although_signed(text):
    """A text that no sealer writes is refused, under a good signature too."""
    name = text.split("\n", 1)[0]
    with pytest.raises(StatementMalformed):
        parse_statement(sign_note(text, name, CUSTOMS_KEY))


def by_another(raw: bytes) -> bytes:
    """The same text under another name's signature."""
    text = raw.decode().partition("\n\n")[0] + "\n"
    return sign_note(text, "UZ/GOV/interior/civil/residences", INTERIOR_KEY)


DAMAGED = {
    "empty": lambda raw: b"",
    "random": lambda raw: b"\xff\xfe\x00",
    "no signature": lambda raw: raw.partition(b"\n\n")[0] + b"\n",
    "empty signatures": lambda raw: raw.partition(b"\n\n")[0] + b"\n\n",
    "two signatures": lambda raw: raw + raw.partition(b"\n\n")[2],
    "another's signature": by_another,
    "another's as well": lambda raw: raw + by_another(raw).partition(b"\n\n")[2],
    "last newline gone": lambda raw: raw[:-1],
    "newline more": lambda raw: raw + b"\n",
    "trailing text": lambda raw: raw + b"x",
    "carriage returns": lambda raw: raw.replace(b"\n", b"\r\n"),
    "null byte": lambda raw: raw.replace(b"epoch", b"ep\x00ch"),
    "dash instead of em dash": lambda raw: raw.replace("—".encode(), b"-"),
    "signature short": lambda raw: raw[:-13] + b"\n",
    "signature unpadded": lambda raw: raw[:-1] + b"=\n",
    "signature no base64": lambda raw: raw[:-9] + b"\xe2\x82\xac\xe2\x82\xac\n",
    "signature of an id alone": lambda raw: raw.rpartition(b" ")[0] + b" AAAAAA==\n",
    "key id of one byte": lambda raw: raw.rpartition(b" ")[0] + b" AA==\n",
    "no space": lambda raw: raw.rpartition(b" ")[0] + b"\n",
    "a megabyte": lambda raw: raw + raw.partition(b"\n\n")[2] * 10_000,
    "101 signatures": lambda raw: raw + raw.partition(b"\n\n")[2] * 100,
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_note_is_refused(damage):
    """A statement has one signature, by its origin, in the one form that is written."""
    with pytest.raises(StatementMalformed):
        parse_statement(damage(statement()))


@given(st.binary(max_size=400))
def test_random_bytes_are_no_statement(raw):
    """Whatever the bytes, reading ends in one error."""
    with pytest.raises(StatementMalformed):
        parse_statement(raw)


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_is_another_statement_or_none(position, byte):
    """No two byte strings read as the same statement."""
    raw = statement()
    at = position % len(raw)
    changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
    try:
        parsed = parse_statement(changed)
    except StatementMalformed:
        return
    assert (parsed == parse_statement(raw)) == (changed == raw)
