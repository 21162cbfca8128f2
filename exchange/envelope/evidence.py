"""Evidence (spec 11): one event as a file that proves itself to whoever holds the operators' public keys.

RFC 8785 JSON and a newline:

    {"type": "exchange-evidence-v1",
     "record": {"topic", "key", "headers": [[name, value], …], "value",     the seal not among the headers
                "partition", "offset", "timestamp"},                        the broker's, not proven
     "proof": the seal as C2SP tlog-proof,                                  its checkpoint is the seal's statement
     "schema": the text of the value's schema,                              null for a tombstone
     "publisher": {"id", "member", "verifier", "not_before", "not_after"},  as the directory has it
     "directory": DSSE envelope of the directory}
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import Any

import msgspec
import rfc8785

from exchange.clock import format_micros
from exchange.envelope.record import SEAL_HEADER, KafkaRecord
from exchange.envelope.seal import encode_seal, parse_seal
from exchange.errors import DocumentInvalid, ProofInvalid
from exchange.ids import PublisherId
from exchange.merkle import HASH_SIZE, TlogProof, verifier_text
from exchange.trust import Agency, Key

TYPE = "exchange-evidence-v1"
"""The format and its version."""

MAX_EVIDENCE_BYTES = 64 * 1024 * 1024
"""What a file may have: a record of 16 MiB in base64, and a large directory."""


class Voucher(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose key signed, as the directory has it: `verifier` is C2SP's text of the key, the times are its validity."""

    id: str
    member: str
    verifier: str
    not_before: str
    not_after: str

    @classmethod
    def of(cls, publisher: PublisherId, agency: Agency, key: Key) -> Voucher:
        """What a directory says about one key of a publisher's agency."""
        return cls(
            id=str(publisher),
            member=agency.name,
            verifier=verifier_text(str(publisher), key.public.raw),
            not_before=format_micros(key.not_before),
            not_after=format_micros(key.not_after),
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event's record as a consumer read it, and what it takes to verify it elsewhere. Nothing is verified.

    `schema` is the value's schema as text with all types written out; `directory` is the DSSE envelope as JSON.
    """

    record: KafkaRecord
    schema: str | None
    publisher: Voucher
    directory: dict[str, Any]

    def encode(self) -> bytes:
        """The file; raises DocumentInvalid where the record is none of an event, which is text but for its value."""
        try:
            return rfc8785.dumps(self._content()) + b"\n"
        except (ValueError, RecursionError) as error:
            raise DocumentInvalid(f"this cannot be evidence of an event: {error}") from None

    @classmethod
    def parse(cls, data: bytes) -> Evidence:
        """Read what `encode` writes, and nothing else; raises DocumentInvalid, or ProofInvalid for its proof."""
        if len(data) > MAX_EVIDENCE_BYTES:
            raise DocumentInvalid(f"evidence of {len(data)} bytes is too large (more than {MAX_EVIDENCE_BYTES})")
        try:
            raw = msgspec.json.decode(data, type=_File)
            if raw.type != TYPE:
                raise DocumentInvalid(f"expected evidence of type {TYPE}, found {raw.type[:80]!r}")
            evidence = cls(_record(raw), raw.schema, raw.publisher, raw.directory)
        except (ValueError, RecursionError) as error:  # of what is read only; ours are no ValueErrors
            raise DocumentInvalid(f"not a file of evidence: {error}") from None
        if evidence.encode() != data:
            raise DocumentInvalid("the evidence is not written as it must be: RFC 8785 JSON and one newline")
        return evidence

    def _content(self) -> dict[str, Any]:
        record, (*headers, (_, seal)) = self.record, self.record.headers
        return {
            "type": TYPE,
            "record": {
                "topic": record.topic,
                "key": None if record.key is None else record.key.decode(),
                "headers": [[name, value.decode()] for name, value in headers],
                "value": None if record.value is None else base64.b64encode(record.value).decode("ascii"),
                "partition": record.partition,
                "offset": record.offset,
                "timestamp": record.timestamp,
            },
            "proof": _proof_of(seal).encode().decode(),
            "schema": self.schema,
            "publisher": msgspec.structs.asdict(self.publisher),
            "directory": self.directory,
        }


def _proof_of(seal: bytes) -> TlogProof:
    """A seal as C2SP has it: the statement is the checkpoint."""
    index, path, statement = parse_seal(seal)
    hashes = (path[at : at + HASH_SIZE] for at in range(0, len(path), HASH_SIZE))
    return TlogProof(index, tuple(hashes), statement)


def _seal_of(text: str) -> bytes:
    """The seal that a proof was written from; raises ProofInvalid where it was written from none."""
    proof = TlogProof.parse(text.encode())
    if proof.extra:
        raise ProofInvalid("the proof of a seal has no `extra` line")
    try:
        return encode_seal(proof.index, b"".join(proof.path), proof.checkpoint)
    except struct.error:
        raise ProofInvalid("the proof is of no seal: its index, path or checkpoint is too large for one") from None


def _record(raw: _File) -> KafkaRecord:
    record = raw.record
    return KafkaRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=None if record.key is None else record.key.encode(),
        value=None if record.value is None else base64.b64decode(record.value, validate=True),
        headers=(*((name, value.encode()) for name, value in record.headers), (SEAL_HEADER, _seal_of(raw.proof))),
    )


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    topic: str
    key: str | None
    headers: list[tuple[str, str]]
    value: str | None
    partition: int
    offset: int
    timestamp: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    record: _Record
    proof: str
    schema: str | None
    publisher: Voucher
    directory: dict[str, Any]
