"""Every error the exchange raises, in one tree.

    ExchangeError
     ├─ SettingsError            a setting, an adapter file or another file people write is wrong
     ├─ IdentifierError          an agency, service, publisher or topic name is malformed (spec 1)
     ├─ TrustError
     │   ├─ SignatureInvalid     an Ed25519 signature does not verify
     │   ├─ DocumentInvalid      a signed document does not parse, or has too few good signatures (spec 4)
     │   ├─ DirectoryExpired     the directory is past its expiry: everything is denied
     │   ├─ ClockSkewed          our clock and the other side's differ by more than is allowed
     │   ├─ RequestRefused       an HTTP message signature was refused (spec 5)
     │   └─ KeyUnavailable       a signing key, or the HSM that has it, cannot be used now
     ├─ SchemaError
     │   ├─ SchemaInvalid        the text is not an Avro schema
     │   ├─ SchemaIncompatible   a change would break readers or writers
     │   ├─ SchemaNotFound       no such subject, version or id
     │   ├─ SchemaNotOwned       the subject belongs to another agency
     │   └─ ValueInvalid         a value does not fit its schema
     ├─ RecordRefused            a record did not verify; one subclass a step (spec 3)
     │   ├─ SealMalformed          1
     │   ├─ StatementMalformed     2
     │   ├─ OriginMismatch         3
     │   ├─ PublisherNotAllowed    4
     │   ├─ KeyNotValid            5
     │   ├─ SealSignatureInvalid   6
     │   ├─ InclusionInvalid       7
     │   ├─ SchemaMismatch         8
     │   └─ SequenceRefused        9
     ├─ TransportError
     │   ├─ BrokerUnreachable    Kafka does not answer
     │   ├─ PublisherFenced      another process took this publisher over: stop, do not retry
     │   ├─ RecordTooLarge       the record exceeds what its topic takes
     │   └─ PeerUnreachable      an HTTP peer does not answer
     ├─ AccessDenied             the decision was to deny (spec 8); `code` says which rule
     ├─ LookupFailed             a permitted lookup did not complete
     ├─ ConsentError             a consent record or a change of one is not possible
     ├─ AdapterError             a legacy database does not have what the adapter file names, or refuses
     │   ├─ DatabaseUnavailable  the database is locked or gone for now
     │   └─ SinkFenced           another writer moved a sink's position: start again from what is stored
     ├─ AuditError
     │   ├─ AuditUnavailable     an audit entry could not be made durable: nothing is released
     │   ├─ ProofInvalid         an inclusion proof, checkpoint or receipt does not verify
     │   └─ StorageFull          the log's disk is full: nothing half-written, nothing acknowledged
     └─ ProcessError             a process of ours could not be started or stopped

Each class has a `code` (stable, snake case, what a program branches on), a `retriable` flag (whether
the same call may succeed later, unchanged) and an `exit_code` (what the CLI exits with).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ExchangeError(Exception):
    """The root of the tree: a message that says what, where, and what would be right."""

    code: str = "error"
    retriable: bool = False
    exit_code: ClassVar[int] = 1
    hop: str | None = None
    """Where it happened, when that is not where it is answered: `consumer`, `gateway` or `provider` (spec 5)."""
    receipt: Mapping[str, Any] | None = None
    """The audit receipt of a refusal that left an entry."""

    def __init__(self, message: str, *, code: str | None = None, retriable: bool | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        if retriable is not None:
            self.retriable = retriable

    @property
    def message(self) -> str:
        """The message alone, in one line."""
        return str(self.args[0])


class SettingsError(ExchangeError):
    """A setting or a file people write is wrong; the message names the place and the remedy."""

    code = "settings_invalid"
    exit_code = 2


class IdentifierError(ExchangeError, ValueError):
    """A name of the exchange is malformed (spec 1)."""

    code = "identifier_invalid"
    exit_code = 2


class TrustError(ExchangeError):
    """Something could not be trusted."""

    code = "trust"
    exit_code = 3


class SignatureInvalid(TrustError):
    """An Ed25519 signature does not verify."""

    code = "signature_invalid"


class DocumentInvalid(TrustError):
    """A signed document does not parse, or carries too few good signatures (spec 4)."""

    code = "document_invalid"


class DirectoryExpired(TrustError):
    """The directory is past its expiry: everything is denied until a fresh one is there."""

    code = "directory_expired"


class ClockSkewed(TrustError):
    """Two clocks differ by more than is allowed."""

    code = "clock_skewed"


class RequestRefused(TrustError):
    """An HTTP message signature was refused (spec 5); `code` says why."""

    code = "request_refused"


class KeyUnavailable(TrustError):
    """A signing key, or the HSM that has it, cannot be used now; retriable unless a PIN or a key is wrong."""

    code = "key_unavailable"
    retriable = True


class SchemaError(ExchangeError):
    """Something is wrong with a schema or with a value of one."""

    code = "schema"
    exit_code = 4


class SchemaInvalid(SchemaError):
    """The text is not an Avro schema; the message gives the path and the reason."""

    code = "schema_invalid"


class SchemaIncompatible(SchemaError):
    """A change would break readers or writers; the message names each field and why."""

    code = "schema_incompatible"


class SchemaNotFound(SchemaError):
    """No such subject, version or id."""

    code = "schema_not_found"


class SchemaNotOwned(SchemaError):
    """The subject's topic belongs to another agency."""

    code = "schema_not_owned"


class ValueInvalid(SchemaError):
    """A value does not fit its schema; the message gives the path and both types."""

    code = "value_invalid"


class RecordRefused(ExchangeError):
    """A record did not verify (spec 3): it is never handed to an application."""

    code = "record_refused"
    step: ClassVar[int] = 0
    exit_code = 3


class SealMalformed(RecordRefused):
    """Step 1: the seal is missing, does not parse, or something trails it."""

    code = "seal_malformed"
    step = 1


class StatementMalformed(RecordRefused):
    """Step 2: the statement is not the checkpoint it must be."""

    code = "statement_malformed"
    step = 2


class OriginMismatch(RecordRefused):
    """Step 3: the statement's agency is not the agency of `ce_source`."""

    code = "origin_mismatch"
    step = 3


class PublisherNotAllowed(RecordRefused):
    """Step 4: the agency is unknown, not active, or may not publish to this topic."""

    code = "publisher_not_allowed"
    step = 4


class KeyNotValid(RecordRefused):
    """Step 5: no key of the agency was valid then, or the statement is too far from the broker's time."""

    code = "key_not_valid"
    step = 5


class SealSignatureInvalid(RecordRefused):
    """Step 6: the statement's signature does not verify."""

    code = "seal_signature_invalid"
    step = 6


class InclusionInvalid(RecordRefused):
    """Step 7: the path does not lead from this record to the signed root."""

    code = "inclusion_invalid"
    step = 7


class SchemaMismatch(RecordRefused):
    """Step 8: `ce_dataschema` is not the schema that the framing names, or the value is not of it."""

    code = "schema_mismatch"
    step = 8


class SequenceRefused(RecordRefused):
    """Step 9: `sequence_replayed`, a record that comes again; `sequence_forked`, another one with the same number."""

    code = "sequence_refused"
    step = 9


class TransportError(ExchangeError):
    """The network, Kafka or an HTTP peer."""

    code = "transport"
    retriable = True
    exit_code = 5


class BrokerUnreachable(TransportError):
    """Kafka does not answer at the given address."""

    code = "broker_unreachable"


class PublisherFenced(TransportError):
    """Another process took this publisher over: stop, do not retry."""

    code = "publisher_fenced"
    retriable = False
    exit_code = 11


class RecordTooLarge(TransportError):
    """The record exceeds what its topic takes."""

    code = "record_too_large"
    retriable = False


class PeerUnreachable(TransportError):
    """An HTTP peer does not answer."""

    code = "peer_unreachable"


class AccessDenied(ExchangeError):
    """The decision was to deny (spec 8); `code` is the first rule that did not hold."""

    code = "access_denied"
    exit_code = 6


class LookupFailed(ExchangeError):
    """A permitted lookup did not complete; nothing was released."""

    code = "lookup_failed"
    exit_code = 7


class ConsentError(ExchangeError):
    """A consent record, or a change of one, is not possible."""

    code = "consent_invalid"
    exit_code = 6


class AdapterError(ExchangeError):
    """A legacy database does not have what the adapter file names, or refuses."""

    code = "adapter"
    exit_code = 8


class DatabaseUnavailable(AdapterError):
    """The database is locked, or gone, for now: nothing was read or written."""

    code = "database_unavailable"
    retriable = True


class SinkFenced(AdapterError):
    """Another writer moved the sink's position: nothing was written; start again from what is stored."""

    code = "sink_fenced"
    retriable = True


class AuditError(ExchangeError):
    """The transparency log."""

    code = "audit"
    exit_code = 9


class AuditUnavailable(AuditError):
    """An audit entry could not be made durable: nothing is released."""

    code = "audit_unavailable"
    retriable = True


class ProofInvalid(AuditError):
    """An inclusion proof, a checkpoint or a receipt does not verify."""

    code = "proof_invalid"


class StorageFull(AuditError):
    """The log's disk is full: nothing half-written, nothing acknowledged."""

    code = "storage_full"
    retriable = True


class ProcessError(ExchangeError):
    """A process of ours could not be started or stopped."""

    code = "process"
    exit_code = 10
