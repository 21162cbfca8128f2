"""Receipts: proof of a use that anyone verifies offline, and that nobody can alter."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.audit import AuditRecord, Consistency, Receipt, sign_entry, verify_receipt
from exchange.audit.published import Published
from exchange.audit.receipt import MAX_RECEIPT_BYTES
from exchange.audit.store import LogStore
from exchange.errors import DocumentInvalid, ExchangeError, ProofInvalid
from exchange.merkle import TlogProof, Tree, leaf_hash
from exchange.transport.http import Credentials
from exchange.trust import SigningKey

from . import independent
from .world import GATEWAY_KEY, LOG_KEY, ORIGIN, OTHER_KEY, TAX, TOPIC, World, data_of, open_store, prove, salt_of

WORLD = World()
RECORDS = WORLD.records(300)
DIRECTORY = WORLD.directory()
DATA = [data_of(record) for record in RECORDS]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LogStore:
    """A log of the 300 records."""
    store = open_store(tmp_path_factory.mktemp("log"))
    store.commit(DATA, {TOPIC: 300})
    return store


@pytest.fixture(scope="module")
def receipt(store: LogStore) -> Receipt:
    """The receipt of record 256: the first in the second tile."""
    return prove(store, RECORDS[256])


def independently(receipt: Receipt) -> bool:
    """What the second verifier says."""
    gateways = {WORLD.credentials.keyid: GATEWAY_KEY.public.raw}
    return independent.accepts(receipt.encode(), gateways, ORIGIN, LOG_KEY.public.raw)


def test_a_receipt_verifies_with_the_directory_alone(receipt: Receipt) -> None:
    """The directory and the file are enough to know what happened and that it is in the log."""
    verified = verify_receipt(receipt.encode(), DIRECTORY)
    assert verified.entry == WORLD.entry(256)
    assert (verified.index, verified.checkpoint.size, verified.checkpoint.origin) == (256, 300, ORIGIN)
    assert verified.leaf == receipt.leaf == leaf_hash(DATA[256])


@pytest.mark.parametrize("index", [0, 1, 254, 255, 256, 257, 298, 299])
def test_both_verifiers_accept_receipts_on_both_sides_of_a_tile(store: LogStore, index: int) -> None:
    """A verifier that shares no code with the project accepts what the project does."""
    receipt = prove(store, RECORDS[index])
    assert verify_receipt(receipt.encode(), DIRECTORY, store.published.note).index == index
    assert independently(receipt)


def test_a_receipt_reads_back(receipt: Receipt) -> None:
    """The file gives the same receipt again, with all of its parts."""
    whole = receipt.with_consistency(Consistency(7, (bytes(32), bytes(range(32)))))
    for each in (whole, receipt, Receipt(RECORDS[0])):
        assert Receipt.parse(each.encode()) == each


def test_a_new_proof_takes_the_old_bridge_along(receipt: Receipt) -> None:
    """A consistency proof belongs to one proof: with another it is gone."""
    bridged = receipt.with_consistency(Consistency(7, ()))
    assert bridged.with_proof(b"other").consistency is None


def test_a_receipt_without_a_proof_says_what_to_do() -> None:
    """What the gateway gave at once is no proof yet, and the message says how to come to one."""
    with pytest.raises(ProofInvalid, match="complete it at the log") as caught:
        verify_receipt(Receipt(RECORDS[0]).encode(), DIRECTORY)
    assert caught.value.code == "proof_missing"


def changed(receipt: Receipt, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The receipt's file with something in it changed."""
    content = json.loads(receipt.encode())
    change(content)
    return json.dumps(content).encode()


def flipped(text: str, at: int = 10) -> str:
    """Base64 of the same bytes with one bit changed."""
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return base64.b64encode(raw).decode()


def in_document(name: str, value: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["document"].update({name: value(content["document"][name])})


def in_signature(name: str, value: Callable[[str], str]) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        signature = content["document"]["signatures"][0]
        signature[name] = value(signature[name])

    return change


def in_proof(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.update(proof=content["proof"].replace(old, new, 1))


def in_proof_line(number: int, new: Callable[[str], str]) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        lines = content["proof"].split("\n")
        lines[number] = new(lines[number])
        content["proof"] = "\n".join(lines)

    return change


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (lambda content: content.update(type="exchange-receipt-v2"), DocumentInvalid, "of type exchange-receipt-v1"),
        (lambda content: content.update(surplus=1), DocumentInvalid, "not a receipt"),
        (lambda content: content.pop("salt"), DocumentInvalid, "not a receipt"),
        (lambda content: content.update(salt="AAAA"), DocumentInvalid, "salt is 16 bytes"),
        (lambda content: content.update(salt="?"), DocumentInvalid, "salt is not base64"),
        (lambda content: content.update(salt=flipped(content["salt"])), ProofInvalid, "does not lead to the root"),
        (lambda content: content.update(document={}), DocumentInvalid, "not a signed audit-entry document"),
        (in_document("payload", flipped), DocumentInvalid, "altered"),
        (in_document("payloadType", lambda _: "text/plain"), DocumentInvalid, "expected a document of type"),
        (in_signature("sig", flipped), DocumentInvalid, "altered"),
        (in_signature("keyid", lambda _: f"{TAX}#{OTHER_KEY.public.fingerprint}"), DocumentInvalid, "no gateway"),
        (in_proof("tlog-proof@v1", "tlog-proof@v2"), ProofInvalid, "starts with"),
        (in_proof("index 256", "index 255"), ProofInvalid, "leaf 255"),
        (in_proof("index 256", "index 300"), ProofInvalid, "not in a tree of 300"),
        (in_proof_line(2, flipped), ProofInvalid, "does not lead to the root"),
        (in_proof_line(3, lambda line: f"{line}\n{line}"), ProofInvalid, "too long"),
        (in_proof("\n300\n", "\n301\n"), ProofInvalid, "signature by log.exchange.example/uz does not verify"),
        (in_proof("next ", "nest "), ProofInvalid, "signature by log.exchange.example/uz does not verify"),
        (in_proof(f"— {ORIGIN}", "— elsewhere.example"), ProofInvalid, "not signed by any of"),
        (lambda content: content.update(proof=""), ProofInvalid, "starts with"),
        (lambda content: content.update(consistency={"size": 1, "path": ["?"]}), DocumentInvalid, "not base64"),
    ],
)
def test_a_receipt_that_was_altered_is_refused_with_its_reason(
    receipt: Receipt, change: Callable[[dict[str, Any]], None], error: type[ExchangeError], reason: str
) -> None:
    """Whatever part is changed, the verifier says which one does not hold."""
    with pytest.raises(error, match=reason):
        verify_receipt(changed(receipt, change), DIRECTORY)


DEEP = b"[" * 50_000 + b"]" * 50_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{" * 100_000,
        b'{"type":"exchange-receipt-v1","salt":"AAAAAAAAAAAAAAAAAAAAAA==","document":' + DEEP + b"}",
        b" " * (MAX_RECEIPT_BYTES + 1),
    ],
)
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    """Random, deep or oversized bytes end with one clear error."""
    with pytest.raises(DocumentInvalid, match="receipt"):
        verify_receipt(data, DIRECTORY)


def test_the_second_verifier_refuses_what_was_altered_too(receipt: Receipt) -> None:
    """The two verifiers agree on an altered salt, entry, path and checkpoint."""
    record = receipt.record
    proof = TlogProof.parse(receipt.proof or b"")
    altered = [
        replace(receipt, record=AuditRecord(record.document, bytes(16))),
        replace(receipt, record=WORLD.record(255)),
        receipt.with_proof(replace(proof, path=proof.path[::-1]).encode()),
        receipt.with_proof(replace(proof, checkpoint=proof.checkpoint.replace(b"\n300\n", b"\n301\n")).encode()),
        receipt.with_proof(replace(proof, index=0).encode()),
    ]
    for each in altered:
        assert not independently(each)
        with pytest.raises(ProofInvalid):
            verify_receipt(each.encode(), DIRECTORY)


def test_an_entry_of_an_agency_that_is_no_gateway_makes_no_receipt(store: LogStore, receipt: Receipt) -> None:
    """A proof of the log does not help an entry that no gateway signed."""
    forged = sign_entry(WORLD.entry(gateway=TAX), Credentials(TAX, OTHER_KEY), salt_of(0))
    with pytest.raises(DocumentInvalid, match="no gateway"):
        verify_receipt(replace(receipt, record=forged).encode(), DIRECTORY)


def test_the_checkpoint_of_another_log_proves_nothing(tmp_path: Path) -> None:
    """A log under another key has the same entry in the same tree, and its proof is refused."""
    other = LogStore(tmp_path, ORIGIN, SigningKey.generate())
    other.commit(DATA[:5], {TOPIC: 5})
    with pytest.raises(ProofInvalid, match="not signed by any of"):
        verify_receipt(prove(other, RECORDS[0]).encode(), DIRECTORY)


def test_an_erased_entry_breaks_no_proof(store: LogStore) -> None:
    """When an entry and its salt are deleted, every other receipt verifies as before, in both verifiers."""
    erased = 17
    for index in (16, 18, 299):
        kept = prove(store, RECORDS[index])
        assert verify_receipt(kept.encode(), DIRECTORY).index == index
        assert independently(kept)
    bundle = store.tile("tile/entries/000") or b""
    assert RECORDS[erased].payload not in bundle
    assert RECORDS[erased].salt not in bundle


def at_size(store: LogStore, size: int) -> bytes:
    """The checkpoint that the log signed, or would have signed, at a size."""
    root = Tree(map(leaf_hash, DATA)).root_at(size)
    return Published.sign(ORIGIN, size, root, {TOPIC: size}, LOG_KEY).note


def test_the_trusted_checkpoint_may_be_the_receipts_own(store: LogStore, receipt: Receipt) -> None:
    """The same tree needs no consistency proof, even from another note over it."""
    assert verify_receipt(receipt.encode(), DIRECTORY, store.published.note).index == 256
    other = Published.sign(ORIGIN, 300, store.published.checkpoint.root, {}, LOG_KEY).note
    assert verify_receipt(receipt.encode(), DIRECTORY, other).index == 256


def test_two_trees_of_one_size_are_told_as_what_they_are(receipt: Receipt) -> None:
    """A log that signed two histories is caught, and the message says that both checkpoints are the proof."""
    fork = Published.sign(ORIGIN, 300, bytes(32), {TOPIC: 300}, LOG_KEY).note
    with pytest.raises(ProofInvalid, match="two different trees of 300") as caught:
        verify_receipt(receipt.encode(), DIRECTORY, fork)
    assert caught.value.code == "log_forked"


@pytest.mark.parametrize("size", [1, 255, 256, 257, 299])
def test_a_smaller_trusted_checkpoint_needs_a_bridge(store: LogStore, receipt: Receipt, size: int) -> None:
    """With a consistency proof to the trusted tree the receipt holds; without one the message says what to do."""
    trusted = at_size(store, size)
    with pytest.raises(ProofInvalid, match=f"the trusted one {size}") as caught:
        verify_receipt(receipt.encode(), DIRECTORY, trusted)
    assert caught.value.code == "consistency_missing"
    bridge = Consistency(size, tuple(store.consistency(size, 300)))
    assert verify_receipt(receipt.with_consistency(bridge).encode(), DIRECTORY, trusted).index == 256


def early(store: LogStore) -> Receipt:
    """The receipt of record 3 from when the log had 10 entries."""
    path = Tree(map(leaf_hash, DATA)).inclusion_proof(3, 10)
    return Receipt(RECORDS[3]).with_proof(TlogProof(3, tuple(path), at_size(store, 10)).encode())


def test_a_larger_trusted_checkpoint_needs_a_bridge(store: LogStore) -> None:
    """An old receipt holds under today's checkpoint, once it carries the proof that one history leads to the other."""
    receipt = early(store)
    with pytest.raises(ProofInvalid, match="no consistency proof"):
        verify_receipt(receipt.encode(), DIRECTORY, store.published.note)
    bridged = receipt.with_consistency(Consistency(300, tuple(store.consistency(10, 300))))
    assert verify_receipt(bridged.encode(), DIRECTORY, store.published.note).checkpoint.size == 10


def test_a_bridge_to_another_history_does_not_hold(store: LogStore) -> None:
    """A larger checkpoint that does not contain the receipt's tree is refused, whatever bridge is shown."""
    bridged = early(store).with_consistency(Consistency(300, tuple(store.consistency(10, 300))))
    fork = Published.sign(ORIGIN, 300, bytes(32), {TOPIC: 300}, LOG_KEY).note
    with pytest.raises(ProofInvalid, match="does not lead to the new root"):
        verify_receipt(bridged.encode(), DIRECTORY, fork)


def test_a_bridge_to_another_size_is_no_bridge(store: LogStore, receipt: Receipt) -> None:
    """A consistency proof counts for the checkpoint it was made for."""
    bridged = receipt.with_consistency(Consistency(255, tuple(store.consistency(255, 300))))
    with pytest.raises(ProofInvalid, match="no consistency proof"):
        verify_receipt(bridged.encode(), DIRECTORY, at_size(store, 200))


def test_a_trusted_checkpoint_must_be_the_logs(store: LogStore, receipt: Receipt) -> None:
    """A checkpoint of another origin or key is not one to verify against."""
    root = store.published.checkpoint.root
    for origin, key in (("elsewhere.example", LOG_KEY), (ORIGIN, OTHER_KEY)):
        with pytest.raises(ProofInvalid):
            verify_receipt(receipt.encode(), DIRECTORY, Published.sign(origin, 300, root, {}, key).note)
    with pytest.raises(ProofInvalid):
        verify_receipt(receipt.encode(), DIRECTORY, b"no checkpoint")
