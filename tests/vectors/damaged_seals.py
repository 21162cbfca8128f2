"""One sealed record under every damaged seal: each length, each field off by one, each line of its statement bent."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from exchange.envelope import KafkaRecord, encode_seal, parse_seal
from exchange.merkle import sign_note
from exchange.trust import SigningKey
from tests.envelope.world import (
    CUSTOMS,
    CUSTOMS_KEY,
    INTERIOR_KEY,
    RESIDENCES,
    TARIFF,
    UNLISTED,
    seal_of,
    seal_one,
    with_seal,
)
from tests.vectors.cases import verdict, wire

_GOOD = seal_one()
_SEAL = seal_of(_GOOD)
_INDEX, _PATH, _STATEMENT = parse_seal(_SEAL)
_TEXT = _STATEMENT.decode().rpartition("\n\n")[0] + "\n"
_LINE = _STATEMENT.decode().rpartition("\n\n")[2]


def damaged_seals() -> dict[str, Any]:
    """The good record, and what becomes of it under other seals; a `statement` stands for the good seal with that one.

    Step 0 opens: another size whose path has the same shape, another epoch, flush or time, where the key signed it.
    """
    return {
        "record": wire(_GOOD),
        "cut": [_step(_SEAL[:size]) for size in range(len(_SEAL))],
        "hashes": [_step(encode_seal(_INDEX, path_of(count), _STATEMENT)) for count in range(256)],
        "seals": [_case(name, "seal", seal, with_seal(_GOOD, seal)) for name, seal in _seals().items()],
        "statements": [
            _case(name, "statement", statement, with_seal(_GOOD, encode_seal(_INDEX, _PATH, statement)))
            for name, statement in _statements().items()
        ],
    }


def path_of(count: int) -> bytes:
    """A path of so many hashes: the good one's first, then hashes of zeros."""
    return _PATH[: 32 * count].ljust(32 * count, b"\x00")


def _step(seal: bytes) -> int:
    return verdict(with_seal(_GOOD, seal))[0]


def _case(name: str, kind: str, data: bytes, record: KafkaRecord) -> dict[str, Any]:
    step, code = verdict(record)
    return {"name": name, kind: data.hex(), "step": step, "code": code}


def _seals() -> dict[str, bytes]:
    """Each field of the seal one less and one more, and what is around it."""
    sized = 6 + len(_PATH)
    fields = {"version": (0, 1), "index": (1, 4), "count of hashes": (5, 1), "statement's size": (sized, 2)}
    found = {
        f"{name} {off:+d}": _SEAL[:at]
        + (int.from_bytes(_SEAL[at : at + size]) + off).to_bytes(size)
        + _SEAL[at + size :]
        for name, (at, size) in fields.items()
        for off in (-1, 1)
    }
    found |= {
        f"a bit of hash {at // 32}": _SEAL[: 6 + at] + bytes([_SEAL[6 + at] ^ 1]) + _SEAL[7 + at :] for at in (0, 63)
    }
    return found | {
        "twice": _SEAL * 2,
        "trailed by a zero": _SEAL + b"\x00",
        "trailed by a newline": _SEAL + b"\n",
        "led by a zero": b"\x00" + _SEAL,
        "index of the largest": encode_seal(2**32 - 1, _PATH, _STATEMENT),
        "index of the flush's size": encode_seal(3, _PATH, _STATEMENT),
        "hashes swapped": encode_seal(_INDEX, _PATH[32:] + _PATH[:32], _STATEMENT),
        "no statement": encode_seal(_INDEX, _PATH, b""),
        "a statement of 65,535 bytes": encode_seal(_INDEX, _PATH, _STATEMENT.ljust(65_535, b"\n")),
    }


def _statements() -> dict[str, bytes]:
    lines = _TEXT.splitlines()
    named = dict(zip(("origin", "size", "root", "epoch", "flush", "time"), lines, strict=True))
    found = {f"signed: {name}": _sign(text) for name, text in _bent_texts(named)}
    found |= {f"over a good signature: {name}": (text + "\n" + _LINE).encode() for name, text in _bent_texts(named)}
    return found | dict(_notes()) | dict(_signed_by_others())


def _bent_texts(named: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The text with one line missing, twice, in another's place, or written otherwise."""
    lines = list(named.values())
    for at, name in enumerate(named):
        yield f"{name} missing", _text(lines[:at] + lines[at + 1 :])
        yield f"{name} twice", _text(lines[: at + 1] + lines[at:])
        yield f"{name} led by a space", _text([*lines[:at], " " + lines[at], *lines[at + 1 :]])
        yield f"{name} trailed by a space", _text([*lines[:at], lines[at] + " ", *lines[at + 1 :]])
        yield f"{name} ending in CRLF", _text([*lines[:at], lines[at] + "\r", *lines[at + 1 :]])
        yield f"{name} empty", _text([*lines[:at], "", *lines[at + 1 :]])
        if at + 1 < len(lines):
            yield f"{name} after the next", _text([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]])
    yield "a line more", _text([*lines, "more 1"])
    for old, *others in _OTHER_WORDS:
        for new in others:
            yield f"{new[:60]!r} for {old!r}", _text([new if line == old else line for line in lines])


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


_ROOT = _TEXT.splitlines()[2]
_OTHER_WORDS = (
    ("3", "03", "+3", "-3", "3.0", "0x3", "0", "1", "4", "2001", "٣"),
    (
        "epoch 3",
        "epoch 03",
        "epoch +3",
        "epoch -3",
        "epoch  3",
        "epoch",
        "Epoch 3",
        "epoch 3 ",
        "epoch 10000000000000000000",
    ),
    ("flush 4217", "flush 04217", "flush 4218", "flush\t4217"),
    (
        "time 2026-11-22T10:00:00.123Z",
        "time 2026-11-22T10:00:00Z",
        "time 2026-11-22T10:00:00.123456Z",
        "time 2026-11-22T10:00:00.123+00:00",
        "time 2026-11-22t10:00:00.123z",
        "time 2026-11-22 10:00:00.123Z",
        "time 2026-02-30T10:00:00.123Z",
        "time 2026-11-22T10:00:60.123Z",
        "time 2026-11-22T24:00:00.000Z",
        "time 2026-11-22T10:00:00.124Z",
        "time 2026-11-22T09:49:00.123Z",
        "time 0000-11-22T10:00:00.123Z",
    ),
    (
        _ROOT,
        _ROOT.rstrip("="),
        _ROOT + "=",
        _ROOT.replace("/", "_"),
        _ROOT[:-2] + "9=",
        _ROOT[:40],
        "A" * 44,
        "A" * 43 + "=",
    ),
    (str(TARIFF), str(CUSTOMS), str(UNLISTED), str(RESIDENCES), str(TARIFF).upper(), f"/{TARIFF}", f"{TARIFF}/x"),
)
"""Lines of the text, and what else could stand there."""


def _sign(text: str, name: str = str(TARIFF), key: SigningKey = CUSTOMS_KEY) -> bytes:
    """The signature is good, whatever the text: `sign_note` would not sign all of these."""
    line = sign_note("x\n", name, key).decode().rpartition("\n\n")[2]
    head, _, blob = line.rpartition(" ")
    raw = base64.b64decode(blob)[:4] + key.sign(text.encode())
    return f"{text}\n{head} {base64.b64encode(raw).decode()}\n".encode()


def _notes() -> Iterator[tuple[str, bytes]]:
    """What is around the text: the empty line, the signature line, the end."""
    head, _, blob = _LINE.rstrip("\n").rpartition(" ")
    raw = base64.b64decode(blob)

    def with_blob(changed: bytes) -> str:
        return f"{head} {base64.b64encode(changed).decode()}\n"

    other = sign_note(_TEXT, str(RESIDENCES), INTERIOR_KEY).decode().rpartition("\n\n")[2]
    lines = {
        "no signature": "",
        "the signature twice": _LINE * 2,
        "another's signature too": _LINE + other,
        "another's signature first": other + _LINE,
        "another's signature": other,
        "a hyphen for the dash": _LINE.replace("—", "-"),
        "an en dash for the dash": _LINE.replace("—", "–"),
        "no space after the dash": _LINE.replace("— ", "—"),
        "two spaces": _LINE.replace("— ", "—  "),
        "another name": _LINE.replace(str(TARIFF), str(UNLISTED)),
        "a key id changed": with_blob(bytes([raw[0] ^ 1]) + raw[1:]),
        "a signature changed": with_blob(raw[:-1] + bytes([raw[-1] ^ 1])),
        "a signature of zeros": with_blob(raw[:4] + bytes(64)),
        "a signature of 63 bytes": with_blob(raw[:-1]),
        "a signature of 65 bytes": with_blob(raw + b"\x00"),
        "a key id alone": with_blob(raw[:4]),
        "base64 with stray bits": _stray(_LINE),
        "base64 without padding": _LINE.replace("=\n", "\n"),
        "base64 in two lines": _LINE[:-20] + "\n" + _LINE[-20:],
        "a line ending in CRLF": _LINE.replace("\n", "\r\n"),
        "last newline missing": _LINE[:-1],
        "a newline trails": _LINE + "\n",
        "a byte trails": _LINE + "x",
    }
    for name, line in lines.items():
        yield name, f"{_TEXT}\n{line}".encode()
    yield "no empty line", (_TEXT + _LINE).encode()
    yield "two empty lines", f"{_TEXT}\n\n{_LINE}".encode()
    yield "all lines ending in CRLF", _STATEMENT.replace(b"\n", b"\r\n")
    yield "not UTF-8", _STATEMENT.replace(b"epoch", b"\xffpoch")
    yield "a byte order mark", b"\xef\xbb\xbf" + _STATEMENT
    yield "a null byte", _STATEMENT.replace(b"epoch 3", b"epoch 3\x00")


def _stray(line: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(line[-3])
    return line[:-3] + alphabet[last ^ 1] + line[-2:]


def _signed_by_others() -> Iterator[tuple[str, bytes]]:
    """Good statements of others about this very tree."""
    yield "another agency's key", _sign(_TEXT, key=INTERIOR_KEY)
    yield "another publisher of the agency", _sign(_TEXT.replace(str(TARIFF), str(UNLISTED)), str(UNLISTED))
    yield "another agency", _sign(_TEXT.replace(str(TARIFF), str(RESIDENCES)), str(RESIDENCES), INTERIOR_KEY)
