"""What a file of evidence proves (spec 11): numbered steps that raise, with the operators' keys and nothing else.

Evidence is opened as a subscriber opens a record, under the directory that it brings along.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from exchange.avro import RegisteredSchema, Schema
from exchange.envelope.content import schema_id_of
from exchange.envelope.event import Event
from exchange.envelope.evidence import Evidence, Voucher
from exchange.envelope.open import Opener
from exchange.envelope.record import KafkaRecord, Record
from exchange.envelope.seal import parse_seal
from exchange.envelope.statement import Statement, parse_statement
from exchange.envelope.verify import verify_signature
from exchange.errors import DocumentInvalid, SchemaInvalid, SchemaMismatch, SealSignatureInvalid
from exchange.merkle import note_key_id
from exchange.trust import Directory, Operators, open_directory


@dataclass(frozen=True, slots=True)
class Proven:
    """What evidence proves: the event, the statement that seals it, and whose key signed, under which directory.

    `event.partition`, `event.offset` and `timestamp` (ms) are the broker's and told, not proven.
    """

    event: Event
    statement: Statement
    publisher: Voucher
    directory: Directory
    timestamp: int


def make_evidence(record: Record, schema: str | None, directory: bytes, operators: Operators) -> Evidence:
    """Evidence of a record that opens under a signed directory (its envelope's bytes); `schema` is its value's.

    Raises DocumentInvalid (the directory) or the RecordRefused subclass of the first step that does not hold.
    """
    parts = (record.topic, record.partition, record.offset, record.timestamp, record.key, record.value)
    copy = KafkaRecord(*parts, tuple(record.headers))
    publisher = _open(copy, schema, open_directory(directory, operators, None)).publisher
    return Evidence(copy, schema, publisher, msgspec.json.decode(directory))


def verify_evidence(data: bytes, operators: Operators) -> Proven:
    """Verify a file of evidence (spec 11); raises what the first step that does not hold raises.

    DocumentInvalid (the file, the directory, the publisher's entry), ProofInvalid (the proof is none), or a
    RecordRefused subclass (the record, at its step of spec 3).
    """
    evidence = Evidence.parse(data)  # 1
    directory = open_directory(msgspec.json.encode(evidence.directory), operators, None)  # 2
    proven = _open(evidence.record, evidence.schema, directory)  # 3
    _verify_publisher(evidence.publisher, proven.publisher)  # 4
    return proven


class _OneSchema:
    """The schema that evidence brings along, under whatever number the value says: step 8 holds it to its name."""

    def __init__(self, text: str | None, number: int | None) -> None:
        self._text = text
        self._number = number

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """The schema, once the value asks for it."""
        if self._text is None or schema_id != self._number:
            return None
        try:
            return RegisteredSchema(schema_id, Schema.parse(self._text))
        except SchemaInvalid as error:
            raise SchemaMismatch(f"the evidence's schema is none: {error.message}") from None


class _Timeless:
    """A clock before every expiry: a directory that has expired since proves what it vouched for all the same."""

    def now(self) -> datetime:
        """The first moment there is."""
        return datetime.min.replace(tzinfo=UTC)


def _open(record: KafkaRecord, schema: str | None, directory: Directory) -> Proven:
    schemas = _OneSchema(schema, schema_id_of(record.value))
    event = Opener(lambda: directory, schemas, clock=_Timeless()).open(record)
    if record.value is None and schema is not None:
        raise SchemaMismatch("a tombstone has no value, hence evidence of it no schema")
    statement = parse_statement(parse_seal(record.headers[-1][1])[2])
    return Proven(event, statement, _voucher(statement, directory), directory, record.timestamp)


def _voucher(statement: Statement, directory: Directory) -> Voucher:
    """What the directory says about the key that signed, of those that opening may have taken."""
    agency = directory.agencies[statement.publisher.agency]
    for key in agency.keys_at(statement.time):
        if note_key_id(statement.origin, key.public.raw) == statement.key_id:
            with suppress(SealSignatureInvalid):  # four bytes of another key may be the same
                verify_signature(statement, [key.public])
                return Voucher.of(statement.publisher, agency, key)
    raise SealSignatureInvalid(f"no key of {agency.id} signed the statement of {statement.origin}")


def _verify_publisher(told: Voucher, found: Voucher) -> None:
    """Step 4: whoever reads the file without verifying it is told what the directory says."""
    for name in Voucher.__struct_fields__:
        if getattr(told, name) != getattr(found, name):
            raise DocumentInvalid(
                f"the evidence says {name} {getattr(told, name)[:200]!r} of its publisher, the directory inside it "
                f"{getattr(found, name)!r}"
            )
