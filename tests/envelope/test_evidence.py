"""Evidence (spec 11): a file that proves an event with the operators' keys alone, and nothing once it was touched."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.avro import frame
from exchange.clock import format_micros
from exchange.envelope import SEAL_HEADER, Evidence, make_evidence, record_leaf, verify_evidence
from exchange.errors import (
    DocumentInvalid,
    ExchangeError,
    InclusionInvalid,
    KeyNotValid,
    OriginMismatch,
    ProofInvalid,
    PublisherNotAllowed,
    RecordRefused,
    SchemaMismatch,
    SealMalformed,
    SealSignatureInvalid,
    StatementMalformed,
)
from exchange.merkle import NoteVerifier, TlogProof, verifier_text
from exchange.trust import Operators

from .evidence_world import (
    OPERATOR_KEYS,
    OPERATORS,
    STRANGE_KEY,
    changed,
    directory_content,
    evidence_of,
    signed_directory,
)
from .world import (
    CUSTOMS_KEY,
    DATA,
    EVENT_TIME,
    INTERIOR_KEY,
    INTERIOR_TOPIC,
    NOW,
    OTHER_SCHEMA,
    RESIDENCES,
    RETIRED_KEY,
    SCHEMA,
    TARIFF,
    UNLISTED,
    Draft,
    opener,
    seal,
    seal_one,
)

GOOD = evidence_of().encode()
CONTENT = json.loads(GOOD)


def refusal(data: bytes, operators: Operators = OPERATORS) -> ExchangeError:
    """What verifying ends with; fails where the evidence holds."""
    with pytest.raises(ExchangeError) as caught:
        verify_evidence(data, operators)
    return caught.value


def line(text: str, old: str, new: str) -> str:
    """The text with one piece replaced, which is there once."""
    assert text.count(old) == 1
    return text.replace(old, new)


def test_evidence_tells_who_what_and_when():
    """The operators' keys are all it takes to read the event, its publisher and the time of its seal."""
    proven = verify_evidence(GOOD, OPERATORS)
    assert (proven.event.data, proven.event.key, proven.event.time) == (DATA, "0101", EVENT_TIME)
    assert (proven.event.publisher, proven.publisher.member) == (str(TARIFF), "Customs")
    assert proven.publisher.verifier == verifier_text(str(TARIFF), CUSTOMS_KEY.public.raw)
    assert (proven.statement.time, proven.statement.epoch, proven.statement.flush) == (NOW, 3, 4217)
    assert (proven.directory.version, proven.event.offset) == (1, 1)


def test_evidence_is_the_record_in_other_words():
    """What is read from the file is the record as the consumer had it, seal included, to the byte."""
    record = seal_one()
    assert Evidence.parse(evidence_of(record).encode()).record == record
    assert opener().open(Evidence.parse(GOOD).record) == verify_evidence(GOOD, OPERATORS).event


@pytest.mark.parametrize("size", [1, 2, 3, 33, 2000])
def test_evidence_of_any_place_in_a_flush_holds(size):
    """The first, the last and a middle record of flushes of every size are proven alike."""
    flush = seal([Draft(sequence=number) for number in range(size)])
    for place in {0, size // 2, size - 1}:
        assert verify_evidence(evidence_of(flush[place]).encode(), OPERATORS).event.sequence == place


@pytest.mark.parametrize(
    "record",
    [
        seal_one(Draft(value=None)),
        seal_one(Draft(key=None)),
        seal_one(Draft(key="калит".encode())),
        seal_one(Draft(key=b"")),
        seal_one(timestamp=NOW + timedelta(minutes=10)),
        seal_one(key=RETIRED_KEY, time=NOW.replace(year=2025)),
        seal_one(Draft(topic=INTERIOR_TOPIC, subject="mfrggzdfmztwq2lk"), publisher=RESIDENCES, key=INTERIOR_KEY),
    ],
    ids=["tombstone", "no key", "key beyond ASCII", "empty key", "ten minutes off", "a year ago", "personal data"],
)
def test_whatever_a_subscriber_takes_can_be_evidence(record):
    """Every kind of event that opens becomes evidence, and opens to the same from it."""
    assert verify_evidence(evidence_of(record).encode(), OPERATORS).event == opener().open(record)


def test_a_directory_that_has_expired_proves_the_past():
    """Evidence is of a moment: what expired since then does not take it back."""
    directory = signed_directory(directory_content(expires="2026-11-22T00:00:01Z"))
    assert verify_evidence(evidence_of(directory=directory).encode(), OPERATORS).event.data == DATA


def test_the_checkpoint_and_its_path_are_for_every_c2sp_verifier():
    """The proof's text verifies by C2SP's rules with the key that the file tells."""
    evidence = Evidence.parse(GOOD)
    record = evidence.record
    leaf = record_leaf(record.topic, record.key, record.headers[:-1], record.value)
    verifier = NoteVerifier(str(TARIFF), CUSTOMS_KEY.public)
    checkpoint = TlogProof.parse(CONTENT["proof"].encode()).verify(leaf, str(TARIFF), [verifier])
    assert (checkpoint.size, checkpoint.extensions[0]) == (3, "epoch 3")
    assert evidence.publisher.not_before == format_micros(NOW.replace(month=1, day=1, hour=0, microsecond=0))


def test_no_evidence_is_made_of_what_is_refused():
    """A record that a subscriber would refuse is refused here with the same words."""
    with pytest.raises(PublisherNotAllowed):
        evidence_of(seal_one(publisher=UNLISTED))
    with pytest.raises(SchemaMismatch):
        make_evidence(seal_one(), None, signed_directory(), OPERATORS)
    with pytest.raises(SchemaMismatch, match="tombstone"):
        make_evidence(seal_one(Draft(value=None)), SCHEMA.text, signed_directory(), OPERATORS)
    with pytest.raises(DocumentInvalid):
        evidence_of(directory=signed_directory(signers={"operator-1": STRANGE_KEY}))


RECORD = {
    "topic": (("record", "topic"), "gov.customs.tariff.code-withdrawn.v1", InclusionInvalid),
    "topic of another": (("record", "topic"), INTERIOR_TOPIC, PublisherNotAllowed),
    "topic of ours": (("record", "topic"), "_exchange.positions", InclusionInvalid),
    "key": (("record", "key"), "0102", InclusionInvalid),
    "no key": (("record", "key"), None, InclusionInvalid),
    "value": (("record", "value"), "AAAAAAcIMDEwMhhIb3JzZXMsIGxpdmUCAAAAAAAAFEA=", InclusionInvalid),
    "no value": (("record", "value"), None, InclusionInvalid),
    "header": (("record", "headers", 0, 1), "text/plain", InclusionInvalid),
    "header's name": (("record", "headers", 0, 0), "Content-Type", InclusionInvalid),
    "source": (("record", "headers", 3, 1), "/UZ/GOV/interior/civil", OriginMismatch),
    "headers in another order": (
        ("record", "headers"),
        [*CONTENT["record"]["headers"][1:], CONTENT["record"]["headers"][0]],
        InclusionInvalid,
    ),
    "header more": (("record", "headers"), [*CONTENT["record"]["headers"], ["x", ""]], InclusionInvalid),
    "header less": (("record", "headers"), CONTENT["record"]["headers"][:-1], InclusionInvalid),
    "no headers": (("record", "headers"), [], OriginMismatch),
    "a seal of its own": (("record", "headers"), [[SEAL_HEADER, ""]], SealMalformed),
    "broker's time": (("record", "timestamp"), CONTENT["record"]["timestamp"] + 600_001, KeyNotValid),
    "schema": (("schema",), OTHER_SCHEMA.text, SchemaMismatch),
    "schema's doc": (("schema",), line(SCHEMA.text, '"namespace"', '"doc": "", "namespace"'), SchemaMismatch),
    "no schema": (("schema",), None, SchemaMismatch),
    "schema that is none": (("schema",), "{", SchemaMismatch),
}


@pytest.mark.parametrize(("path", "to", "kind"), RECORD.values(), ids=RECORD.keys())
def test_a_changed_record_is_named_at_its_step(path, to, kind):
    """Whatever is changed in record or schema is refused as a subscriber would refuse it."""
    error = refusal(changed(GOOD, *path, to=to))
    assert (type(error), error.exit_code) == (kind, 3)


PROOF = {
    "index": ("index 1", "index 0", InclusionInvalid),
    "index outside": ("index 1", "index 3", InclusionInvalid),
    "index of no seal": ("index 1", f"index {2**32}", ProofInvalid),
    "index with a zero": ("index 1", "index 01", ProofInvalid),
    "extra": ("index 1", "extra AA==\nindex 1", ProofInvalid),
    "version": ("@v1", "@v2", ProofInvalid),
    "path short": (CONTENT["proof"].split("\n")[2] + "\n", "", InclusionInvalid),
    "path of 256": ("index 1\n", "index 1\n" + 254 * ("A" * 43 + "=\n"), ProofInvalid),
    "hash short": (CONTENT["proof"].split("\n")[2], "AAAA", ProofInvalid),
    "origin": ("\n\nUZ/GOV/customs/tariff/hs", "\n\nUZ/GOV/customs/tariff/sh", StatementMalformed),
    "size": ("\n3\n", "\n4\n", SealSignatureInvalid),
    "epoch": ("epoch 3", "epoch 4", SealSignatureInvalid),
    "time": ("10:00:00.123Z", "10:00:00.124Z", SealSignatureInvalid),
    "year": ("time 2026", "time 2027", KeyNotValid),
    "signature": ("FDQnxi5q", "FDQnxi5r", SealSignatureInvalid),
    "key id": ("FDQnx", "FDQox", KeyNotValid),
    "checkpoint of 64 KiB": ("epoch 3\n", "epoch 3\n" + "x" * 65536 + "\n", ProofInvalid),
}


@pytest.mark.parametrize(("old", "new", "kind"), PROOF.values(), ids=PROOF.keys())
def test_a_changed_proof_is_named_at_its_step(old, new, kind):
    """A proof that is none ends with the audit's exit code, one that does not hold with the record's."""
    error = refusal(changed(GOOD, "proof", to=line(CONTENT["proof"], old, new)))
    assert (type(error), error.exit_code) == (kind, 9 if kind is ProofInvalid else 3)


FILE = {
    "empty": b"",
    "no newline": GOOD[:-1],
    "two newlines": GOOD + b"\n",
    "carriage return": GOOD[:-1] + b"\r\n",
    "a space": GOOD.replace(b'":{', b'": {', 1),
    "another order": json.dumps(dict(reversed(CONTENT.items())), separators=(",", ":")).encode() + b"\n",
    "a member twice": GOOD.replace(b'"schema":', b'"schema":"","schema":', 1),
    "a member more": GOOD.replace(b'"schema":', b'"more":1,"schema":', 1),
    "a surrogate": GOOD.replace(b'"0101"', b'"\\ud800"', 1),
    "a number as a double": GOOD.replace(b'"offset":1', b'"offset":1.0', 1),
    "an offset that JSON does not have": GOOD.replace(b'"offset":1', b'"offset":9007199254740993', 1),
    "another type": changed(GOOD, "type", to="exchange-evidence-v2"),
    "value with stray bits": GOOD.replace(b'FEA="', b'FEB="', 1),
    "value no base64": changed(GOOD, "record", "value", to="…"),
    "no member": GOOD.replace(b'"schema"', b'"scheme"', 1),
    "deep": b'{"directory":' + b"[" * 100_000,
    "no object": b"[]\n",
    "not UTF-8": GOOD.replace(b"Customs", b"\xff"),
}


@pytest.mark.parametrize("data", FILE.values(), ids=FILE.keys())
def test_another_spelling_of_the_file_is_refused(data):
    """The parser takes exactly what the writer writes."""
    assert type(refusal(data)) is DocumentInvalid


@pytest.mark.parametrize("member", ["id", "member", "verifier", "not_before", "not_after"])
def test_the_publishers_entry_is_the_directorys(member):
    """Nobody is told another name, key or validity than the signed directory has."""
    error = refusal(changed(GOOD, "publisher", member, to="Interior"))
    assert (type(error), f"says {member} 'Interior'" in error.message) == (DocumentInvalid, True)


def resigned(content: dict[str, object], **signers: object) -> bytes:
    """The good evidence under another directory."""
    two = {keyid: OPERATOR_KEYS[keyid] for keyid in ("operator-1", "operator-3")}
    return changed(GOOD, "directory", to=json.loads(signed_directory(content, signers or two)))


def test_the_directory_needs_the_operators_signatures():
    """One operator is too few, strangers are none, and a changed byte leaves none."""
    one = {"operator-1": OPERATOR_KEYS["operator-1"]}
    for signers in (one, {**one, "operator-2": STRANGE_KEY}, {"stranger": STRANGE_KEY, **one}):
        assert type(refusal(resigned(directory_content(), **signers))) is DocumentInvalid
    payload = CONTENT["directory"]["payload"]
    assert type(refusal(changed(GOOD, "directory", "payload", to=payload.replace("ey", "ez", 1)))) is DocumentInvalid
    assert type(refusal(changed(GOOD, "directory", to={}))) is DocumentInvalid
    strangers = Operators(1, {"operator-1": STRANGE_KEY.public})
    assert type(refusal(GOOD, strangers)) is DocumentInvalid


def test_what_another_directory_says_counts():
    """An agency that it suspends, or a key that it does not have, is refused though the signature is good."""
    suspended = directory_content()
    suspended["members"][0]["status"] = "suspended"
    assert type(refusal(resigned(suspended))) is PublisherNotAllowed
    keyless = directory_content()
    keyless["members"][0]["subsystems"][0]["keys"] = []
    assert type(refusal(resigned(keyless))) is KeyNotValid
    assert verify_evidence(resigned(directory_content(version=2)), OPERATORS).directory.version == 2


def test_a_key_that_is_listed_twice_is_told_by_the_first_that_fits():
    """Evidence has one encoding also where the directory has the key under two validities."""
    content = directory_content()
    keys = content["members"][0]["subsystems"][0]["keys"]
    keys.append({**keys[1], "not_after": "2030-01-01T00:00:00Z"})
    evidence = evidence_of(directory=signed_directory(content))
    assert evidence.publisher.not_after == "2027-01-01T00:00:00.000000Z"


def test_a_record_that_is_no_text_is_no_evidence():
    """Headers of bytes are no event's: writing them ends in one line, not in a crash."""
    record = seal_one()
    broken = replace(record, headers=(("content-type", b"\xff"), *record.headers[1:]))
    with pytest.raises(DocumentInvalid):
        replace(evidence_of(), record=broken).encode()
    with pytest.raises(DocumentInvalid):
        replace(evidence_of(), record=replace(record, offset=2**60)).encode()


def test_a_value_of_megabytes_is_evidence():
    """The largest values that topics take fit, and what is larger than any evidence is not read."""
    title = "x" * 4_000_000
    record = seal_one(Draft(value=frame(7, SCHEMA.encode({**DATA, "title": title}))))
    assert verify_evidence(evidence_of(record).encode(), OPERATORS).event.data["title"] == title
    assert type(refusal(b" " * (64 * 1024 * 1024 + 1))) is DocumentInvalid


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_unless_it_is_told_only(position, byte):
    """One byte of the file, whichever: refused, or one of the numbers that the broker told."""
    data = GOOD[:position] + bytes([byte]) + GOOD[position + 1 :]
    try:
        proven = verify_evidence(data, OPERATORS)
    except (DocumentInvalid, ProofInvalid, RecordRefused):
        return
    told = {"partition": 0, "offset": 0}
    assert msgspec.structs.replace(proven.event, **told) == msgspec.structs.replace(
        verify_evidence(GOOD, OPERATORS).event, **told
    )


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text(max_size=5), lambda each: st.lists(each)))
def test_random_bytes_are_no_evidence(content):
    """No bytes make verifying end in anything but a refusal."""
    data = content if isinstance(content, bytes) else msgspec.json.encode(content) + b"\n"
    assert type(refusal(data)) is DocumentInvalid
