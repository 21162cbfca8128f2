"""The transparency log: entries and their writer, the sequencer and its store, receipts and their verifier (spec 9)."""

from exchange.audit.client import AuditClient
from exchange.audit.entry import AuditEntry, EntryKind
from exchange.audit.receipt import Consistency, Receipt, VerifiedReceipt, verify_receipt
from exchange.audit.record import AuditRecord, VerifiedEntry, leaf_data, sign_entry, verify_entry
from exchange.audit.service import AuditContext, AuditLogService
from exchange.audit.topic import audit_topic, ensure_audit_topic
from exchange.audit.writer import AuditWriter

__all__ = [
    "AuditClient",
    "AuditContext",
    "AuditEntry",
    "AuditLogService",
    "AuditRecord",
    "AuditWriter",
    "Consistency",
    "EntryKind",
    "Receipt",
    "VerifiedEntry",
    "VerifiedReceipt",
    "audit_topic",
    "ensure_audit_topic",
    "leaf_data",
    "sign_entry",
    "verify_entry",
    "verify_receipt",
]
