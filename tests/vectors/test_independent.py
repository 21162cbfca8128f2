"""Two verifiers of one specification: the project's and `independent.py` agree about every vector, and beyond them."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.avro import frame
from exchange.envelope import KafkaRecord, encode_record, encode_seal, parse_seal, verify_evidence
from exchange.errors import ExchangeError, ProofInvalid, RecordRefused
from exchange.merkle import verify_inclusion
from tests.envelope.evidence_world import OPERATORS, evidence_of, operators_file
from tests.envelope.world import (
    DIRECTORY_CONTENT,
    OTHER_SCHEMA,
    PLAIN_SCHEMA,
    SCHEMA,
    Draft,
    opener,
    seal,
    seal_of,
    seal_one,
    with_seal,
)
from tests.vectors import independent
from tests.vectors.cases import described
from tests.vectors.damaged_seals import path_of

HERE = Path(__file__).parent
TEXTS = {7: SCHEMA.text, 8: OTHER_SCHEMA.text, 9: PLAIN_SCHEMA.text}
GOOD = seal_one()


def load(name: str) -> dict[str, Any]:
    """One vector file."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


SEALS, DAMAGED, EVIDENCE, RECORDS, TREES = map(
    load, ("seals.json", "damaged-seals.json", "evidence.json", "records.json", "trees.json")
)


def raw(text: str | None) -> bytes | None:
    """Bytes from their vector."""
    return None if text is None else bytes.fromhex(text)


def from_wire(wire: dict[str, Any]) -> dict[str, Any]:
    """A record from its vector, as the second verifier takes it."""
    headers = [(name, raw(value)) for name, value in wire["headers"]]
    return {**wire, "key": raw(wire["key"]), "value": raw(wire["value"]), "headers": headers}


def theirs(record: dict[str, Any]) -> tuple[int, str, Any]:
    """What the second verifier makes of a record: step, code, and the data where it opens."""
    try:
        data, _ = independent.open_record(record, DIRECTORY_CONTENT, TEXTS.get)
    except independent.Refused as refused:
        return *refused.args, None
    return 0, "", data


def ours(record: KafkaRecord) -> tuple[int, str, Any]:
    """What opening makes of it."""
    try:
        return 0, "", opener().open(record).data
    except RecordRefused as error:
        return error.step, error.code, None


def parts(record: KafkaRecord) -> dict[str, Any]:
    """A record as the second verifier takes it."""
    return {name: getattr(record, name) for name in ("topic", "timestamp", "key", "value")} | {
        "headers": list(record.headers)
    }


def agree(record: KafkaRecord) -> tuple[int, str, Any]:
    """What both make of a record."""
    verdict = ours(record)
    assert str(theirs(parts(record))) == str(verdict)  # as text: a double may be no number
    return verdict


def test_it_is_written_from_the_specification_alone():
    """It has at most 200 lines, and imports nothing of the project, nor anything else but Ed25519."""
    text = (HERE / "independent.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    modules = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert modules - {"cryptography"} <= set(__import__("sys").stdlib_module_names)


@pytest.mark.parametrize("case", SEALS["valid"], ids=lambda case: case["name"])
def test_what_opens_opens(case):
    """Every valid record has the data of the file."""
    assert theirs(from_wire(case["record"])) == (0, "", case["event"]["data"])


@pytest.mark.parametrize("case", SEALS["damaged"], ids=lambda case: case["name"])
def test_what_is_damaged_is_refused_at_its_step(case):
    """Every damaged record is refused with the code and the step of the file."""
    assert theirs(from_wire(case["record"])) == (case["step"], case["code"], None)


@pytest.mark.parametrize("case", DAMAGED["seals"] + DAMAGED["statements"], ids=lambda case: case["name"])
def test_a_damaged_seal_is_judged_alike(case):
    """Each field off by one, each line of the statement bent: the file's step for both."""
    index, path, _ = parse_seal(seal_of(GOOD))
    sealed = raw(case["seal"]) if "seal" in case else encode_seal(index, path, raw(case["statement"]))
    assert agree(with_seal(GOOD, sealed))[:2] == (case["step"], case["code"])


def test_a_seal_of_any_length_is_judged_alike():
    """Cut after every byte, and with paths of 0 to 255 hashes."""
    sealed = seal_of(GOOD)
    index, _, statement = parse_seal(sealed)
    assert len(DAMAGED["cut"]) == len(sealed)
    assert [agree(with_seal(GOOD, sealed[:size]))[0] for size in range(len(sealed))] == DAMAGED["cut"]
    found = [agree(with_seal(GOOD, encode_seal(index, path_of(count), statement)))[0] for count in range(256)]
    assert found == DAMAGED["hashes"]


@pytest.mark.parametrize("case", RECORDS["cases"], ids=lambda case: case["name"])
def test_a_leaf_covers_the_same_bytes(case):
    """Covered bytes, the leading zero apart, are the file's."""
    headers = [(name, bytes.fromhex(value)) for name, value in case["headers"]]
    covered = independent.covered(case["topic"], raw(case["key"]), headers, raw(case["value"]))
    assert covered.hex() == "00" + case["encoded"]
    assert encode_record(case["topic"], raw(case["key"]), headers, raw(case["value"])) == covered[1:]


def test_paths_of_every_tree_are_climbed_alike():
    """All paths of trees of 1 to 33 leaves; each from another leaf, at another index, short, long and swapped."""
    leaves = list(map(bytes.fromhex, TREES["leaves"]))
    for tree in TREES["trees"]:
        root, size = bytes.fromhex(tree["root"]), tree["size"]
        for index, path in enumerate(map(bytes.fromhex, tree["paths"])):
            assert climbs(leaves[index], index, size, path, root)
            for other in range(size):
                climbs(leaves[index], other, size, path, root)
                assert not climbs(leaves[other], index, size, path, root) or other == index
            for bent in (path[:-32], path + path[:32], path + bytes(32), path[32:] + path[:32]):
                assert not climbs(leaves[index], index, size, bent, root) or bent == path


def test_damaged_paths_lead_nowhere():
    """Every damaged proof of the file is refused by both."""
    for case in TREES["damaged_inclusion"]:
        leaf, path, root = (bytes.fromhex(case[name]) for name in ("leaf", "path", "root"))
        assert not climbs(leaf, case["index"], case["size"], path, root), case["name"]


def climbs(leaf: bytes, index: int, size: int, path: bytes, root: bytes) -> bool:
    """Whether both find that the path leads to the root."""
    try:
        theirs_holds = independent.climb(leaf, index, size - 1, path) == root
    except AssertionError:
        theirs_holds = False
    try:
        verify_inclusion(leaf, index, size, [path[at : at + 32] for at in range(0, len(path), 32)], root)
    except ProofInvalid:
        assert not theirs_holds
        return False
    assert theirs_holds
    return True


@pytest.mark.parametrize("case", EVIDENCE["valid"], ids=lambda case: case["name"])
def test_evidence_that_holds_holds(case):
    """Every valid file proves its event to both."""
    data = case["file"].encode()
    assert independent.verify_evidence(data, EVIDENCE["operators"]) == case["event"]["data"]
    assert described(verify_evidence(data, OPERATORS).event) == case["event"]


def damaged_file(case: dict[str, Any]) -> bytes:
    """The first valid file with the damage of a case."""
    good = EVIDENCE["valid"][0]["file"]
    assert good[case["at"] :].startswith(case["old"])
    return (good[: case["at"]] + case["new"] + good[case["at"] + len(case["old"]) :]).encode()


@pytest.mark.parametrize("case", EVIDENCE["damaged"], ids=lambda case: case["name"])
def test_damaged_evidence_is_refused_alike(case):
    """Every damaged file is refused with the file's step and code by both."""
    assert evidence_verdicts(damaged_file(case)) == [(case["step"], case["code"])] * 2


def evidence_verdicts(data: bytes) -> list[tuple[int, str]]:
    """What the two make of a file."""
    found = []
    try:
        verify_evidence(data, OPERATORS)
        found.append((0, ""))
    except ExchangeError as error:
        found.append((error.step if isinstance(error, RecordRefused) else 0, error.code))
    try:
        independent.verify_evidence(data, operators_file())
        found.append((0, ""))
    except independent.Refused as refused:
        found.append(refused.args)
    return found


def test_a_changed_byte_at_any_place_is_refused_at_one_step():
    """Key, value, names and values of headers, seal: each byte of one record changed, both name the same step."""
    key, value, seen = GOOD.key or b"", GOOD.value or b"", set()
    for at in range(len(key)):
        seen.add(agree(replace(GOOD, key=bent(key, at)))[0])
    for at in range(len(value)):
        seen.add(agree(replace(GOOD, value=bent(value, at)))[0])
    for number, (name, content) in enumerate(GOOD.headers):
        for at in range(len(name)):
            seen.add(agree(with_header(number, bent(name.encode(), at).decode("latin-1"), content))[0])
        for at in range(len(content)):
            seen.add(agree(with_header(number, name, bent(content, at)))[0])
    assert seen == {1, 2, 3, 5, 6, 7}


def bent(data: bytes, at: int) -> bytes:
    """The bytes with the lowest bit of one changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def with_header(number: int, name: str, value: bytes) -> KafkaRecord:
    """The good record with one header replaced."""
    return replace(GOOD, headers=(*GOOD.headers[:number], (name, value), *GOOD.headers[number + 1 :]))


@given(st.binary(max_size=60) | st.tuples(st.integers(0, 26), st.integers(0, 255)))
def test_values_under_a_good_seal_are_read_alike(change):
    """Random values, and good ones with a byte changed, sealed: both refuse them, or both read the same data."""
    good = SCHEMA.encode({"code": "0101", "title": "Horses, live", "duty": 5.0})
    payload = change if isinstance(change, bytes) else good[: change[0]] + bytes([change[1]]) + good[change[0] + 1 :]
    step, _, data = agree(seal([Draft(value=frame(7, payload))])[0])
    assert step in (0, 8)
    assert (data is None) == (step == 8)


@given(at=st.integers(0, 4000), byte=st.integers(0, 127))
def test_evidence_with_a_changed_byte_is_judged_alike(at, byte):
    """One byte of a file changed, whichever: both refuse it, or both take it."""
    data = evidence_of(GOOD).encode()
    at %= len(data)
    first, second = evidence_verdicts(data[:at] + bytes([byte]) + data[at + 1 :])
    assert (first[1] == "") == (second[1] == "")
