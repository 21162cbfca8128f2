"""Writes the test vectors of the wire formats next to this file.

python -m tests.vectors.generate
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from exchange.avro import frame
from exchange.clock import format_millis
from exchange.envelope import (
    KafkaRecord,
    encode_record,
    encode_seal,
    parse_seal,
    parse_statement,
    record_leaf,
)
from exchange.merkle import (
    Checkpoint,
    Tile,
    TlogProof,
    Tree,
    encode_bundle,
    leaf_hash,
    sign_note,
    tiles_of,
    verifier_text,
)
from tests.envelope.world import (
    CUSTOMS,
    CUSTOMS_KEY,
    DIRECTORY_CONTENT,
    INTERIOR_KEY,
    INTERIOR_TOPIC,
    LOG_KEY,
    NOW,
    OTHER_SCHEMA,
    OTHER_TOPIC,
    PLAIN_SCHEMA,
    RESIDENCES,
    RETIRED_KEY,
    SCHEMA,
    SCHEMA_ID,
    STRANGER,
    TARIFF,
    UNLISTED,
    Draft,
    seal,
    seal_of,
    seal_one,
    with_seal,
)
from tests.fakes.statements import sign_statement
from tests.vectors.cases import damaged_case, hexadecimal, valid_case
from tests.vectors.damaged_headers import beyond, within
from tests.vectors.damaged_seals import damaged_seals
from tests.vectors.damaged_trees import damaged_paths, written
from tests.vectors.evidence_cases import evidence

HERE = Path(__file__).parent
SEEDS = {
    name: bytes(range(at, at + 32)).hex() for at, name in enumerate(("customs", "retired", "future", "interior", "log"))
}


def records() -> dict[str, Any]:
    """Records of every shape that the encoding tells apart."""
    event = Draft(sequence=1).unsealed(CUSTOMS)
    shapes: dict[str, tuple[str, bytes | None, list[tuple[str, bytes]], bytes | None]] = {
        "event": (event.topic, event.key, event.headers, event.value),
        "all empty": ("", b"", [], b""),
        "all null": ("t", None, [], None),
        "null key": ("t", None, [("a", b"1")], b"v"),
        "empty key": ("t", b"", [("a", b"1")], b"v"),
        "tombstone": ("t", b"k", [("a", b"1")], None),
        "empty value": ("t", b"k", [("a", b"1")], b""),
        "empty header": ("t", b"k", [("", b""), ("a", b"")], b"v"),
        "header twice": ("t", b"k", [("a", b"1"), ("a", b"2")], b"v"),
        "headers in one order": ("t", b"k", [("a", b"1"), ("b", b"2")], b"v"),
        "headers in the other": ("t", b"k", [("b", b"2"), ("a", b"1")], b"v"),
        "header name beyond ASCII": ("t", "калит".encode(), [("sarlavhaʼ", "қиймат".encode())], b"v"),
        "a byte moved from topic to key": ("gov.", b"xk", [("a", b"1")], b"v"),
        "and not moved": ("gov.x", b"k", [("a", b"1")], b"v"),
        "a byte moved from key to header": ("gov.x", b"", [("ka", b"1")], b"v"),
        "a byte moved from name to value": ("gov.x", b"k", [("", b"a1")], b"v"),
        "a byte moved from header to header": ("gov.x", b"k", [("a", b""), ("1b", b"2")], b"v"),
        "and not moved there": ("gov.x", b"k", [("a", b"1"), ("b", b"2")], b"v"),
        "a byte moved from header to value": ("gov.x", b"k", [("a", b"")], b"1v"),
        "two headers as one": ("gov.x", b"k", [("a", b"1b2")], b"v"),
        "key and value swapped": ("gov.x", b"v", [("a", b"1")], b"k"),
        "long": ("t" * 249, b"k" * 300, [("n" * 300, b"x" * 2000)], bytes(range(256)) * 8),
    }
    return {"cases": [record_case(name, *shape) for name, shape in shapes.items()]}


def record_case(
    name: str, topic: str, key: bytes | None, headers: list[tuple[str, bytes]], value: bytes | None
) -> dict[str, Any]:
    """One record, its covered bytes and its leaf."""
    return {
        "name": name,
        "topic": topic,
        "key": hexadecimal(key),
        "headers": [[each, content.hex()] for each, content in headers],
        "value": hexadecimal(value),
        "encoded": encode_record(topic, key, headers, value).hex(),
        "leaf": record_leaf(topic, key, headers, value).hex(),
    }


def trees() -> dict[str, Any]:
    """Trees of 1 to 33 leaves with all their proofs, and proofs that are none."""
    tree = Tree(leaf_hash(bytes([number])) for number in range(33))
    return {
        "leaves": [tree.node(0, index).hex() for index in range(33)],
        "trees": [tree_case(tree, size) for size in range(1, 34)],
        "consistency": [consistency_case(tree, old, new) for new in range(1, 34) for old in range(1, new)],
        "damaged_inclusion": damaged_inclusion(tree) + [written(case) for case in damaged_paths(tree)],
        "damaged_consistency": damaged_consistency(tree),
    }


def tree_case(tree: Tree, size: int) -> dict[str, Any]:
    """The root of the first leaves, and each one's path."""
    paths = [b"".join(tree.inclusion_proof(index, size)).hex() for index in range(size)]
    return {"size": size, "root": tree.root_at(size).hex(), "paths": paths}


def consistency_case(tree: Tree, old: int, new: int) -> dict[str, Any]:
    """The proof between two sizes."""
    return {"old": old, "new": new, "path": b"".join(tree.consistency_proof(old, new)).hex()}


def damaged_inclusion(tree: Tree) -> list[dict[str, Any]]:
    """Leaf 9 of 13, wrong in one way each."""
    path = [each.hex() for each in tree.inclusion_proof(9, 13)]
    good = {"leaf": tree.node(0, 9).hex(), "index": 9, "size": 13, "path": path, "root": tree.root_at(13).hex()}
    bent = {
        "another leaf": {"leaf": tree.node(0, 8).hex()},
        "another index": {"index": 8},
        "index outside": {"index": 13},
        "another size": {"size": 10},
        "another root": {"root": tree.root_at(14).hex()},
        "path short": {"path": path[:-1]},
        "path long": {"path": [*path, path[0]]},
        "path swapped": {"path": [path[1], path[0], *path[2:]]},
        "path empty": {"path": []},
        "hash short": {"path": [path[0][:-2], *path[1:]]},
    }
    return [bent_case(name, good | change) for name, change in bent.items()]


def bent_case(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """One proof to refuse; its path joined, as everywhere."""
    return {"name": name} | fields | {"path": "".join(fields["path"])}


def damaged_consistency(tree: Tree) -> list[dict[str, Any]]:
    """From 6 to 13 leaves, wrong in one way each."""
    path = [each.hex() for each in tree.consistency_proof(6, 13)]
    roots = {"old_root": tree.root_at(6).hex(), "new_root": tree.root_at(13).hex()}
    good = {"old": 6, "new": 13, "path": path, **roots}
    bent: dict[str, dict[str, Any]] = {
        "another old root": {"old_root": tree.root_at(5).hex()},
        "another new root": {"new_root": tree.root_at(12).hex()},
        "another old size": {"old": 7},
        "another new size": {"new": 7},
        "backwards": {"old": 13, "new": 6},
        "path short": {"path": path[:-1]},
        "path long": {"path": [*path, path[0]]},
        "path empty": {"path": []},
        "two roots of one size": {"old": 13, "path": []},
    }
    return [bent_case(name, good | change) for name, change in bent.items()]


def statements() -> dict[str, Any]:
    """Statements as they are signed, and what is none."""
    root = bytes(range(32))
    good = sign_statement(TARIFF, CUSTOMS_KEY, 1000, root, epoch=3, flush=4217, time=NOW)
    small = sign_statement(TARIFF, CUSTOMS_KEY, 1, root, epoch=0, flush=0, time=NOW.replace(microsecond=0))
    return {
        "seed": SEEDS["customs"],
        "verifier": verifier_text(str(TARIFF), CUSTOMS_KEY.public.raw),
        "valid": [statement_case("of 1,000 records", good), statement_case("of one record", small)],
        "damaged": [{"name": name, "statement": raw.hex()} for name, raw in damaged_statements(good).items()],
    }


def statement_case(name: str, raw: bytes) -> dict[str, Any]:
    """A statement and its fields."""
    read = parse_statement(raw)
    return {
        "name": name,
        "statement": raw.hex(),
        "text": raw.decode(),
        "publisher": read.origin,
        "size": read.size,
        "root": read.root.hex(),
        "epoch": read.epoch,
        "flush": read.flush,
        "time": format_millis(read.time),
        "key_id": read.key_id.hex(),
        "signature": read.signature.hex(),
    }


def damaged_statements(good: bytes) -> dict[str, bytes]:
    """Statements that no sealer writes; where the text is bent, the signature over it is good."""
    text = good.decode().rpartition("\n\n")[0] + "\n"
    line = good.rpartition(b"\n\n")[2]
    name = str(TARIFF)
    bent = {
        "size zero": text.replace("\n1000\n", "\n0\n"),
        "size 2001": text.replace("\n1000\n", "\n2001\n"),
        "size with leading zero": text.replace("\n1000\n", "\n01000\n"),
        "root of 31 bytes": text.replace("Hh8=", "Hg=="),
        "root with stray bits": text.replace("Hh8=", "Hh9="),
        "epoch with leading zero": text.replace("epoch 3", "epoch 03"),
        "epoch signed": text.replace("epoch 3", "epoch +3"),
        "flush before epoch": text.replace("epoch 3\nflush 4217", "flush 4217\nepoch 3"),
        "time in seconds": text.replace(".123Z", "Z"),
        "time with offset": text.replace("Z\n", "+00:00\n"),
        "no time": text.rpartition("time")[0],
        "one line more": text + "more 1\n",
    }
    signed = {each: sign_note(changed, name, CUSTOMS_KEY) for each, changed in bent.items()}
    foreign = sign_note(text, str(RESIDENCES), INTERIOR_KEY)
    return signed | {
        "empty": b"",
        "no signature": text.encode(),
        "two signatures": good + line,
        "another's signature": foreign,
        "origin is no publisher": sign_note(text.replace(name, str(CUSTOMS)), str(CUSTOMS), CUSTOMS_KEY),
        "last newline missing": good[:-1],
        "newline trails": good + b"\n",
        "carriage returns": good.replace(b"\n", b"\r\n"),
    }


def seals() -> dict[str, Any]:
    """A flush of five records that open, and records that are refused, one way each."""
    return {
        "now": format_millis(NOW),
        "seeds": SEEDS,
        "directory": DIRECTORY_CONTENT,
        "schemas": {str(SCHEMA_ID): SCHEMA.text, "8": OTHER_SCHEMA.text, "9": PLAIN_SCHEMA.text},
        "valid": [valid_case(*each) for each in (valid_records() | within()).items()],
        "damaged": [damaged_case(*each) for each in (damaged_records() | beyond()).items()],
    }


def valid_records() -> dict[str, KafkaRecord]:
    """What opens: every record of a flush of five, other optional fields, a key of another time."""
    flush = seal([Draft(sequence=number) for number in range(5)])
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    personal = Draft(topic=INTERIOR_TOPIC, subject="mfrggzdfmztwq2lknnwg23tpoa", traceparent=trace)
    return {f"record {number} of five": record for number, record in enumerate(flush)} | {
        "alone in its flush": seal([Draft()])[0],
        "tombstone": seal_one(Draft(value=None)),
        "null key": seal_one(Draft(key=None)),
        "with subject and trace": seal_one(personal, publisher=RESIDENCES, key=INTERIOR_KEY),
        "ten minutes off": seal_one(timestamp=NOW + timedelta(minutes=10)),
        "of a year ago, with the key of then": seal_one(key=RETIRED_KEY, time=NOW.replace(year=2025)),
    }


def damaged_records() -> dict[str, KafkaRecord]:
    """What is refused; the code and the step are taken from opening and pinned by the file."""
    good = seal_one()
    index, path, statement = parse_seal(seal_of(good))
    signature = good_signature_elsewhere(statement)
    day = timedelta(days=1)
    return {
        "no seal": replace(good, headers=good.headers[:-1]),
        "seal not last": replace(good, headers=(good.headers[-1], *good.headers[:-1])),
        "seal twice": replace(good, headers=(*good.headers, good.headers[-1])),
        "seal version 2": with_seal(good, b"\x02" + seal_of(good)[1:]),
        "seal cut": with_seal(good, seal_of(good)[:-1]),
        "seal trailed": with_seal(good, seal_of(good) + b"\x00"),
        "statement no note": with_seal(good, encode_seal(index, path, b"hello\n")),
        "ce_source of another": seal_one(Draft().with_header("ce_source", b"/UZ/GOV/interior/civil")),
        "ce_source missing": seal_one(Draft().without_header("ce_source")),
        "agency unknown": seal_one(publisher=STRANGER),
        "topic of another": seal_one(Draft(topic=INTERIOR_TOPIC)),
        "topic unknown": seal_one(Draft(topic="gov.customs.tariff.unknown.v1")),
        "publisher not listed": seal_one(publisher=UNLISTED),
        "key retired": seal_one(key=RETIRED_KEY),
        "key of another agency": seal_one(key=INTERIOR_KEY),
        "ten minutes and a millisecond off": seal_one(timestamp=NOW + timedelta(minutes=10, milliseconds=1)),
        "a day before the broker": seal_one(time=NOW - day, timestamp=NOW),
        "signature of another statement": with_seal(good, encode_seal(index, path, signature)),
        "value changed": replace(good, value=(good.value or b"")[:-1] + b"\x00"),
        "key changed": replace(good, key=b"0102"),
        "topic changed": replace(good, topic=OTHER_TOPIC),
        "header changed": replace(good, headers=(("content-type", b"text/plain"), *good.headers[1:])),
        "headers swapped": replace(good, headers=(good.headers[1], good.headers[0], *good.headers[2:])),
        "header added": replace(good, headers=(("x", b""), *good.headers)),
        "index changed": with_seal(good, encode_seal(0, path, statement)),
        "path short": with_seal(good, encode_seal(index, path[:-32], statement)),
        "path long": with_seal(good, encode_seal(index, path + bytes(32), statement)),
        "schema unknown": seal_one(Draft(value=frame(4711, b""))),
        "schema another": seal_one(Draft(value=frame(8, OTHER_SCHEMA.encode({"n": 1})))),
        "value trailed": seal_one(Draft(value=(Draft().value or b"") + b"\x00")),
        "value not framed": seal_one(Draft(value=b"{}")),
        "ce_id no UUIDv7": seal_one(Draft().with_header("ce_id", b"1")),
        "ce_time in seconds": seal_one(Draft().with_header("ce_time", b"2026-11-22T10:00:00Z")),
        "ce_sequence of 19 digits": seal_one(Draft().with_header("ce_sequence", b"0" * 19)),
        "header of no event": seal_one(Draft().with_header("x-extra", b"")),
    }


def good_signature_elsewhere(statement: bytes) -> bytes:
    """Another flush's text over this statement's signature line."""
    other = parse_seal(seal_of(seal_one(flush=1)))[2]
    return other.rpartition(b"\n\n")[0] + b"\n\n" + statement.rpartition(b"\n\n")[2]


def logs() -> dict[str, Any]:
    """C2SP's forms, as the audit log uses them."""
    origin, tree = "uz.example/audit", Tree(leaf_hash(bytes([number])) for number in range(21))
    checkpoint = sign_note(Checkpoint(origin, 21, tree.root).encode(), origin, LOG_KEY)
    proof = TlogProof(13, tuple(tree.inclusion_proof(13)), checkpoint, b"salt")
    return {
        "seed": SEEDS["log"],
        "verifier": verifier_text(origin, LOG_KEY.public.raw),
        "checkpoint": checkpoint.decode(),
        "proof": {"leaf": tree.node(0, 13).hex(), "text": proof.encode().decode()},
        "tiles_of_70000": [tile.path for tile in tiles_of(70_000) if tile.is_partial or tile.level > 0],
        "paths": {str(index): Tile(0, index).path for index in (0, 999, 1000, 1_234_067)},
        "bundle": {"entries": ["", "00", "ff" * 3], "bytes": encode_bundle([b"", b"\x00", b"\xff" * 3]).hex()},
    }


FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "records.json": records,
    "trees.json": trees,
    "statements.json": statements,
    "seals.json": seals,
    "damaged-seals.json": damaged_seals,
    "evidence.json": evidence,
    "logs.json": logs,
}


def render(name: str) -> str:
    """A vector file's text."""
    return json.dumps(FILES[name](), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every file."""
    for name in FILES:
        (HERE / name).write_text(render(name), encoding="utf-8")


if __name__ == "__main__":
    main()
