"""Metrics of the audit log (`exchange_audit_*`). Labels are bounded; none carries an identifier."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ENTRIES = Counter("exchange_audit_entries", "Entries that a checkpoint covers, by what happened", ["kind"])
REFUSED = Counter(
    "exchange_audit_refused",
    "Records of the topic that are no entry of a gateway, by what was wrong",
    ["reason"],
)
TREE_SIZE = Gauge("exchange_audit_tree_size", "Leaves that the last checkpoint covers")
PENDING = Gauge("exchange_audit_pending_entries", "Entries read from the topic that no checkpoint covers yet")
CHECKPOINT_AGE = Gauge("exchange_audit_checkpoint_age_seconds", "Time since the last checkpoint was published, s")
STORAGE_FULL = Gauge("exchange_audit_storage_full", "1 while the log's disk is full and nothing is stored")
OFFSET_GAPS = Counter("exchange_audit_offset_gaps", "Skipped offsets: no writer of ours leaves any")
APPENDS = Counter("exchange_audit_appends", "Entries written to the topic, by outcome", ["outcome"])
APPEND_SECONDS = Histogram(
    "exchange_audit_append_seconds",
    "Time until an entry was durable, s",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
