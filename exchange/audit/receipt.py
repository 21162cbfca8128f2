"""Receipts: proof that a use was recorded, verifiable offline for years (spec 9).

    {"type": "exchange-receipt-v1",
     "document": DSSE envelope of the entry, signed by the gateway        at once
     "salt": base64 of 16 bytes,                                          at once
     "proof": C2SP tlog-proof, its checkpoint inside,                     once a checkpoint covers the entry
     "consistency": {"size": …, "path": [base64, …]}}                     where asked for: see below

A proof's checkpoint is as old as the proof. Whoever trusts another checkpoint of the log (a newer one, a witness's)
needs to know that both are of one history: `consistency` is the RFC 6962 proof between the proof's tree and the tree
of `size` leaves, whichever of them is the larger.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from exchange.audit.entry import AuditEntry
from exchange.audit.published import open_checkpoint
from exchange.audit.record import AuditRecord, encode_salt, leaf_data, parse_salt, verify_entry
from exchange.errors import DocumentInvalid, ProofInvalid
from exchange.merkle import Checkpoint, NoteVerifier, TlogProof, leaf_hash, verify_consistency
from exchange.trust import Directory

TYPE = "exchange-receipt-v1"
MAX_RECEIPT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Consistency:
    """An RFC 6962 proof between the tree of a receipt's own checkpoint and the tree of `size` leaves."""

    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A signed entry with its salt; the log's proof as soon as there is one. Nothing is verified."""

    record: AuditRecord
    proof: bytes | None = None
    consistency: Consistency | None = None

    @property
    def leaf(self) -> bytes:
        """The hash of the log's leaf, 32 bytes; raises DocumentInvalid where the document is not one."""
        return leaf_hash(leaf_data(self.record.salt, self.record.payload))

    def with_proof(self, proof: bytes) -> Receipt:
        """The receipt with a tlog-proof (its text), and without what belonged to another proof."""
        return replace(self, proof=proof, consistency=None)

    def with_consistency(self, consistency: Consistency) -> Receipt:
        """The receipt with a bridge to another checkpoint."""
        return replace(self, consistency=consistency)

    def encode(self) -> bytes:
        """The receipt as a file: indented JSON."""
        content: dict[str, Any] = {
            "type": TYPE,
            "document": msgspec.Raw(self.record.document),
            "salt": encode_salt(self.record.salt),
        }
        if self.proof is not None:
            content["proof"] = self.proof.decode("utf-8")
        if self.consistency is not None:
            path = [base64.b64encode(each).decode("ascii") for each in self.consistency.path]
            content["consistency"] = {"size": self.consistency.size, "path": path}
        return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Receipt:
        """Read a receipt's file; raises DocumentInvalid."""
        if len(data) > MAX_RECEIPT_BYTES:
            raise DocumentInvalid(f"a receipt of {len(data)} bytes is too large (more than {MAX_RECEIPT_BYTES})")
        try:
            raw = msgspec.json.decode(data, type=_Receipt)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DocumentInvalid(f"not a receipt: {error}") from None
        if raw.type != TYPE:
            raise DocumentInvalid(f"expected a receipt of type {TYPE}, found {raw.type[:80]!r}")
        record = AuditRecord(msgspec.json.format(bytes(raw.document), indent=-1), parse_salt(raw.salt))
        proof = None if raw.proof is None else raw.proof.encode()
        return cls(record, proof, None if raw.consistency is None else _parse_consistency(raw.consistency))


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves: the entry, and where it is in which tree of the log."""

    entry: AuditEntry
    leaf: bytes
    index: int
    checkpoint: Checkpoint


def verify_receipt(receipt: bytes, directory: Directory, checkpoint: bytes | None = None) -> VerifiedReceipt:
    """Verify a receipt's file offline (spec 9), against a checkpoint that is trusted where one is given.

    Raises DocumentInvalid (steps 1-3: the receipt or its entry) or ProofInvalid (steps 4-7: the log), naming what
    does not hold. Code `proof_missing`: no checkpoint covered the entry yet when the receipt was written.
    """
    parsed = Receipt.parse(receipt)  # 1
    verified = verify_entry(parsed.record, directory)  # 2 the gateway's signature; 3 the leaf, from salt and entry
    proof = _require_proof(parsed)  # 4
    log = directory.audit_log
    covering = proof.verify(verified.leaf, log.origin, [NoteVerifier(log.origin, log.key.public)])  # 5, 6
    if checkpoint is not None:
        trusted = open_checkpoint(checkpoint, log.origin, log.key.public)
        _verify_same_log(covering, trusted, parsed.consistency)  # 7
    return VerifiedReceipt(verified.entry, verified.leaf, proof.index, covering)


def _require_proof(receipt: Receipt) -> TlogProof:
    if receipt.proof is None:
        raise ProofInvalid(
            "the receipt has no proof of the log yet: complete it at the log, then verify again", code="proof_missing"
        )
    return TlogProof.parse(receipt.proof)


def _verify_same_log(covering: Checkpoint, trusted: Checkpoint, bridge: Consistency | None) -> None:
    """Step 7: the proof's tree and the trusted one are of the same history."""
    if covering.size == trusted.size:
        _require_same_root(covering, trusted)
        return
    if bridge is None or bridge.size != trusted.size:
        raise ProofInvalid(
            f"the receipt's checkpoint has {covering.size} entries, the trusted one {trusted.size}, and the receipt "
            "has no consistency proof between them: complete it again at the log for this checkpoint",
            code="consistency_missing",
        )
    smaller, larger = sorted((covering, trusted), key=lambda each: each.size)
    verify_consistency(smaller.size, smaller.root, larger.size, larger.root, bridge.path)


def _require_same_root(covering: Checkpoint, trusted: Checkpoint) -> None:
    if covering.root != trusted.root:
        raise ProofInvalid(
            f"the log signed two different trees of {trusted.size} entries: keep both checkpoints, they prove it",
            code="log_forked",
        )


def _parse_consistency(raw: _Consistency) -> Consistency:
    try:
        return Consistency(raw.size, tuple(base64.b64decode(each, validate=True) for each in raw.path))
    except ValueError:
        raise DocumentInvalid("the receipt's consistency proof is not base64") from None


class _Consistency(msgspec.Struct, forbid_unknown_fields=True):
    size: int
    path: list[str]


class _Receipt(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    document: msgspec.Raw
    salt: str
    proof: str | None = None
    consistency: _Consistency | None = None
