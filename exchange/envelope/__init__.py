"""Event <-> Kafka record: headers, seal and open, sequences (spec 2 and 3)."""

from exchange.envelope.content import SchemaSource, schema_id_of
from exchange.envelope.event import Event, OpenedInternal
from exchange.envelope.headers import EVENT_CONTENT_TYPE, EventHeaders, document_headers, event_type, source_of
from exchange.envelope.open import Opener
from exchange.envelope.record import (
    MAX_RECORD,
    SEAL_HEADER,
    Headers,
    KafkaRecord,
    Record,
    Unsealed,
    encode_record,
    record_leaf,
)
from exchange.envelope.seal import Sealer, encode_seal, parse_seal
from exchange.envelope.sequence import Gap, Sequenced, SequenceTracker
from exchange.envelope.statement import MAX_FLUSH, Statement, parse_statement, sign_statement

__all__ = [
    "EVENT_CONTENT_TYPE",
    "MAX_FLUSH",
    "MAX_RECORD",
    "SEAL_HEADER",
    "Event",
    "EventHeaders",
    "Gap",
    "Headers",
    "KafkaRecord",
    "OpenedInternal",
    "Opener",
    "Record",
    "SchemaSource",
    "Sealer",
    "SequenceTracker",
    "Sequenced",
    "Statement",
    "Unsealed",
    "document_headers",
    "encode_record",
    "encode_seal",
    "event_type",
    "parse_seal",
    "parse_statement",
    "record_leaf",
    "schema_id_of",
    "sign_statement",
    "source_of",
]
