"""Files of evidence that hold, and one of them damaged in every way: its spelling, directory, record, proof, schema."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import msgspec
import rfc8785

from exchange.clock import format_millis
from exchange.envelope import KafkaRecord, verify_evidence
from exchange.errors import ExchangeError, RecordRefused
from exchange.trust import SigningKey
from tests.envelope.evidence_world import (
    OPERATOR_KEYS,
    OPERATORS,
    STRANGE_KEY,
    changed,
    directory_content,
    evidence_of,
    operators_file,
    signed_directory,
)
from tests.envelope.world import (
    INTERIOR_KEY,
    INTERIOR_TOPIC,
    NOW,
    OTHER_SCHEMA,
    OTHER_TOPIC,
    PLAIN_SCHEMA,
    RESIDENCES,
    RETIRED_KEY,
    SCHEMA,
    Draft,
    seal,
    seal_one,
)
from tests.vectors.cases import described

_GOOD = evidence_of().encode()
_CONTENT: dict[str, Any] = msgspec.json.decode(_GOOD)
_PROOF: str = _CONTENT["proof"]
_HEADERS: list[list[str]] = _CONTENT["record"]["headers"]


def evidence() -> dict[str, Any]:
    """The operators, files that hold, and damage: `file` is whole, `old` and `new` are of the first valid file."""
    return {
        "operators": operators_file(),
        "valid": [_valid(name, evidence_of(record).encode()) for name, record in _records().items()],
        "damaged": [_damaged(name, data) for name, data in _damages()],
    }


def _records() -> dict[str, KafkaRecord]:
    flush = seal([Draft(sequence=number) for number in range(33)])
    personal = Draft(topic=INTERIOR_TOPIC, subject="mfrggzdfmztwq2lknnwg23tpoa")
    return {
        "second of three": seal_one(),
        "alone": seal([Draft()])[0],
        "first of 33": flush[0],
        "last of 33": flush[32],
        "tombstone": seal_one(Draft(value=None)),
        "no key": seal_one(Draft(key=None)),
        "text beyond ASCII": seal_one(Draft(key='калит \u2028\U0001f511\x01"\\/'.encode())),
        "with subject": seal_one(personal, publisher=RESIDENCES, key=INTERIOR_KEY),
        "of a year ago": seal_one(key=RETIRED_KEY, time=NOW.replace(year=2025)),
        "ten minutes off": seal_one(timestamp=NOW + timedelta(minutes=10)),
    }


def _valid(name: str, data: bytes) -> dict[str, Any]:
    proven = verify_evidence(data, OPERATORS)
    return {
        "name": name,
        "file": data.decode(),
        "event": described(proven.event),
        "sealed": format_millis(proven.statement.time),
    }


def _damaged(name: str, data: bytes) -> dict[str, Any]:
    """The refusal, and the damage in as few words as it takes; step 0 is the file's own."""
    try:
        verify_evidence(data, OPERATORS)
    except ExchangeError as error:
        step = error.step if isinstance(error, RecordRefused) else 0
        return {"name": name, **_difference(data.decode("utf-8", "surrogateescape")), "step": step, "code": error.code}
    raise AssertionError(f"{name}: it holds")


def _difference(text: str) -> dict[str, str]:
    good = _GOOD.decode()
    start = next((at for at, (a, b) in enumerate(zip(good, text, strict=False)) if a != b), min(len(good), len(text)))
    left, right = good[start:], text[start:]
    same = next((at for at, (a, b) in enumerate(zip(left[::-1], right[::-1], strict=False)) if a != b), None)
    same = min(len(left), len(right)) if same is None else same
    return {"at": start, "old": left[: len(left) - same], "new": right[: len(right) - same]}  # type: ignore[dict-item]


def _damages() -> Iterator[tuple[str, bytes]]:
    yield from _spellings()
    yield from _members()
    yield from _directories()
    yield from _changed_records()
    yield from _proofs()
    yield from _schemas()


def _spellings() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "no newline", _GOOD[:-1]
    yield "two newlines", _GOOD + b"\n"
    yield "CRLF", _GOOD[:-1] + b"\r\n"
    yield "a space before", b" " + _GOOD
    yield "a byte order mark", b"\xef\xbb\xbf" + _GOOD
    yield "a space inside", _GOOD.replace(b'"key":"', b'"key": "', 1)
    yield "an escape that need not be", _GOOD.replace(b'"key":"0', b'"key":"\\u0030', 1)
    yield "members in another order", _GOOD.replace(b'"offset":1,"partition":0', b'"partition":0,"offset":1', 1)
    yield "a member twice", _GOOD.replace(b'"offset":1', b'"offset":1,"offset":1', 1)
    yield "a number as a double", _GOOD.replace(b'"offset":1', b'"offset":1.0', 1)
    yield "a number past 2^53", _GOOD.replace(b'"offset":1', b'"offset":9007199254740993', 1)
    yield "no object", b"[]\n"
    yield "cut", _GOOD[: len(_GOOD) // 2]
    yield "value with stray bits", _GOOD.replace(b'FEA="', b'FEB="', 1)
    yield "value without padding", _GOOD.replace(b'FEA="', b'FEA"', 1)


def _members() -> Iterator[tuple[str, bytes]]:
    """Members missing, more, or of another type."""
    for path in _paths(_CONTENT, ()):
        if path[:1] != ("directory",) and isinstance(path[-1], str):
            yield f"no {'.'.join(map(str, path))}", _without(path)
            yield f"{'.'.join(map(str, path))} an array", changed(_GOOD, *path, to=[])
            yield f"{'.'.join(map(str, path))} true", changed(_GOOD, *path, to=True)
    for path in ((), ("record",), ("publisher",)):
        yield f"a member more in {'.'.join(path) or 'the file'}", changed(_GOOD, *path, "more", to=1)
    for name in _CONTENT["publisher"]:
        yield f"another publisher.{name}", changed(_GOOD, "publisher", name, to="Interior")
    yield "another type", changed(_GOOD, "type", to="exchange-evidence-v2")
    yield "a header of three", changed(_GOOD, "record", "headers", 0, to=["a", "b", "c"])


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield (*path, name)
            yield from _paths(each, (*path, name))


def _without(path: tuple[Any, ...]) -> bytes:
    content = place = deepcopy(_CONTENT)
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return rfc8785.dumps(content) + b"\n"


def _directories() -> Iterator[tuple[str, bytes]]:
    for member in ("payload", "payloadType", "signatures"):
        yield f"directory without {member}", _without(("directory", member))
    first, second = _CONTENT["directory"]["signatures"]
    for name, signatures in {
        "no signature": [],
        "one operator": [first],
        "one operator twice": [first, first],
        "another operator's signature": [first, {**second, "keyid": "operator-3"}],
        "a stranger's key id": [first, {**second, "keyid": "operator-9"}],
    }.items():
        yield f"directory with {name}", changed(_GOOD, "directory", "signatures", to=signatures)
    yield "directory changed", changed(_GOOD, "directory", "payload", to=_CONTENT["directory"]["payload"][:-4])
    yield (
        "a document of another kind",
        changed(_GOOD, "directory", "payloadType", to="application/vnd.exchange.consent+json;version=1"),
    )
    yield "directory signed by strangers", _resigned(directory_content(), {"operator-1": STRANGE_KEY})
    for name, status, keys in (("agency suspended", "suspended", None), ("agency without keys", "active", [])):
        content = directory_content()
        content["members"][0]["status"] = status
        if keys is not None:
            content["members"][0]["subsystems"][0]["keys"] = keys
        yield name, _resigned(content)
    content = directory_content()
    content["members"][0]["subsystems"][0]["topics"][0]["publishers"] = ["another"]
    yield "publisher not listed", _resigned(content)
    yield "member renamed", _resigned(_renamed())


def _renamed() -> dict[str, Any]:
    content = directory_content()
    content["members"][0]["name"] = "Tariffs"
    return content


def _resigned(content: dict[str, Any], signers: dict[str, SigningKey] | None = None) -> bytes:
    envelope = signed_directory(content, signers or dict(list(OPERATOR_KEYS.items())[1:]))
    return changed(_GOOD, "directory", to=msgspec.json.decode(envelope))


def _changed_records() -> Iterator[tuple[str, bytes]]:
    value = _CONTENT["record"]["value"]
    changes: dict[str, tuple[tuple[Any, ...], Any]] = {
        "another topic": (("topic",), OTHER_TOPIC),
        "topic of another": (("topic",), INTERIOR_TOPIC),
        "another key": (("key",), "0102"),
        "no key": (("key",), None),
        "another value": (("value",), value[:12] + "A" + value[13:]),
        "no value": (("value",), None),
        "an empty value": (("value",), ""),
        "a time too late": (("timestamp",), _CONTENT["record"]["timestamp"] + 600_001),
        "a time too early": (("timestamp",), _CONTENT["record"]["timestamp"] - 600_001),
        "no headers": (("headers",), []),
        "a seal among the headers": (("headers",), [*_HEADERS, ["exchange-seal", "x"]]),
    }
    for at, (name, _) in enumerate(_HEADERS):
        changes[f"another {name}"] = (("headers", at, 1), "x")
        changes[f"{name} by another name"] = (("headers", at, 0), "x")
        changes[f"without {name}"] = (("headers",), _HEADERS[:at] + _HEADERS[at + 1 :])
    for name, (path, to) in changes.items():
        yield name, changed(_GOOD, "record", *path, to=to)


def _proofs() -> Iterator[tuple[str, bytes]]:
    head, _, statement = _PROOF.partition("\n\n")
    version, index, *path = head.split("\n")
    zeros = "A" * 43 + "="
    heads = {
        "another version": [version[:-1] + "2", index, *path],
        "an extra line": [version, "extra AA==", index, *path],
        "no index": [version, *path],
        "index 0": [version, "index 0", *path],
        "index 3": [version, "index 3", *path],
        "index 01": [version, "index 01", *path],
        "index -1": [version, "index -1", *path],
        "index of the largest": [version, f"index {2**32 - 1}", *path],
        "index past the largest": [version, f"index {2**32}", *path],
        "a path of none": [version, index],
        "a path of one": [version, index, path[0]],
        "a path of three": [version, index, *path, zeros],
        "a path of 255": [version, index, *path, *[zeros] * 253],
        "a path of 256": [version, index, *path, *[zeros] * 254],
        "a path swapped": [version, index, *reversed(path)],
        "a hash of 31 bytes": [version, index, path[0][:-4] + "AA==", path[1]],
        "a hash with stray bits": [version, index, "A" * 42 + "B=", path[1]],
        "a hash with a space": [version, index, path[0] + " ", path[1]],
    }
    for name, lines in heads.items():
        yield f"proof: {name}", changed(_GOOD, "proof", to="\n".join(lines) + "\n\n" + statement)
    statements = {
        "none": "",
        "without its last newline": statement[:-1],
        "another epoch": statement.replace("epoch 3", "epoch 4"),
        "another size": statement.replace("\n3\n", "\n4\n"),
        "another time": statement.replace("time 2026", "time 2025"),
        "another origin": statement.replace("hs-nomenclature", "night-shift"),
        "signed twice": statement + statement.rpartition("\n\n")[2],
        "as large as a seal's": statement.ljust(65_535 - 2, "x"),
        "larger than a seal's": statement.ljust(70_000, "x"),
    }
    for name, text in statements.items():
        yield f"statement: {name}", changed(_GOOD, "proof", to=f"{head}\n\n{text}")
    yield "proof: no empty line", changed(_GOOD, "proof", to=head + "\n" + statement)
    yield "proof: empty", changed(_GOOD, "proof", to="")


def _schemas() -> Iterator[tuple[str, bytes]]:
    text = SCHEMA.text
    others: dict[str, str | None] = {
        "another schema": OTHER_SCHEMA.text,
        "a schema that is no record": PLAIN_SCHEMA.text,
        "no schema": None,
        "a schema cut": text[:-1],
        "no JSON for a schema": "schema",
        "an empty schema": "",
        "another name": text.replace("CodeListed", "CodeListen"),
        "another namespace": text.replace("uz.customs", "uz.custom"),
        "a doc more": text.replace('"namespace"', '"doc": "", "namespace"'),
        "a field's type": text.replace('"title", "type": "string"', '"title", "type": "bytes"'),
        "fields in another order": text.replace('"code"', '"x"').replace('"title"', '"code"').replace('"x"', '"title"'),
    }
    for name, other in others.items():
        yield name, changed(_GOOD, "schema", to=other)
    tombstone = evidence_of(seal_one(Draft(value=None))).encode()
    yield "a schema for a tombstone", changed(tombstone, "schema", to=text)
