"""The audit trail in memory: kept to the contract test that the audit topic's passes."""

from __future__ import annotations

from exchange.audit import AuditEntry
from exchange.errors import AuditUnavailable
from exchange.gateway.ports import Receipt


class MemoryAuditTrail:
    """Entries in order; `fail_from` is how many more it takes before it fails."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.fail_from: int | None = None

    async def append(self, entry: AuditEntry) -> Receipt:
        """A receipt that names the entry's document by its content."""
        if self.fail_from is not None and len(self.entries) >= self.fail_from:
            raise AuditUnavailable("the audit entry is not durable")
        self.entries.append(entry)
        return {"type": "exchange-receipt-v1", "document": entry.content(), "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}
