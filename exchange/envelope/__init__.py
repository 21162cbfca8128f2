"""Event <-> Kafka record: headers, seal and open, sequences (spec 2 and 3); evidence (spec 11)."""

from exchange.envelope.content import SchemaSource, schema_id_of
from exchange.envelope.event import Event, OpenedInternal
from exchange.envelope.evidence import Evidence, Voucher
from exchange.envelope.headers import (
    EVENT_CONTENT_TYPE,
    EVENT_NAMES,
    EventHeaders,
    around_own,
    document_headers,
    event_type,
    source_of,
)
from exchange.envelope.open import Opener
from exchange.envelope.proven import Proven, make_evidence, verify_evidence
from exchange.envelope.record import (
    MAX_RECORD,
    SEAL_HEADER,
    Headers,
    KafkaRecord,
    Record,
    Unsealed,
    encode_count,
    encode_head,
    encode_header,
    encode_record,
    encode_size,
    record_leaf,
)
from exchange.envelope.seal import Flush, Seal, Sealer, encode_seal, parse_seal
from exchange.envelope.sequence import FORKED, REPLAYED, Gap, Sequenced, SequenceTracker
from exchange.envelope.statement import MAX_FLUSH, Statement, parse_statement, statement_text
from exchange.envelope.unverified import UnverifiedEvent, UnverifiedOpener

__all__ = [
    "EVENT_CONTENT_TYPE",
    "EVENT_NAMES",
    "FORKED",
    "MAX_FLUSH",
    "MAX_RECORD",
    "REPLAYED",
    "SEAL_HEADER",
    "Event",
    "EventHeaders",
    "Evidence",
    "Flush",
    "Gap",
    "Headers",
    "KafkaRecord",
    "OpenedInternal",
    "Opener",
    "Proven",
    "Record",
    "SchemaSource",
    "Seal",
    "Sealer",
    "SequenceTracker",
    "Sequenced",
    "Statement",
    "Unsealed",
    "UnverifiedEvent",
    "UnverifiedOpener",
    "Voucher",
    "around_own",
    "document_headers",
    "encode_count",
    "encode_head",
    "encode_header",
    "encode_record",
    "encode_seal",
    "encode_size",
    "event_type",
    "make_evidence",
    "parse_seal",
    "parse_statement",
    "record_leaf",
    "schema_id_of",
    "source_of",
    "statement_text",
    "verify_evidence",
]
